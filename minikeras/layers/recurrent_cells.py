"""Cells: what recurrent layers do at each step of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from .. import activations, constraints, initializers, regularizers
from ..core import tree
from ..core.registry import register
from ..core.validate import one_of, positive_int
from ..graph.symbol import Symbol
from ..ops import elementwise as e
from ..ops import recurrent
from ..ops.linalg import dense, matmul
from ..ops.shapes import concatenate, expand_dims, flip, getitem
from ..ops.time_steps import Run, cut, join, time_loop
from .base import Layer
from .core import FUSED
from .recurrent_dropout import DropoutMasks

_ROLES = ("initializer", "regularizer", "constraint")
_MODULES = (initializers, regularizers, constraints)


class Cell(DropoutMasks, Layer):
    """What the cells of this library have in common.

    ``call`` is `_inputs`, which needs nothing but the input and so is computed for all steps of a
    sequence at once, followed by `_step`.

    Attributes:
        gates: Number of blocks of `units` columns in the kernels.
    """

    gates = 1
    units: int
    use_bias: bool
    state_size: Any
    bias_initializer: Any

    def _set(
        self, units: int, use_bias: bool, weights: dict[str, tuple], rates: Sequence[float]
    ) -> None:
        """Keep the arguments; `weights` holds initializer, regularizer and constraint by name."""
        owner = type(self).__name__
        self.units = positive_int(units, "units", owner)
        self.use_bias = bool(use_bias)
        for weight, given in weights.items():
            for role, module, value in zip(_ROLES, _MODULES, given, strict=True):
                setattr(self, f"{weight}_{role}", cast(Any, module).get(value))
        self._set_dropout(*rates)
        self.output_size = self.units
        self.bias = None

    def build(self, input_shape: Any) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"{type(self).__name__} needs to know the number of features. "
                f"Received: input shape {tuple(input_shape)}."
            )
        width = self.gates * self.units
        self.kernel = self._weight("kernel", (features, width))
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units, width), "recurrent")
        if self.use_bias:
            self.bias = self._weight("bias", self._bias_shape(width), start=self._bias_start())

    def _weight(self, name: str, shape: tuple, prefix: str | None = None, start: Any = None) -> Any:
        prefix = name if prefix is None else prefix
        return self.add_weight(
            shape=shape,
            name=name,
            initializer=start or getattr(self, f"{prefix}_initializer"),
            regularizer=getattr(self, f"{prefix}_regularizer"),
            constraint=getattr(self, f"{prefix}_constraint"),
        )

    def _bias_shape(self, width: int) -> tuple:
        return (width,)

    def _bias_start(self) -> Any:
        """The initializer of the bias, where it is not `bias_initializer` itself."""
        return None

    def _input_bias(self) -> Any:
        """The part of the bias that is added to the product with the input."""
        return self.bias

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros for each state."""
        return [
            np.zeros((batch_size, n), self.compute_dtype) for n in tree.flatten(self.state_size)
        ]

    # --- computation ---

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        nested = tree.is_nested(states)
        given = list(states) if nested else [states]
        self._check(inputs, given)
        output, after = self._step(self._inputs(inputs, training), given, training)
        return output, after if nested else after[0]

    def _check(self, inputs: Any, states: list[Any]) -> None:
        """Raise a ValueError for what the products would not take, or would broadcast."""
        owner, sizes = f"'{self.name}' ({type(self).__name__})", tree.flatten(self.state_size)
        if len(inputs.shape) != 2 or inputs.shape[-1] != self.kernel.shape[0]:
            raise ValueError(
                f"Cell {owner} takes one step of shape (batch, {self.kernel.shape[0]}). "
                f"Received: {tuple(inputs.shape)}."
            )
        wanted = [(inputs.shape[0], n) for n in sizes]
        found = [tuple(state.shape) for state in states]
        if len(found) != len(wanted) or any(
            len(a) != 2 or a[1] != b[1] or (None not in (a[0], b[0]) and a[0] != b[0])
            for a, b in zip(found, wanted, strict=True)
        ):
            raise ValueError(
                f"Cell {owner} takes {len(wanted)} state(s) of shapes {wanted}. Received: {found}."
            )

    def _inputs(self, x: Any, training: bool) -> Any:
        """What the input adds to each gate; x (..., features) may be a step or a sequence."""
        bias = self._input_bias()
        masks = self._input_masks(x, training) if not isinstance(x, Symbol) else None
        if not isinstance(masks, list):
            return dense(_masked(x, masks), self.kernel, bias)
        biases = [None] * self.gates if bias is None else cut(bias, self.gates)
        kernels = cut(self.kernel, self.gates)
        return join(
            [dense(_masked(x, m), k, b) for m, k, b in zip(masks, kernels, biases, strict=True)]
        )

    def _step(self, x: Any, states: list[Any], training: bool) -> tuple[Any, list[Any]]:
        raise NotImplementedError

    def over_time(
        self,
        x: Any,
        states: list[Any],
        mask: Any,
        training: bool,
        go_backwards: bool,
        zero_output_for_mask: bool,
        every: bool,
        whole: Any = "auto",
    ) -> Run:
        """The cell over sequences (batch, time, features): see `ops.time_steps.time_loop`.

        Args:
            whole: Whether a kernel does all steps at once: 'auto': where there is one for this
                cell; True: or else an error is raised; False: it is not used.
        """
        with self._one_run():
            if whole:
                found = self._whole(x, states, mask, training, go_backwards)
                if found is not None:
                    return finished(*found, mask, go_backwards, zero_output_for_mask)
            if whole is True:
                raise ValueError(
                    f"There is no kernel that runs '{self.name}' over whole sequences with these "
                    "arguments (unusual activations, or a recurrent dropout). Received: "
                    "use_cudnn=True. Pass 'auto' to have it computed step by step."
                )
            return time_loop(
                lambda z, past: self._step(z, past, training),
                self._inputs(x, training),
                states,
                mask,
                go_backwards=go_backwards,
                zero_output_for_mask=zero_output_for_mask,
                every=every,
            )

    def _whole(
        self, x: Any, states: list[Any], mask: Any, training: bool, go_backwards: bool
    ) -> tuple[Any, list[Any]] | None:
        """Outputs and last states of whole sequences by one kernel; None where there is none."""
        return None

    def _may_be_whole(self, training: Any) -> bool:
        """Whether kernels know such a cell: dropout masks are the same for all gates."""
        apart = self.dropout_mask_count is not None and training
        drops = self.dropout or self.recurrent_dropout
        return self.units <= recurrent.MOST_UNITS and not (apart and drops)


