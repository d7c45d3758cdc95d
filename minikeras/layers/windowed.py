"""The base of layers with a sliding kernel: their arguments, weights and sizes."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from ..core.validate import positive_int
from ..ops import windows
from .base import Layer
from .core import FUSED
from .input_spec import InputSpec

_KINDS = {
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}


class WindowLayer(Layer):
    """What layers with a sliding kernel have in common.

    Attributes:
        rank: Number of axes that the kernel slides along.
    """

    rank = 0
    paddings: tuple[str, ...] = ("valid", "same")
    filters: int
    depth_multiplier: int
    groups: int

    def _keep_options(self, options: dict[str, Any], *kernels: str) -> None:
        """Check and keep the constructor's arguments.

        Args:
            options: Its local variables.
            kernels: Beginnings of the names of starting values, penalties and projections, those of
                the bias aside.
        """
        owner = type(self).__name__
        for name in ("filters", "depth_multiplier", "groups"):
            if name in options:
                setattr(self, name, positive_int(options[name], name, owner))
        self._set_window(
            *[options[n] for n in ("kernel_size", "strides", "padding")],
            *[options[n] for n in ("data_format", "dilation_rate")],
        )
        self.activation = activations.get(options["activation"])
        self.use_bias = bool(options["use_bias"])
        for weight in (*kernels, "bias"):
            for kind, get in _KINDS.items():
                setattr(self, f"{weight}_{kind}", get(options[f"{weight}_{kind}"]))
        self.bias = None

    def _set_window(
        self, kernel_size: Any, strides: Any, padding: str, data_format: Any, dilation_rate: Any
    ) -> None:
        owner = type(self).__name__
        self.kernel_size = windows.numbers(kernel_size, self.rank, "kernel_size", owner)
        self.strides = windows.numbers(strides, self.rank, "strides", owner)
        self.dilation_rate = windows.numbers(dilation_rate, self.rank, "dilation_rate", owner)
        self.data_format = windows.data_format(data_format, owner)
        self.padding = windows.padding_of(padding, owner, self.paddings)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{owner}: strides and dilation_rate cannot both be above 1. "
                f"Received: strides={self.strides}, dilation_rate={self.dilation_rate}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _weight(self, name: str, shape: tuple, options: str | None = None) -> Any:
        """A new weight with the starting values, penalty and projection of that beginning."""
        kept = {kind: getattr(self, f"{options or name}_{kind}") for kind in _KINDS}
        return self.add_weight(shape=shape, name=name, **kept)

    def _add_bias(self, channels: int) -> None:
        if self.use_bias:
            self.bias = self._weight("bias", (channels,))

    @property
    def _fused(self) -> str | None:
        """The activation that a kernel does in the same pass; None for one that comes after it."""
        if self.activation is None:
            return "linear"
        return FUSED.get(self.activation)

    def _activated(self, y: Any) -> Any:
        return y if self.activation is None else self.activation(y)

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
