"""Transposed convolutions: images that grow."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from ..core.registry import register
from ..core.validate import positive_int
from ..ops import convolution as ops
from ..ops import windows
from ..ops.convolution_geometry import check_output_padding, transpose_lengths
from .convolution import WindowLayer
from .core import FUSED


class _ConvTranspose(WindowLayer):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        owner = type(self).__name__
        self.filters = positive_int(filters, "filters", owner)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = check_output_padding(
                output_padding, self.strides, self.rank, owner
            )
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias = None

    def build(self, input_shape: Any) -> None:
        channels = self._channels_of(input_shape)
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def call(self, inputs: Any) -> Any:
        fused = FUSED.get(self.activation)
        y = ops.fused_transpose(
            inputs, self.kernel, self.bias, self.strides, self.padding, self.output_padding,
            self.data_format, self.dilation_rate, fused or "linear", type(self).__name__,
        )  # fmt: skip
        return y if fused or self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        sizes = transpose_lengths(
            self._sizes(input_shape), self.kernel_size, self.strides, self.padding,
            self.output_padding, self.dilation_rate,
        )  # fmt: skip
        what = f"the kernel of size {self.kernel_size}"
        windows.check_fits(input_shape, sizes, what, type(self).__name__)
        return self._shape(input_shape, sizes, self.filters)


@register("layers")
class Conv1DTranspose(_ConvTranspose):
    """The transpose of a convolution over sequences: sizes grow by the strides.

    Inputs are (batch, steps, channels).
    Arguments as those of `Conv1D`, without `groups`, and:

    Args:
        output_padding: How many pixels the result has more along an axis than it must have, below
            the strides; by default padding 'same' multiplies sizes by the strides.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> up = keras.layers.Conv1DTranspose(3, 3, strides=2, padding="same")
    >>> up(np.ones((2, 5, 4), "float32")).shape
    (2, 10, 3)
    """

    rank = 1


@register("layers")
class Conv2DTranspose(_ConvTranspose):
    """The transpose of a convolution over images: sizes grow by the strides.

    Inputs are (batch, rows, columns, channels).
    Arguments as those of `Conv2D`, without `groups`, and:

    Args:
        output_padding: How many pixels the result has more along an axis than it must have, below
            the strides; by default padding 'same' multiplies sizes by the strides.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> up = keras.layers.Conv2DTranspose(3, 3, strides=2, padding="same")
    >>> up(np.ones((2, 5, 4, 3), "float32")).shape
    (2, 10, 8, 3)
    """

    rank = 2


@register("layers")
class Conv3DTranspose(_ConvTranspose):
    """The transpose of a convolution over volumes: sizes grow by the strides.

    Inputs are (batch, depth, rows, columns, channels).
    Arguments as those of `Conv3D`, without `groups`, and:

    Args:
        output_padding: How many pixels the result has more along an axis than it must have, below
            the strides; by default padding 'same' multiplies sizes by the strides.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> up = keras.layers.Conv3DTranspose(3, 3, strides=2, padding="same")
    >>> up(np.ones((1, 2, 3, 4, 2), "float32")).shape
    (1, 4, 6, 8, 3)
    """

    rank = 3


Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