def finished(outputs: Any, states: list[Any], mask: Any, backwards: bool, zero: bool) -> Run:
    """The run of a kernel that puts out the last state where the mask is False."""
    last = states[0]
    if zero and mask is not None:
        mask = flip(mask, 1) if backwards else mask
        outputs = e.where(expand_dims(mask, -1), outputs, 0.0)
        last = e.where(expand_dims(getitem(mask, (slice(None), -1)), -1), last, 0.0)
    return Run(last, outputs, states)


def _masked(x: Any, mask: Any) -> Any:
    """`x` times the dropout mask (batch, features), which all steps share."""
    if mask is None:
        return x
    return e.multiply(x, expand_dims(mask, 1) if len(x.shape) == 3 else mask)


@register("layers")
class SimpleRNNCell(Cell):
    """``h = activation(x W + h U + b)``: the cell of `SimpleRNN`.

    Args:
        units: Number of features of the output, which is the state.
        activation: Name or function.
        use_bias: Whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Starting values.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: Penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: Projections after each update.
        dropout, recurrent_dropout: Fractions of input and state dropped while training; the same
            ones at all steps of a sequence.
        seed: Seed of the dropout.

    >>> import numpy as np, minikeras as keras
    >>> cell = keras.layers.SimpleRNNCell(3)
    >>> output, states = cell(np.ones((2, 4), "float32"), [np.zeros((2, 3), "float32")])
    >>> output.shape, len(states)
    ((2, 3), 1)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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
        self.activation = activations.get(activation)
        weights = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "recurrent": (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        self._set(units, use_bias, weights, (dropout, recurrent_dropout, seed))
        self.state_size = self.units

    def _step(self, x: Any, states: list[Any], training: bool) -> tuple[Any, list[Any]]:
        h = _masked(states[0], self._state_masks(states[0], training))
        output = e.add(x, matmul(h, self.recurrent_kernel))
        output = output if self.activation is None else self.activation(output)
        return output, [output]

    def _whole(
        self, x: Any, states: list[Any], mask: Any, training: bool, go_backwards: bool
    ) -> tuple[Any, list[Any]] | None:
        activation = FUSED.get(self.activation)
        if activation is None or not self._may_be_whole(training):
            return None
        x, keep = _masked(x, self._input_masks(x, training)), self._state_masks(states[0], training)
        outputs, h = recurrent.simple_rnn(
            x, states[0], self.kernel, self.recurrent_kernel, self.bias, mask, keep,
            activation=activation, go_backwards=go_backwards,
        )  # fmt: skip
        return outputs, [h]


class _GatedCell(Cell):
    """A cell with gates: an activation for them, and one for the rest."""

    def _set_activations(self, activation: Any, recurrent_activation: Any) -> None:
        self.activation = activations.get(activation) or activations.linear
        self.recurrent_activation = activations.get(recurrent_activation) or activations.linear

    def _set_implementation(self, kwargs: dict[str, Any], recurrent_dropout: float) -> None:
        """Whether each gate has dropout masks of its own, as it has with a recurrent dropout."""
        given = kwargs.pop("implementation", 2)
        one_of(given, (0, 1, 2), "implementation", type(self).__name__)
        self.implementation = 1 if recurrent_dropout else given

    @property
    def dropout_mask_count(self) -> int | None:
        return self.gates if self.implementation == 1 else None

    def _may_be_whole(self, training: Any) -> bool:
        names = FUSED.get(self.activation), FUSED.get(self.recurrent_activation)
        return names == ("tanh", "sigmoid") and super()._may_be_whole(training)


class FourGates(_GatedCell):
    """The step of an LSTM, whatever the products in its sums are."""

    gates = 4
    unit_forget_bias: bool

    def _bias_start(self) -> Any:
        return forget_bias(self.bias_initializer) if self.unit_forget_bias else None

    def _step(self, x: Any, states: list[Any], training: bool) -> tuple[Any, list[Any]]:
        i, f, g, o = self._sums(x, states[0], training)
        gate, squash = self.recurrent_activation, self.activation
        c = e.add(e.multiply(gate(f), states[1]), e.multiply(gate(i), squash(g)))
        h = e.multiply(gate(o), squash(c))
        return h, [h, c]

    def _sums(self, x: Any, h: Any, training: bool) -> Sequence[Any]:
        """What each gate is the activation of."""
        raise NotImplementedError


_GATED = """
    Args:
        units: Number of features of the output.
        activation: Of what is stored: name or function.
        recurrent_activation: Of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Starting values.{own}
        kernel_regularizer, recurrent_regularizer, bias_regularizer: Penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: Projections after each update.
        dropout, recurrent_dropout: Fractions of input and state dropped while training, the same
            ones at all steps of a sequence. With a recurrent dropout each gate has its own.
        seed: Seed of the dropout.
