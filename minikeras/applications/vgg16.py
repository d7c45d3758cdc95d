"""VGG16, and images as it expects them."""

from __future__ import annotations

from typing import Any

from ..models import Model
from ._network import Network, hosted
from ._vgg import vgg
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_input as _preprocess

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

FILES = hosted(
    "vgg16", "vgg16", "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"
)


def VGG16(  # noqa: N802  (Keras's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Model:
    """VGG16: 13 convolutions and 3 dense layers, 138,357,544 weights.

    Source: Simonyan and Zisserman 2014, configuration D. Layers, their names and the order of
    weights are Keras's.

    Args:
        include_top: Whether the classifier is part of it; without it images may have any size.
        weights: None for random ones; the path of a weights file of Keras or of `save_weights`;
            'imagenet' for those that Keras hosts, downloaded once to its cache, checked, and made
            for `preprocess_input`.
        input_tensor: A symbol to go on from, for an `Input` of its own.
        input_shape: Of one image, without the batch; (224, 224, 3) with the classifier.
        pooling: Without the classifier: 'avg' or 'max' for one number of each channel, None for
            maps.
        classes: How many the classifier tells apart.
        classifier_activation: Of the last layer; None for logits.
        name: Of the model.

    Raises:
        ValueError: arguments that do not fit each other.
        OSError: weights that cannot be had.

    Example:

    >>> import minikeras as keras
    >>> vgg = keras.applications.VGG16(False, weights=None, input_shape=(64, 64, 3), pooling="avg")
    >>> vgg.output_shape
    (None, 512)
    """
    network = Network(
        "VGG16", 224, 32, include_top, weights, input_tensor, input_shape, pooling, classes, FILES
    )
    return vgg(network, (2, 2, 3, 3, 3), classifier_activation, name)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Images (..., rows, columns, 3), values 0 to 255, as VGG16 expects them.

    That is blue first, less the means of ImageNet.

    `x` is left as it is. Arguments as those of `imagenet_utils.preprocess_input`.
    """
    return _preprocess(x, data_format, "caffe")
