"""Convolutions over sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from ..core.registry import register
from ..core.validate import one_of, positive_int
from ..ops import convolution as ops
from ..ops import windows
from .base import Layer
from .core import FUSED
from .input_spec import InputSpec


class WindowLayer(Layer):
    """What layers with a sliding kernel have in common.

    Attributes:
        rank: Number of axes that the kernel slides along.
    """

    rank = 0
    paddings: tuple[str, ...] = ("valid", "same")

    def _set_window(
        self, kernel_size: Any, strides: Any, padding: str, data_format: Any, dilation_rate: Any
    ) -> None:
        owner = type(self).__name__
        self.kernel_size = windows.numbers(kernel_size, self.rank, "kernel_size", owner)
        self.strides = windows.numbers(strides, self.rank, "strides", owner)
        self.dilation_rate = windows.numbers(dilation_rate, self.rank, "dilation_rate", owner)
        self.data_format = windows.data_format(data_format, owner)
        padding = padding.lower() if isinstance(padding, str) else padding
        self.padding = one_of(padding, self.paddings, "padding", owner)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{owner}: strides and dilation_rate cannot both be above 1. "
                f"Received: strides={self.strides}, dilation_rate={self.dilation_rate}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def _channels_of(self, input_shape: Any) -> int:
        """The number of channels, which is then required of all inputs."""
        if len(input_shape) != self.rank + 2:
            self.input_spec.check(_Shaped(tuple(input_shape)), f"'{self.name}'")
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(
                f"{type(self).__name__} needs to know the number of channels. "
                f"Received: input shape {tuple(input_shape)}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        return channels

    def _sizes(self, input_shape: Any) -> tuple:
        """Sizes of the images among the dimensions of an input."""
        last = self.data_format == "channels_last"
        return tuple(input_shape[1:-1]) if last else tuple(input_shape[2:])

    def _shape(self, input_shape: Any, sizes: Any, channels: int) -> tuple:
        """Shape of images with other sizes and channels."""
        if self.data_format == "channels_last":
            return (input_shape[0], *sizes, channels)
        return (input_shape[0], channels, *sizes)

    def _slid(self, input_shape: Any) -> tuple:
        """Sizes of what a kernel gives that slides over inputs of a shape.

        Raises:
            ValueError: there is no place for it.
        """
        axes = zip(
            self._sizes(input_shape),
            self.kernel_size,
            self.strides,
            self.dilation_rate,
            strict=True,
        )
        sizes = tuple(windows.output_length(n, k, s, self.padding, d) for n, k, s, d in axes)
        what = f"the kernel of size {self.kernel_size}"
        if max(self.dilation_rate) > 1:
            what += f" with dilation {self.dilation_rate}"
        windows.check_fits(input_shape, sizes, what, type(self).__name__)
        return sizes


class _Shaped:
    """A shape where a value is expected."""

    def __init__(self, shape: tuple):
        self.shape = shape


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
        owner = type(self).__name__
        self.filters = positive_int(filters, "filters", owner)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.groups = positive_int(groups, "groups", owner)
        if self.filters % self.groups:
            raise ValueError(
                f"{owner}: `filters` must be a multiple of `groups`. "
                f"Received: filters={filters}, groups={groups}."
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
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: the number of channels must be a multiple of `groups`. "
                f"Received: groups={self.groups} and an input of shape {tuple(input_shape)}."
            )
        self.compute_output_shape(input_shape)  # an input that is too small is refused here
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, channels // self.groups, self.filters),
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
        y = ops.fused_conv(
            inputs, self.kernel, self.bias, self.strides, self.padding, self.data_format,
            self.dilation_rate, fused or "linear", type(self).__name__,
        )  # fmt: skip
        return y if fused or self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._shape(input_shape, self._slid(input_shape), self.filters)


_ARGUMENTS = """
    Args:
        filters: Number of channels of the output.
        kernel_size: One number, or one for each axis.
        strides: Step of the kernel, likewise.
        padding: 'valid': only where the kernel lies within; 'same': zeros around{causal}.
        data_format: 'channels_last' or 'channels_first'; by default as configured.
        dilation_rate: Distance of the pixels under the kernel; above 1 only with stride 1.
        groups: Into how many parts the channels are cut, each with filters of its own.
        activation: Name or function; linear by default.
        use_bias: Whether a bias is added.
        kernel_initializer, bias_initializer: Starting values.
        kernel_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, bias_constraint: Projections after each update.

    Raises:
        ValueError: an input that is smaller than the kernel, or whose channels do not fit `groups`.
"""


@register("layers")
class Conv1D(_Conv):
    """Convolution over sequences: (batch, steps, channels) to (batch, new steps, filters).

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.Conv1D(8, 3, padding="causal")(np.ones((2, 10, 4), "float32")).shape
    (2, 10, 8)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


@register("layers")
class Conv2D(_Conv):
    """Convolution over images: (batch, rows, columns, channels) to (..., filters).

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.Conv2D(8, 3, activation="relu")(np.ones((2, 28, 28, 1), "float32")).shape
    (2, 26, 26, 8)
    """

    rank = 2


@register("layers")
class Conv3D(_Conv):
    """Convolution over volumes: (batch, depth, rows, columns, channels) to (..., filters).

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.Conv3D(2, (1, 3, 3), strides=2)(np.ones((1, 4, 7, 7, 3), "float32")).shape
    (1, 2, 3, 3, 2)
    """

    rank = 3


def _document(cls: type, causal: str = "") -> None:
    """The arguments, between what a class does and its example."""
    text, example = (cls.__doc__ or "").split("    Example:\n", 1)
    cls.__doc__ = (
        text.rstrip() + "\n" + _ARGUMENTS.format(causal=causal) + "\n    Example:\n" + example
    )


_document(Conv1D, "; 'causal': zeros\n            before, so that no step sees a later one")
_document(Conv2D)
_document(Conv3D)

Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