"""


@register("layers")
class LSTMCell(FourGates):
    """The cell of `LSTM` (Hochreiter and Schmidhuber 1997; with a forget gate, Gers et al. 2000).

    With ``i, f, g, o`` the four blocks of ``x W + h U + b``, of which all but ``g`` pass through
    `recurrent_activation` and ``g`` through `activation`: ``c = f c + i g``,
    ``h = o activation(c)``.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> cell = keras.layers.LSTMCell(3)
    >>> output, (h, c) = cell(np.ones((2, 4), "float32"), cell.get_initial_state(2))
    >>> output.shape, bool((output == h).all())
    ((2, 3), True)
    """

    def __init__(
        self,
        units: int,
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
        self._set_implementation(kwargs, recurrent_dropout)
        super().__init__(**kwargs)
        self._set_activations(activation, recurrent_activation)
        weights = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "recurrent": (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        self._set(units, use_bias, weights, (dropout, recurrent_dropout, seed))
        self.unit_forget_bias = bool(unit_forget_bias)
        self.state_size = [self.units, self.units]

    def _whole(
        self, x: Any, states: list[Any], mask: Any, training: bool, go_backwards: bool
    ) -> tuple[Any, list[Any]] | None:
        if not self._may_be_whole(training):
            return None
        outputs, h, c = recurrent.lstm(
            _masked(x, self._input_masks(x, training)), *states, self.kernel,
            self.recurrent_kernel, self.bias, mask, go_backwards=go_backwards,
        )  # fmt: skip
        return outputs, [h, c]

    def _sums(self, x: Any, h: Any, training: bool) -> Sequence[Any]:
        """What each gate is the activation of."""
        masks = self._state_masks(h, training)
        if masks is None:
            return cut(e.add(x, matmul(h, self.recurrent_kernel)), 4)
        kernels = self._once("kernels", lambda: cut(self.recurrent_kernel, 4))
        parts = zip(cut(x, 4), masks, kernels, strict=True)
        return [e.add(z, matmul(e.multiply(h, m), k)) for z, m, k in parts]


def forget_bias(rest: Any) -> Any:
    """An initializer of biases of four gates: 1 for the second, the forget gate."""

    def start(shape: Any, dtype: Any = None) -> Any:
        units = shape[0] // 4
        ones = initializers.get("ones")((units,), dtype=dtype)
        parts = [rest((units,), dtype=dtype), ones, rest((2 * units,), dtype=dtype)]
        return concatenate(parts)

    return start


@register("layers")
class GRUCell(_GatedCell):
    """The cell of `GRU` (Cho et al. 2014).

    With the blocks ``z, r, n`` of the kernels and gates ``z, r`` behind `recurrent_activation`:
    ``n = activation(x W + r (h U + b))``, or with ``reset_after=False``
    ``n = activation(x W + (r h) U)``; ``h = z h + (1 - z) n``.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> cell = keras.layers.GRUCell(3)
    >>> cell(np.ones((2, 4), "float32"), np.zeros((2, 3), "float32"))[0].shape
    (2, 3)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: Any = None,
        **kwargs: Any,
    ):
        self._set_implementation(kwargs, recurrent_dropout)
        super().__init__(**kwargs)
        self._set_activations(activation, recurrent_activation)
        weights = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "recurrent": (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        self._set(units, use_bias, weights, (dropout, recurrent_dropout, seed))
        self.reset_after = bool(reset_after)
        self.state_size = self.units

    def _bias_shape(self, width: int) -> tuple:
        return (2, width) if self.reset_after else (width,)

    def _input_bias(self) -> Any:
        return self._bias_row(0) if self.reset_after else self.bias

    def _bias_row(self, row: int) -> Any:
        return None if self.bias is None else getitem(self.bias, row)

    def _inputs(self, x: Any, training: bool) -> Any:
        return cut(super()._inputs(x, training), 3)

    def _step(self, x: Any, states: list[Any], training: bool) -> tuple[Any, list[Any]]:
        h = states[0]
        masks = self._state_masks(h, training)
        sides = [h, h, h] if masks is None else [e.multiply(h, m) for m in masks]
        from_z, from_r, from_n = self._from_state(sides, masks is None)
        z = self.recurrent_activation(e.add(x[0], from_z))
        r = self.recurrent_activation(e.add(x[1], from_r))
        n = self.activation(e.add(x[2], from_n(r)))
        h = e.add(e.multiply(z, h), e.multiply(e.subtract(1.0, z), n))
        return h, [h]

    def _whole(
        self, x: Any, states: list[Any], mask: Any, training: bool, go_backwards: bool
    ) -> tuple[Any, list[Any]] | None:
        if not self._may_be_whole(training):
            return None
        outputs, h = recurrent.gru(
            _masked(x, self._input_masks(x, training)), states[0], self.kernel,
            self.recurrent_kernel, self.bias, mask,
            reset_after=self.reset_after, go_backwards=go_backwards,
        )  # fmt: skip
        return outputs, [h]

    def _from_state(self, sides: list[Any], same: bool) -> tuple[Any, Any, Any]:
        """What the state adds to z and r, and to n as a function of r."""
        kernels = self._once("kernels", lambda: cut(self.recurrent_kernel, 3))
        if not self.reset_after:
            if same:
                pair = self._once("pair", lambda: join(kernels[:2]))
                for_z, for_r = cut(matmul(sides[0], pair), 2)
            else:
                for_z, for_r = (matmul(h, k) for h, k in zip(sides, kernels[:2], strict=False))
            return for_z, for_r, lambda r: matmul(e.multiply(r, sides[2]), kernels[2])
        bias = self._once("bias", lambda: self._bias_row(1))
        if same:
            parts = cut(dense(sides[0], self.recurrent_kernel, bias), 3)
        else:
            biases = [None] * 3 if bias is None else self._once("biases", lambda: cut(bias, 3))
            parts = [dense(h, k, b) for h, k, b in zip(sides, kernels, biases, strict=True)]
        return parts[0], parts[1], lambda r: e.multiply(r, parts[2])


def _document(cls: type, own: str = "") -> None:
    """The arguments, between what a class does and its example."""
    text, example = (cls.__doc__ or "").split("    Example:\n", 1)
    cls.__doc__ = text.rstrip() + "\n" + _GATED.format(own=own) + "\n    Example:\n" + example


_document(LSTMCell, "\n        unit_forget_bias: Whether the bias of the forget gate starts at 1.")
_document(
    GRUCell, "\n        reset_after: Whether the reset gate acts on the product with the state."
)
