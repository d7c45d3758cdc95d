"""VGG19, and images as it expects them."""

from __future__ import annotations

from typing import Any

from ..models import Model
from ._network import Network, hosted
from ._vgg import vgg
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_input as _preprocess

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

FILES = hosted(
    "vgg19", "vgg19", "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"
)


def VGG19(  # noqa: N802  (Keras's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg19",
) -> Model:
    """VGG19: 16 convolutions and 3 dense layers, 143,667,240 weights.

    Source: Simonyan and Zisserman 2014, configuration E. Arguments as those of `VGG16`.
    """
    network = Network(
        "VGG19", 224, 32, include_top, weights, input_tensor, input_shape, pooling, classes, FILES
    )
    return vgg(network, (2, 2, 4, 4, 4), classifier_activation, name)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Images (..., rows, columns, 3), values 0 to 255, as VGG19 expects them.

    That is blue first, less the means of ImageNet.

    `x` is left as it is. Arguments as those of `imagenet_utils.preprocess_input`.
    """
    return _preprocess(x, data_format, "caffe")
