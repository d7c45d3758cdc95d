"""Local response normalisation, which Keras does not have."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.registry import register
from ..core.validate import integer, number, positive_int
from ..ops import elementwise as e
from ..ops import shapes
from ..ops.core import floating
from ..ops.linalg import matmul
from .base import Layer
from .row_normalization import extents


@register("layers", module="minikeras.layers")
class LocalResponseNormalization(Layer):
    """``x / (bias + alpha * sum of the squares of neighbouring channels) ** beta``.

    Source: Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep Convolutional
    Neural Networks", section 3.3, with its constants.

    Args:
        size: How many channels are summed, the own one in the middle: an odd number.
        bias, alpha, beta: See the formula.
        axis: That of the channels.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.LocalResponseNormalization(3, bias=1.0, alpha=1.0, beta=1.0)
    >>> layer(np.float32([[1, 2, 0, 1]])).round(3)
    array([[0.167, 0.333, 0.   , 0.5  ]], dtype=float32)
    """

    def __init__(
        self,
        size: int = 5,
        bias: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        axis: int = -1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.size = positive_int(size, "size", owner)
        if self.size % 2 == 0:
            raise ValueError(f"{owner}: `size` must be odd. Received: size={size}.")
        self.bias, self.alpha = number(bias, "bias", owner), number(alpha, "alpha", owner)
        self.beta, self.axis = number(beta, "beta", owner), integer(axis, "axis", owner)

    def build(self, input_shape: Any) -> None:
        extents(input_shape, self.axis, type(self).__name__)

    def call(self, inputs: Any) -> Any:
        inputs = floating(inputs)
        last = self.axis in (-1, len(inputs.shape) - 1)
        x = inputs if last else shapes.moveaxis(inputs, self.axis, -1)
        near = np.abs(np.subtract.outer(*[np.arange(x.shape[-1])] * 2)) <= self.size // 2
        sums = matmul(e.square(x), near.astype(np.dtype(x.dtype)))
        y = e.divide(x, e.power(e.add(e.multiply(sums, self.alpha), self.bias), self.beta))
        return y if last else shapes.moveaxis(y, -1, self.axis)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)
