"""Convolutions that keep channels apart, and those made of one and a mixture of channels."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from ..core.registry import register
from ..core.validate import positive_int
from ..ops import convolution, shapes
from ..ops import convolution_depthwise as ops
from ..ops import elementwise as e
from .convolution import WindowLayer


def add_bias(y: Any, bias: Any, data_format: str) -> Any:
    """Images plus a number for each channel."""
    if bias is None:
        return y
    if data_format == "channels_first":
        bias = shapes.reshape(bias, (1, -1, *[1] * (len(y.shape) - 2)))
    return e.add(y, bias)


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
        owner = type(self).__name__
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = positive_int(depth_multiplier, "depth_multiplier", owner)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias = None

    def build(self, input_shape: Any) -> None:
        channels = self._channels_of(input_shape)
        self._slid(input_shape)
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(channels * self.depth_multiplier,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def call(self, inputs: Any) -> Any:
        y = ops.depthwise_conv(
            inputs, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate
        )
        y = add_bias(y, self.bias, self.data_format)
        return y if self.activation is None else self.activation(y)

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
        owner = type(self).__name__
        self.filters = positive_int(filters, "filters", owner)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = positive_int(depth_multiplier, "depth_multiplier", owner)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias = None

    def build(self, input_shape: Any) -> None:
        channels = self._channels_of(input_shape)
        self._slid(input_shape)
        self.depthwise_kernel = self.add_weight(
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="depthwise_kernel",
        )
        self.pointwise_kernel = self.add_weight(
            shape=(*[1] * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
            name="pointwise_kernel",
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
        from_each = ops.depthwise_conv(
            inputs, self.depthwise_kernel, self.strides, self.padding, self.data_format,
            self.dilation_rate,
        )  # fmt: skip
        y = convolution.fused_conv(
            from_each, self.pointwise_kernel, self.bias, 1, "valid", self.data_format, 1, "linear",
            type(self).__name__,
        )  # fmt: skip
        return y if self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._shape(input_shape, self._slid(input_shape), self.filters)


@register("layers")
class DepthwiseConv1D(_Depthwise):
    """Convolution of each channel of a sequence with kernels of its own.

    (batch, steps, channels) to (batch, new steps, channels * depth_multiplier). Arguments as those
    of `Conv1D`, with `depth_multiplier`, the number of kernels for each channel, for `filters`.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.DepthwiseConv1D(3, depth_multiplier=2)(np.ones((2, 10, 4), "float32")).shape
    (2, 8, 8)
    """

    rank = 1


@register("layers")
class DepthwiseConv2D(_Depthwise):
    """Convolution of each channel of an image with kernels of its own.

    (batch, rows, columns, channels) to (..., channels * depth_multiplier). Arguments as those of
    `Conv2D`, with `depth_multiplier`, the number of kernels for each channel, for `filters`.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.DepthwiseConv2D(3, padding="same")(np.ones((2, 5, 5, 4), "float32")).shape
    (2, 5, 5, 4)
    """

    rank = 2


@register("layers")
class SeparableConv1D(_Separable):
    """A `DepthwiseConv1D`, and then a mixture of the channels into `filters` at each step.

    Arguments as those of `Conv1D`, with `depth_multiplier`, and starting values, penalties and
    projections for both kernels.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.SeparableConv1D(6, 3)(np.ones((2, 10, 4), "float32")).shape
    (2, 8, 6)
    """

    rank = 1


@register("layers")
class SeparableConv2D(_Separable):
    """A `DepthwiseConv2D`, and then a mixture of the channels into `filters` at each pixel.

    Arguments as those of `Conv2D`, with `depth_multiplier`, and starting values, penalties and
    projections for both kernels.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.SeparableConv2D(6, 3, strides=2)(np.ones((2, 9, 9, 4), "float32")).shape
    (2, 4, 4, 6)
    """

    rank = 2


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
