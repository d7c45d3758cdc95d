"""LSTM layers whose products are convolutions, for sequences of images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.registry import register
from ..ops import elementwise as e
from ..ops.convolution import fused_conv
from ..ops.shapes import expand_dims, reshape
from ..ops.time_steps import cut, join
from .input_spec import InputSpec
from .recurrent_cells import FourGates
from .recurrent_layers import WEIGHTS, OfCell, for_cell
from .windowed import WindowLayer


class ConvLSTMCell(FourGates, WindowLayer):
    """The cell of the layers `ConvLSTM1D`, `ConvLSTM2D` and `ConvLSTM3D`; see there.

    States have the size of what the convolution of the input gives; the convolution of the state
    keeps it.
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.rank = rank
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_activations(activation, recurrent_activation)
        weights = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "recurrent": (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        self._set(filters, use_bias, weights, (dropout, recurrent_dropout, seed))
        self.filters = self.units
        self.unit_forget_bias = bool(unit_forget_bias)
        self.state_size = [self.filters, self.filters]
        self._step_rank = rank + 2

    @property
    def dropout_mask_count(self) -> int:
        return self.gates

    def build(self, input_shape: Any) -> None:
        channels = self._channels_of(input_shape)
        sizes = self._sizes(input_shape)
        if None in sizes:
            raise ValueError(
                f"'{self.name}' needs images of a known size, for its states have that size. "
                f"Received: steps of shape {tuple(input_shape)}."
            )
        self._state_sizes = self._slid(input_shape)
        width = 4 * self.filters
        self.kernel = self._weight("kernel", (*self.kernel_size, channels, width))
        recurrent = (*self.kernel_size, self.filters, width)
        self.recurrent_kernel = self._weight("recurrent_kernel", recurrent, "recurrent")
        if self.use_bias:
            self.bias = self._weight("bias", (width,), start=self._bias_start())

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        shape = self._shape((batch_size,), self._state_sizes, self.filters)
        return [np.zeros(shape, self.compute_dtype) for _ in range(2)]

    def compute_output_shape(self, inputs_shape: Any, states_shape: Any = None) -> Any:
        """Shapes of the output and of the states, for a step."""
        shape = self._shape(inputs_shape, self._slid(inputs_shape), self.filters)
        return shape, [shape, shape]

    # --- computation ---

    def _check(self, inputs: Any, states: list[Any]) -> None:
        self.input_spec.check(inputs, f"'{self.name}'")
        wanted = self.compute_output_shape(tuple(inputs.shape))[0]
        found = [tuple(state.shape) for state in states]
        if found != [wanted, wanted]:
            raise ValueError(
                f"Cell '{self.name}' takes 2 states of shape {wanted}. Received: {found}."
            )

    def _inputs(self, x: Any, training: bool) -> Any:
        masks = self._input_masks(x, training)
        if masks is None:
            return self._input_conv(x, self.kernel, self.bias)
        biases = [None] * 4 if self.bias is None else cut(self.bias, 4)
        return join(
            [
                self._input_conv(_masked(x, m), k, b)
                for m, k, b in zip(masks, cut(self.kernel, 4), biases, strict=True)
            ],
            self._channel_axis if len(x.shape) == self._step_rank else self._axis_in_sequence,
        )

    @property
    def _axis_in_sequence(self) -> int:
        return -1 if self.data_format == "channels_last" else 2

    def _input_conv(self, x: Any, kernel: Any, bias: Any) -> Any:
        """Convolution of a step, or of all steps as one batch."""
        front = tuple(x.shape[: len(x.shape) - self._step_rank + 1])
        y = reshape(x, (math.prod(front), *x.shape[len(front) :])) if len(front) > 1 else x
        y = fused_conv(
            y, kernel, bias, self.strides, self.padding, self.data_format, self.dilation_rate,
            "linear", type(self).__name__,
        )  # fmt: skip
        return reshape(y, (*front, *y.shape[1:])) if len(front) > 1 else y

    def _state_conv(self, h: Any, kernel: Any) -> Any:
        ones = (1,) * self.rank
        return fused_conv(
            h, kernel, None, ones, "same", self.data_format, ones, "linear", type(self).__name__
        )

    def _sums(self, x: Any, h: Any, training: bool) -> Any:
        """What each gate is the activation of."""
        masks = self._state_masks(h, training)
        if masks is None:
            return cut(e.add(x, self._state_conv(h, self.recurrent_kernel)), 4, self._channel_axis)
        kernels = self._once("kernels", lambda: cut(self.recurrent_kernel, 4))
        parts = zip(cut(x, 4, self._channel_axis), masks, kernels, strict=True)
        return [e.add(z, self._state_conv(e.multiply(h, m), k)) for z, m, k in parts]


def _masked(x: Any, mask: Any) -> Any:
    """`x` times a mask that all steps share."""
    return e.multiply(x, mask if len(x.shape) == len(mask.shape) else expand_dims(mask, 1))


_NAMES = (
    *("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate"),
    *("activation", "recurrent_activation", "use_bias", *WEIGHTS, "unit_forget_bias"),
    *("dropout", "recurrent_dropout", "seed"),
)


class ConvLSTM(OfCell):
    """What the layers of all ranks have in common."""

    rank: int
    _of_cell = _NAMES

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ):
        cell = ConvLSTMCell(
            self.rank, filters, kernel_size, strides, padding, data_format, dilation_rate,
            activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, unit_forget_bias, kernel_regularizer, recurrent_regularizer,
            bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, **for_cell(kwargs, "conv_lstm_cell"),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        batch, steps, *rest = sequences_shape
        state = self.cell.compute_output_shape((batch, *rest))[0]
        shape = (batch, steps, *state[1:]) if self.return_sequences else state
        return (shape, state, state) if self.return_state else shape


_ARGUMENTS = """
    Args:
        filters: Number of channels of the output.
        kernel_size: One number, or one for each axis; of both convolutions.
        strides, padding, data_format, dilation_rate: Of the convolution of the input; padding
            'valid' or 'same'. That of the state always keeps its size.
        activation: Name or function.
        recurrent_activation: Of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Starting values.
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer:
            Penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: Projections after each update.
        dropout, recurrent_dropout: Fractions of input and state dropped while training, the same
            ones at all steps of a sequence, others for each gate.
        seed: Seed of the dropout.
        return_sequences, return_state, go_backwards, stateful: See `RNN`.
"""


@register("layers")
class ConvLSTM1D(ConvLSTM):
    """Convolutional LSTM: (batch, time, columns, channels) to (batch, new columns, filters).

    The products of an LSTM's input and state with the kernels are convolutions (Shi et al. 2015).

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.ConvLSTM1D(4, 3)(np.ones((2, 3, 8, 1), "float32")).shape
    (2, 6, 4)
    """

    rank = 1


@register("layers")
class ConvLSTM2D(ConvLSTM):
    """Convolutional LSTM: (batch, time, rows, columns, channels) to (batch, ..., filters).

    The products of an LSTM's input and state with the kernels are convolutions (Shi et al. 2015).

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.ConvLSTM2D(4, 3)(np.ones((2, 3, 8, 8, 1), "float32")).shape
    (2, 6, 6, 4)
    """

    rank = 2


@register("layers")
class ConvLSTM3D(ConvLSTM):
    """Convolutional LSTM: (batch, time, depth, rows, columns, channels) to (..., filters).

    The products of an LSTM's input and state with the kernels are convolutions (Shi et al. 2015).

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.ConvLSTM3D(4, 3)(np.ones((2, 3, 4, 8, 8, 1), "float32")).shape
    (2, 2, 6, 6, 4)
    """

    rank = 3


def _document(cls: type) -> None:
    """The arguments, between what a class does and its example."""
    text, example = (cls.__doc__ or "").split("    Example:\n", 1)
    cls.__doc__ = text.rstrip() + "\n" + _ARGUMENTS + "\n    Example:\n" + example


for _kind in (ConvLSTM1D, ConvLSTM2D, ConvLSTM3D):
    _document(_kind)
