"""Convolutions that keep channels apart, and those made of one and a mixture of channels."""

from __future__ import annotations

from typing import Any

from ..core.registry import register
from ..ops import convolution
from ..ops import convolution_depthwise as ops
from .ranks import described
from .windowed import WindowLayer


class _Depthwise(WindowLayer):
    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._keep_options(locals(), "depthwise")

    def build(self, input_shape: Any) -> None:
        channels = self._channels_of(input_shape)
        self._slid(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self._weight("kernel", shape, "depthwise")
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Any) -> Any:
        y = ops.fused_depthwise(
            inputs, self.kernel, self.bias, self.strides, self.padding, self.data_format,
            self.dilation_rate,
        )  # fmt: skip
        return self._activated(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        channels = input_shape[self._channel_axis] * self.depth_multiplier
        return self._shape(input_shape, self._slid(input_shape), channels)


class _Separable(WindowLayer):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._keep_options(locals(), "depthwise", "pointwise")

    def build(self, input_shape: Any) -> None:
        channels = self._channels_of(input_shape)
        self._slid(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._weight("depthwise_kernel", shape, "depthwise")
        shape = (*[1] * self.rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self._weight("pointwise_kernel", shape, "pointwise")
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        from_each = ops.depthwise_conv(
            inputs, self.depthwise_kernel, self.strides, self.padding, self.data_format,
            self.dilation_rate,
        )  # fmt: skip
        y = convolution.fused_conv(
            from_each, self.pointwise_kernel, self.bias, 1, "valid", self.data_format, 1, "linear",
            type(self).__name__,
        )  # fmt: skip
        return self._activated(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._shape(input_shape, self._slid(input_shape), self.filters)


_DEPTHWISE = """Convolution of each channel of {image} with kernels of its own.

    {shape} to (..., channels * depth_multiplier). Arguments as those of `{conv}`, with
    `depth_multiplier`, the number of kernels for each channel, for `filters`.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.{name}({arguments})(np.ones({example}, "float32")).shape
    {result}
    """
_SEPARABLE = """A `{depthwise}`, and then a mixture of the channels into `filters` at each {pixel}.

    Arguments as those of `{conv}`, with `depth_multiplier`, and starting values, penalties and
    projections for both kernels.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.{name}({arguments})(np.ones({example}, "float32")).shape
    {result}
    """


@register("layers")
@described(
    _DEPTHWISE,
    conv="Conv1D",
    arguments="3, depth_multiplier=2",
    example="(2, 10, 4)",
    result="(2, 8, 8)",
)
class DepthwiseConv1D(_Depthwise):
    rank = 1


@register("layers")
@described(
    _DEPTHWISE,
    conv="Conv2D",
    arguments='3, padding="same"',
    example="(2, 5, 5, 4)",
    result="(2, 5, 5, 4)",
)
class DepthwiseConv2D(_Depthwise):
    rank = 2


@register("layers")
@described(
    _SEPARABLE,
    depthwise="DepthwiseConv1D",
    conv="Conv1D",
    arguments="6, 3",
    example="(2, 10, 4)",
    result="(2, 8, 6)",
)
class SeparableConv1D(_Separable):
    rank = 1


@register("layers")
@described(
    _SEPARABLE,
    depthwise="DepthwiseConv2D",
    conv="Conv2D",
    arguments="6, 3, strides=2",
    example="(2, 9, 9, 4)",
    result="(2, 4, 4, 6)",
)
class SeparableConv2D(_Separable):
    rank = 2


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
