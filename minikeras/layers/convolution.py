"""Convolutions over sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from ..core.registry import register
from ..ops import convolution as ops
from .ranks import described
from .windowed import WindowLayer


class _Conv(WindowLayer):
    """A convolution with bias and activation."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        if self.filters % self.groups:
            raise ValueError(
                f"{type(self).__name__}: `filters` must be a multiple of `groups`. "
                f"Received: filters={filters}, groups={groups}."
            )

    def build(self, input_shape: Any) -> None:
        channels = self._channels_of(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: the number of channels must be a multiple of `groups`. "
                f"Received: groups={self.groups} and an input of shape {tuple(input_shape)}."
            )
        self._slid(input_shape)  # an input that is too small is refused here
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self._weight("kernel", shape)
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        fused = self._fused
        y = ops.fused_conv(
            inputs, self.kernel, self.bias, self.strides, self.padding, self.data_format,
            self.dilation_rate, fused or "linear", type(self).__name__,
        )  # fmt: skip
        return y if fused else self._activated(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._shape(input_shape, self._slid(input_shape), self.filters)


_TEXT = """Convolution over {images}: {shape} to (..., filters).

    Args:
        filters: Number of channels of the output.
        kernel_size: One number, or one for each axis.
        strides: Step of the kernel, likewise.
        padding: 'valid': only where the kernel lies within; 'same': zeros around{causal}.
        data_format: 'channels_last' or 'channels_first'; by default as configured.
        dilation_rate: Distance of the {pixel}s under the kernel; above 1 only with stride 1.
        groups: Into how many parts the channels are cut, each with filters of its own.
        activation: Name or function; linear by default.
        use_bias: Whether a bias is added.
        kernel_initializer, bias_initializer: Starting values.
        kernel_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, bias_constraint: Projections after each update.

    Raises:
        ValueError: an input that is smaller than the kernel, or whose channels do not fit `groups`.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.{name}({arguments})(np.ones({example}, "float32")).shape
    {result}
    """
_CAUSAL = "; 'causal': zeros\n            before, so that no step sees a later one"


@register("layers")
@described(
    _TEXT,
    causal=_CAUSAL,
    arguments='8, 3, padding="causal"',
    example="(2, 10, 4)",
    result="(2, 10, 8)",
)
class Conv1D(_Conv):
    rank = 1
    paddings = ("valid", "same", "causal")


@register("layers")
@described(
    _TEXT,
    causal="",
    arguments='8, 3, activation="relu"',
    example="(2, 28, 28, 1)",
    result="(2, 26, 26, 8)",
)
class Conv2D(_Conv):
    rank = 2


@register("layers")
@described(
    _TEXT,
    causal="",
    arguments="2, (1, 3, 3), strides=2",
    example="(1, 4, 7, 7, 3)",
    result="(1, 2, 3, 3, 2)",
)
class Conv3D(_Conv):
    rank = 3


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
