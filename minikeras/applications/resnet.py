"""ResNet50, ResNet101 and ResNet152, and images as they expect them.

Source: He et al. 2015, "Deep Residual Learning for Image Recognition".
"""

from __future__ import annotations

from typing import Any

from ..models import Model
from ._network import Network, hosted
from ._resnet import resnet
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_input as _preprocess

__all__ = ["ResNet101", "ResNet152", "ResNet50", "decode_predictions", "preprocess_input"]

FILES = {
    "resnet50": hosted(
        "resnet", "resnet50", "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"
    ),
    "resnet101": hosted(
        "resnet",
        "resnet101",
        "f1aeb4b969a6efcfb50fad2f0c20cfc5",
        "88cf7a10940856eca736dc7b7e228a21",
    ),
    "resnet152": hosted(
        "resnet",
        "resnet152",
        "100835be76be38e30d865e96f2aaae62",
        "ee4c566cf9a93f14d82f913c2dc6dd0c",
    ),
}


def ResNet50(  # noqa: N802  (Keras's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50",
) -> Model:
    """ResNet50: 16 blocks of three convolutions, 25,636,712 weights.

    Layers, their names and the order of weights are Keras's. Arguments as those of `VGG16`.

    Example:

    >>> import minikeras as keras
    >>> images = keras.Input((64, 64, 3))
    >>> resnet = keras.applications.ResNet50(False, None, images)
    >>> resnet.output_shape
    (None, 2, 2, 2048)
    """
    given = include_top, weights, input_tensor, input_shape, pooling, classes
    network = Network("ResNet50", 224, 32, *given, FILES["resnet50"])
    return resnet(network, 50, classifier_activation, name)


def ResNet101(  # noqa: N802  (Keras's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet101",
) -> Model:
    """ResNet101: 33 blocks of three convolutions, 44,707,176 weights.

    Layers, their names and the order of weights are Keras's. Arguments as those of `VGG16`.
    """
    given = include_top, weights, input_tensor, input_shape, pooling, classes
    network = Network("ResNet101", 224, 32, *given, FILES["resnet101"])
    return resnet(network, 101, classifier_activation, name)


def ResNet152(  # noqa: N802  (Keras's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet152",
) -> Model:
    """ResNet152: 50 blocks of three convolutions, 60,419,944 weights.

    Layers, their names and the order of weights are Keras's. Arguments as those of `VGG16`.
    """
    given = include_top, weights, input_tensor, input_shape, pooling, classes
    network = Network("ResNet152", 224, 32, *given, FILES["resnet152"])
    return resnet(network, 152, classifier_activation, name)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Images (..., rows, columns, 3), values 0 to 255, as these networks expect them.

    That is blue first, less the means of ImageNet.

    `x` is left as it is. Arguments as those of `imagenet_utils.preprocess_input`.
    """
    return _preprocess(x, data_format, "caffe")
