"""InceptionV3, and images as it expects them.

Source: Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision".
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..models import Model
from ._network import Network, hosted
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_input as _preprocess

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

FILES = hosted(
    "inception_v3",
    "inception_v3",
    "9a0d58056eeedaa3f26cb7ebd46da564",
    "bcbd6486424b2319ff4ef7d526e38f63",
)


def InceptionV3(  # noqa: N802  (Keras's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "inception_v3",
) -> Model:
    """InceptionV3: 94 convolutions in 11 blocks of branches, 23,851,784 weights.

    Layers, their names and the order of weights are Keras's. Arguments as those of `VGG16`; images
    are of (299, 299, 3) with the classifier, and at least 75 x 75.

    Example:

    >>> import minikeras as keras
    >>> network = keras.applications.InceptionV3(False, None, input_shape=(75, 75, 3))
    >>> network.output_shape
    (None, 1, 1, 2048)
    """
    network = Network(
        "InceptionV3", 299, 75, include_top, weights, input_tensor, input_shape, pooling, classes,
        FILES,
    )  # fmt: skip
    make = _Blocks(network.axis)
    x = _stem(make, network.images)
    for number, pooled in enumerate((32, 64, 64)):
        x = make.wide(x, pooled, f"mixed{number}")
    x = make.halved(x, [(384, 3)], [(64, 1), (96, 3), (96, 3)], "mixed3")
    for number, inner in enumerate((128, 160, 160, 192), 4):
        x = make.long(x, inner, f"mixed{number}")
    first, second = [(192, 1), (320, 3)], [(192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3)]
    x = make.halved(x, first, second, "mixed8")
    for number in (9, 10):
        x = make.split(x, f"mixed9_{number - 9}", f"mixed{number}")
    return network.model(network.top(x, classifier_activation, _pool_name(network)), name)


def _pool_name(network: Network) -> str | None:
    return "avg_pool" if network.include_top else None


def _stem(make: _Blocks, x: Any) -> Any:
    x = make.conv(x, 32, 3, 2, "valid")
    x = make.conv(x, 32, 3, padding="valid")
    x = make.conv(x, 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = make.conv(x, 80, 1, padding="valid")
    x = make.conv(x, 192, 3, padding="valid")
    return layers.MaxPooling2D(3, strides=2)(x)


class _Blocks:
    """Blocks of branches over the same maps, which are put side by side."""

    def __init__(self, axis: int):
        self.axis = axis

    def conv(self, x: Any, filters: int, size: Any, stride: int = 1, padding: str = "same") -> Any:
        x = layers.Conv2D(filters, size, strides=stride, padding=padding, use_bias=False)(x)
        return layers.Activation("relu")(layers.BatchNormalization(axis=self.axis, scale=False)(x))

    def chain(self, x: Any, *steps: tuple[int, Any]) -> Any:
        """Convolutions one after the other, of (filters, size)."""
        for filters, size in steps:
            x = self.conv(x, filters, size)
        return x

    def side_by_side(self, branches: list[Any], name: str | None = None) -> Any:
        return layers.Concatenate(axis=self.axis, name=name)(branches)

    def around(self, x: Any, filters: int) -> Any:
        """The branch of means."""
        return self.conv(layers.AveragePooling2D(3, strides=1, padding="same")(x), filters, 1)

    def wide(self, x: Any, pooled: int, name: str) -> Any:
        """Kernels of 5, and of 3 twice."""
        branches = [
            self.chain(x, (64, 1)),
            self.chain(x, (48, 1), (64, 5)),
            self.chain(x, (64, 1), (96, 3), (96, 3)),
            self.around(x, pooled),
        ]
        return self.side_by_side(branches, name)

    def long(self, x: Any, inner: int, name: str) -> Any:
        """Kernels of 7 x 7 as rows and columns, once and twice."""
        row, column = (1, 7), (7, 1)
        branches = [
            self.chain(x, (192, 1)),
            self.chain(x, (inner, 1), (inner, row), (192, column)),
            self.chain(x, (inner, 1), (inner, column), (inner, row), (inner, column), (192, row)),
            self.around(x, 192),
        ]
        return self.side_by_side(branches, name)

    def halved(self, x: Any, first: list, second: list, name: str) -> Any:
        """Maps of half the size: the last convolution of each branch takes steps of 2."""
        branches = []
        for *steps, (filters, size) in (first, second):
            branches.append(self.conv(self.chain(x, *steps), filters, size, 2, "valid"))
        return self.side_by_side([*branches, layers.MaxPooling2D(3, strides=2)(x)], name)

    def split(self, x: Any, inner: str, name: str) -> Any:
        """Kernels of 3 x 3 as a row beside a column."""
        one = self.chain(x, (320, 1))
        two = self.chain(x, (384, 1))
        two = self.side_by_side([self.conv(two, 384, (1, 3)), self.conv(two, 384, (3, 1))], inner)
        three = self.chain(x, (448, 1), (384, 3))
        three = self.side_by_side([self.conv(three, 384, (1, 3)), self.conv(three, 384, (3, 1))])
        return self.side_by_side([one, two, three, self.around(x, 192)], name)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Images (..., rows, columns, 3), values 0 to 255, as InceptionV3 expects them: -1 to 1.

    `x` is left as it is. Arguments as those of `imagenet_utils.preprocess_input`.
    """
    return _preprocess(x, data_format, "tf")
