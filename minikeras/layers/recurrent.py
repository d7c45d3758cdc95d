"""RNN: a cell run over sequences."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np

from ..autodiff.context import context
from ..autodiff.spec import is_float
from ..autodiff.tensor import Tensor
from ..autodiff.variable import Variable
from ..core import tree
from ..core.registry import register
from ..core.serialize import deserialize
from ..core.validate import boolean
from ..graph.abstract import symbolic_call
from ..graph.symbol import FILLS, Symbol, is_symbolic
from ..ops.core import cast
from ..ops.shapes import flip
from ..ops.time_steps import Run, time_loop
from .base import Layer
from .call_context import call_signature
from .recurrent_cells import Cell
from .recurrent_dropout import DropoutMasks
from .recurrent_stack import StackedRNNCells, as_cell

_FLAGS = (
    *("return_sequences", "return_state", "go_backwards"),
    *("stateful", "unroll", "zero_output_for_mask"),
)


@register("layers")
class RNN(Layer):
    """A cell run over the steps of sequences (batch, time, ...).

    Args:
        cell: A cell of this library, a list of cells to be stacked, or an object of one's own with

            * ``call(inputs, states)``: output and new states for one step (a list of states, or a
              single one); given `training` if it takes that;
            * ``state_size``: number of features of the state, or a list of such numbers;
            * optionally ``output_size`` (the first state's size by default) and
              ``get_initial_state(batch_size)`` (zeros by default).
        return_sequences: Whether the outputs of all steps are given, not of the last alone.
        return_state: Whether the last states follow the output.
        go_backwards: Whether the last step comes first; outputs are in the order of computation.
        stateful: Whether a batch begins with the last states of the batch before (row by row), in
            place of zeros. No gradient flows from batch to batch. Needs a fixed batch size; see
            `reset_state`.
        unroll: Needs a known number of steps. Programs are always recorded step by step (or run by
            a kernel for whole sequences), so nothing else depends on it.
        zero_output_for_mask: Whether the output of masked steps is 0, not that of the step before.

    Call arguments:
        sequences: (batch, time, ...).
        initial_state: States to begin with: a list, or one if the cell has one.
        mask: (batch, time), False for steps to be passed over: states stay.

    Raises:
        ValueError: A cell without `call` or `state_size`; states or masks that do not fit.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> class Sum(keras.layers.Layer):
    ...     state_size = 2
    ...     def call(self, inputs, states):
    ...         total = states[0] + inputs
    ...         return total, [total]
    >>> x = np.ones((1, 3, 2), "float32")
    >>> keras.layers.RNN(Sum(), return_sequences=True)(x)[0].tolist()
    [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
    """

    _bookkeeping = frozenset({"states"})
    use_cudnn: Any = "auto"
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    unroll: bool
    zero_output_for_mask: bool

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ):
        if isinstance(cell, dict) and "class_name" in cell:
            cell = deserialize(cell, kind="layers")
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        super().__init__(**kwargs)
        self.cell = as_cell(cell, type(self).__name__)
        flags = (return_sequences, return_state, go_backwards, stateful, unroll)
        for name, value in zip(_FLAGS, (*flags, zero_output_for_mask), strict=True):
            setattr(self, name, boolean(value, name, type(self).__name__))
        self.supports_masking = True
        self.states: Any = None
        size = self.cell.state_size
        self.single_state = isinstance(size, int | np.integer)
        self.state_size: list[Any] = [int(size)] if self.single_state else list(size)

    # --- building ---

    def _maybe_build(self, args: tuple, kwargs: dict) -> None:
        args = (self._alone(args[0]), *args[1:]) if args else args
        if self.stateful and not self.built and args and hasattr(args[0], "shape"):
            self._build(tuple(args[0].shape))  # with the batch size, which states need
        super()._maybe_build(args, kwargs)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        cell, shape = self.cell, tuple(sequences_shape)
        if isinstance(cell, Layer) and not cell.built:
            cell._build((shape[0], *shape[2:]))
        if self.stateful:
            batch = shape[0]
            if batch is None or (batch in FILLS and context.tracing):
                raise ValueError(
                    f"'{self.name}' is stateful, so it needs a fixed batch size. "
                    f"Received: input shape {shape}. Start the model with "
                    f"Input(batch_shape=(batch, {', '.join(str(n) for n in shape[1:])}))."
                )
            zeros = self.get_initial_state(batch)
            self.states = tree.map_structure(
                lambda z: Variable(z, dtype=self.variable_dtype, trainable=False, name="rnn_state"),
                zeros,
            )

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states that a batch of sequences starts with: the cell's, zeros by default."""
        own = getattr(self.cell, "get_initial_state", None)
        if own is None:
            return [zero_states(size, batch_size, self.compute_dtype) for size in self.state_size]
        start = own(batch_size=batch_size)
        return list(start) if tree.is_nested(start) else [start]

    def reset_state(self) -> None:
        """Let the next batch begin as the first did: with zeros, or what the cell starts with."""
        if self.states is None:
            return
        own = tree.flatten(self.states)
        for state, start in zip(
            own, tree.flatten(self.get_initial_state(own[0].shape[0])), strict=True
        ):
            state.assign(start)

    def reset_states(self) -> None:
        """The same as `reset_state`."""
        self.reset_state()

    # --- shapes and masks ---

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        batch, length = sequences_shape[:2]
        output = output_size(self.cell)
        shape = (batch, length, output) if self.return_sequences else (batch, output)
        if not self.return_state:
            return shape
        return shape, *[_state_shape(size, batch) for size in self.state_size]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        mask = tree.flatten(previous_mask)[0] if self.return_sequences else None
        return [mask, *[None for _ in self.state_size]] if self.return_state else mask

    # --- computation ---

    def _alone(self, inputs: Any) -> Any:
        """The sequences without the states that may follow them in a list."""
        return inputs[0] if isinstance(inputs, list | tuple) and len(inputs) > 1 else inputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        first = args[0] if args else None
        if isinstance(first, list | tuple) and len(first) > 1 and hasattr(first[0], "shape"):
            if kwargs.get("initial_state") is not None or len(args) > 1:
                raise ValueError(
                    f"'{self.name}' was given states twice: in a list with the sequences, and as "
                    "initial_state. Pass them once, as initial_state."
                )
            args, kwargs = (first[0],), {**kwargs, "initial_state": list(first[1:])}
        return super().__call__(*args, **kwargs)

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        if is_symbolic((sequences, initial_state, mask)):
            self._check_length(sequences.shape[1])
            found = symbolic_call(self._computed_for, (sequences, initial_state, mask), {})
            self._clear_losses()
            return self._states_as_sized(found) if self.return_state else found
        self._check_length(sequences.shape[1])
        return self._computed_for(sequences, initial_state, mask, training)

    def _states_as_sized(self, found: tuple) -> tuple:
        """Output and states, those of a stack nested like `state_size`: a single one stands bare.

        Stacked cells hand a single state over in a list.
        """
        output, *states = found
        bare = [
            state[0] if isinstance(size, int | np.integer) and tree.is_nested(state) else state
            for size, state in zip(self.state_size, states, strict=True)
        ]
        return output, *bare

    def _check_length(self, length: int | None) -> None:
        if self.unroll and length is None:
            raise ValueError(
                f"'{self.name}' has unroll=True, which needs a known number of steps. Received: "
                "sequences of unknown length. Give the length to Input(shape=(steps, ...))."
            )
        if length == 0:
            raise ValueError(f"'{self.name}' needs at least one step. Received: sequences of 0.")

    def _computed_for(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False
    ) -> Any:
        if not is_float(_dtype(sequences)):
            sequences = cast(sequences, self.compute_dtype)
        states = self._start(sequences, initial_state)
        mask = self._checked_mask(sequences, mask)
        last, outputs, states = self.inner_loop(sequences, states, mask, training)
        if self.stateful:
            self._carry(states)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Run:
        """Last output, all outputs and last states for sequences that begin with given states."""
        return over_time(
            self.cell,
            sequences,
            list(initial_state) if tree.is_nested(initial_state) else [initial_state],
            mask,
            training,
            go_backwards=self.go_backwards,
            zero_output_for_mask=self.zero_output_for_mask,
            every=self.return_sequences,
            whole=self.use_cudnn,
        )

    # --- states ---

    def _start(self, sequences: Any, given: Any) -> list[Any]:
        """The states to begin with, in the cell's nest and dtype."""
        batch = sequences.shape[0]
        if self.stateful:
            self._check_batch(batch)
        if given is None:
            if not self.stateful:
                return self.get_initial_state(batch)
            return tree.map_structure(lambda state: state.value, self._own_states())
        zeros = self.get_initial_state(batch)
        leaves = tree.flatten(given)
        wanted = [tuple(z.shape) for z in tree.flatten(zeros)]
        found = [tuple(np.shape(s) if not hasattr(s, "shape") else s.shape) for s in leaves]
        if wanted != found:
            raise ValueError(
                f"'{self.name}' takes {len(wanted)} initial state{'s' * (len(wanted) != 1)} of "
                f"shape{'s' * (len(wanted) != 1)} {', '.join(map(str, wanted))} for a batch of "
                f"{batch}. Received: {len(found)} of {', '.join(map(str, found))}."
            )
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        return tree.pack_sequence_as(zeros, [_as_state(leaf, dtype) for leaf in leaves])

    def _check_batch(self, batch: int) -> None:
        expected = tree.flatten(self.states)[0].shape[0]
        if batch != expected:
            raise ValueError(
                f"'{self.name}' is stateful: it carries states for a batch of {expected}. "
                f"Received: a batch of {batch}. Use a batch size that divides the number of "
                "samples, or build the model for another batch size."
            )

    def _own_states(self) -> Any:
        """The variables that carry states; within a stateless call, private copies of them."""
        if context.scope is not None:
            for state in tree.flatten(self.states):
                context.scope.setdefault(id(state), state._buffer.copy())
        return self.states

    def _carry(self, states: Any) -> None:
        """Keep the last states for the next batch: as numbers, through which no gradient flows."""
        own = tree.flatten(self._own_states())
        for state, value in zip(own, tree.flatten(states), strict=True):
            state.assign(value)

    def _checked_mask(self, sequences: Any, mask: Any) -> Any:
        if mask is None:
            return None
        mask = tree.flatten(mask)[0]
        if mask is None:
            return None
        mask = mask if hasattr(mask, "shape") else np.asarray(mask)
        wanted = tuple(sequences.shape[:2])
        if tuple(mask.shape) != wanted:
            raise ValueError(
                f"'{self.name}' takes a mask of shape (batch, time), here {wanted}. "
                f"Received: {tuple(mask.shape)}."
            )
        return cast(mask, "bool")


def over_time(
    cell: Any, x: Any, states: list[Any], mask: Any, training: bool, whole: Any, **how: Any
) -> Run:
    """A cell run over sequences; `how` is told by `ops.time_steps.time_loop`.

    Cells of this library know how to do it, and a stack of cells is run one after the other, each
    over the whole sequence; a cell of the user's is called at each step.
    """
    if type(cell) is StackedRNNCells:
        return _stack_over_time(cell, x, states, mask, training, whole, **how)
    if isinstance(cell, Cell) and _is_untouched(type(cell)):
        return cell.over_time(x, states, mask, training, whole=whole, **how)
    return _loop(cell, x, states, mask, training, **how)


def _is_untouched(kind: type) -> bool:
    """Whether a class computes what the class of this library does that it stems from."""
    package = __name__.partition(".")[0]
    names = ("call", "_step", "_inputs", "over_time")
    found = (getattr(kind, name) for name in names)
    return all(f.__module__.partition(".")[0] == package for f in found)


def _loop(cell: Any, x: Any, states: list[Any], mask: Any, training: bool, **how: Any) -> Run:
    function: Any = cell if callable(cell) else cell.call
    takes = call_signature(type(cell).call if isinstance(cell, Layer) else cell.call)
    kwargs = {"training": training} if takes.training else {}

    def step(inputs: Any, past: Any) -> tuple[Any, Any]:
        output, after = function(inputs, past, **kwargs)
        return output, after if tree.is_nested(after) else [after]

    with ExitStack() as runs:
        for one in cells_in(cell):
            if isinstance(one, DropoutMasks):
                runs.enter_context(one._one_run())
        return time_loop(step, x, states, mask, **how)


def _stack_over_time(
    stack: StackedRNNCells, x: Any, states: list, mask: Any, training: bool, whole: Any, **how: Any
) -> Run:
    after, run = [], Run(None, x, states)
    for cell, state in zip(stack.cells, states, strict=True):
        nested = tree.is_nested(state)
        past = list(state) if nested else [state]
        options = how if cell is stack.cells[-1] else {**how, **_BELOW}
        run = over_time(cell, run.outputs, past, mask, training, whole, **options)
        after.append(run.states if nested else run.states[0])
        if how["go_backwards"]:  # what is above finds the steps in the order of computation
            how["go_backwards"], mask = False, None if mask is None else flip(mask, 1)
    return Run(run.last, run.outputs, after)


_BELOW = {"every": True, "zero_output_for_mask": False}


def cells_in(cell: Any) -> list[Any]:
    """The cells of a stack, and of stacks in it; else the cell itself."""
    if isinstance(cell, StackedRNNCells):
        return [inner for one in cell.cells for inner in cells_in(one)]
    return [cell]


def output_size(cell: Any) -> int:
    """Number of features of a cell's output: its `output_size`, or that of its first state."""
    found = getattr(cell, "output_size", None)
    if found is None:
        size = cell.state_size
        found = size[0] if isinstance(size, list | tuple) else size
    if not isinstance(found, int | np.integer):
        raise ValueError(
            f"The cell {type(cell).__name__} needs a number as `output_size`. Received: {found!r}."
        )
    return int(found)


def zero_states(size: Any, batch: int, dtype: str) -> Any:
    """Zeros for a state of this size, or a nest of them."""
    return tree.map_structure(lambda n: np.zeros((batch, n), dtype), size)


def _state_shape(size: Any, batch: int | None) -> Any:
    if isinstance(size, list | tuple):
        return [_state_shape(one, batch) for one in size]
    return (batch, size)


def _as_state(value: Any, dtype: str) -> Any:
    if isinstance(value, Tensor | Symbol):
        return cast(value, dtype)
    value = value.value if isinstance(value, Variable) else np.asarray(value)
    return cast(value, dtype)


def _dtype(value: Any) -> str:
    return value.dtype if isinstance(value.dtype, str) else value.dtype.name
