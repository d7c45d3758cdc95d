"""Transposed convolutions: images that grow."""

from __future__ import annotations

from typing import Any

from ..core.registry import register
from ..ops import convolution as ops
from ..ops import windows
from ..ops.convolution_geometry import check_output_padding, transpose_lengths
from .ranks import described
from .windowed import WindowLayer


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
        self._keep_options(locals(), "kernel")
        self.output_padding = check_output_padding(
            output_padding, self.strides, self.rank, type(self).__name__
        )

    def build(self, input_shape: Any) -> None:
        channels = self._channels_of(input_shape)
        self.kernel = self._weight("kernel", (*self.kernel_size, self.filters, channels))
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        fused = self._fused
        y = ops.fused_transpose(
            inputs, self.kernel, self.bias, self.strides, self.padding, self.output_padding,
            self.data_format, self.dilation_rate, fused or "linear", type(self).__name__,
        )  # fmt: skip
        return y if fused else self._activated(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        sizes = transpose_lengths(
            self._sizes(input_shape), self.kernel_size, self.strides, self.padding,
            self.output_padding, self.dilation_rate,
        )  # fmt: skip
        what = f"the kernel of size {self.kernel_size}"
        windows.check_fits(input_shape, sizes, what, type(self).__name__)
        return self._shape(input_shape, sizes, self.filters)


_TEXT = """The transpose of a convolution over {images}: sizes grow by the strides.

    Inputs are {shape}. Arguments as those of `{conv}`, without `groups`, and:

    Args:
        output_padding: How many {pixel}s the result has more along an axis than it must have, below
            the strides; by default padding 'same' multiplies sizes by the strides.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> up = keras.layers.{name}(3, 3, strides=2, padding="same")
    >>> up(np.ones({example}, "float32")).shape
    {result}
    """


@register("layers")
@described(_TEXT, conv="Conv1D", example="(2, 5, 4)", result="(2, 10, 3)")
class Conv1DTranspose(_ConvTranspose):
    rank = 1


@register("layers")
@described(_TEXT, conv="Conv2D", example="(2, 5, 4, 3)", result="(2, 10, 8, 3)")
class Conv2DTranspose(_ConvTranspose):
    rank = 2


@register("layers")
@described(_TEXT, conv="Conv3D", example="(1, 2, 3, 4, 2)", result="(1, 4, 6, 8, 3)")
class Conv3DTranspose(_ConvTranspose):
    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        *args: Any,
        **kwargs: Any,
    ):
        """As those of fewer axes; Keras has `data_format` before `output_padding` here."""
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, *args, **kwargs
        )


Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
