"""ResNet50V2, ResNet101V2 and ResNet152V2, and images as they expect them.

Source: He et al. 2016, "Identity Mappings in Deep Residual Networks".
"""

from __future__ import annotations

from typing import Any

from ..models import Model
from ._network import Network, hosted
from ._resnet import resnet_v2
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_input as _preprocess

__all__ = ["ResNet101V2", "ResNet152V2", "ResNet50V2", "decode_predictions", "preprocess_input"]

FILES = {
    "resnet50v2": hosted(
        "resnet",
        "resnet50v2",
        "3ef43a0b657b3be2300d5770ece849e0",
        "fac2f116257151a9d068a22e544a4917",
    ),
    "resnet101v2": hosted(
        "resnet",
        "resnet101v2",
        "6343647c601c52e1368623803854d971",
        "c0ed64b8031c3730f411d2eb4eea35b5",
    ),
    "resnet152v2": hosted(
        "resnet",
        "resnet152v2",
        "a49b44d1979771252814e80f8ec446f9",
        "ed17cf2e0169df9d443503ef94b23b33",
    ),
}


def ResNet50V2(  # noqa: N802  (Keras's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50v2",
) -> Model:
    """ResNet50V2: 16 blocks that normalise first, 25,613,800 weights.

    Layers, their names and the order of weights are Keras's. Arguments as those of `VGG16`.

    Example:

    >>> import minikeras as keras
    >>> images = keras.Input((64, 64, 3))
    >>> resnet = keras.applications.ResNet50V2(False, None, images)
    >>> resnet.output_shape
    (None, 2, 2, 2048)
    """
    given = include_top, weights, input_tensor, input_shape, pooling, classes
    network = Network("ResNet50V2", 224, 32, *given, FILES["resnet50v2"])
    return resnet_v2(network, 50, classifier_activation, name)


def ResNet101V2(  # noqa: N802  (Keras's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet101v2",
) -> Model:
    """ResNet101V2: 33 blocks that normalise first, 44,675,560 weights.

    Layers, their names and the order of weights are Keras's. Arguments as those of `VGG16`.
    """
    given = include_top, weights, input_tensor, input_shape, pooling, classes
    network = Network("ResNet101V2", 224, 32, *given, FILES["resnet101v2"])
    return resnet_v2(network, 101, classifier_activation, name)


def ResNet152V2(  # noqa: N802  (Keras's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet152v2",
) -> Model:
    """ResNet152V2: 50 blocks that normalise first, 60,380,648 weights.

    Layers, their names and the order of weights are Keras's. Arguments as those of `VGG16`.
    """
    given = include_top, weights, input_tensor, input_shape, pooling, classes
    network = Network("ResNet152V2", 224, 32, *given, FILES["resnet152v2"])
    return resnet_v2(network, 152, classifier_activation, name)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Images (..., rows, columns, 3), values 0 to 255, as these networks expect them: -1 to 1.

    `x` is left as it is. Arguments as those of `imagenet_utils.preprocess_input`.
    """
    return _preprocess(x, data_format, "tf")
