"""StackedRNNCells: cells one on top of the other, as one cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import tree
from ..core.registry import register
from ..core.serialize import deserialize
from .base import Layer
from .call_context import call_signature


def as_cell(cell: Any, owner: str) -> Any:
    """`cell`, if it is one.

    Raises:
        ValueError: It has no `call`, or does not say the size of its state.
    """
    if not hasattr(cell, "call"):
        raise ValueError(
            f"{owner} needs a cell: an object with `call(inputs, states)` and `state_size`. "
            f"Received: {cell!r}, which has no `call`."
        )
    if isinstance(cell, Layer) and hasattr(cell, "return_sequences"):
        raise ValueError(
            f"{owner} needs a cell. Received: {cell!r}, a layer. Its cell is "
            f"{type(cell).__name__}Cell."
        )
    size = getattr(cell, "state_size", None)
    if not isinstance(size, int | np.integer | list | tuple):
        what = "has no `state_size`" if size is None else f"has state_size={size!r}"
        raise ValueError(
            f"{owner} needs a cell whose `state_size` is a number, or a list of numbers. "
            f"Received: {cell!r}, which {what}."
        )
    return cell


@register("layers")
class StackedRNNCells(Layer):
    """Cells one on top of the other: the output of each is the input of the next.

    Args:
        cells: Cells, the lowest first.

    Raises:
        ValueError: No cells, or objects that are none.

    >>> import numpy as np, minikeras as keras
    >>> cells = [keras.layers.LSTMCell(4), keras.layers.GRUCell(3)]
    >>> keras.layers.RNN(keras.layers.StackedRNNCells(cells))(np.ones((2, 5, 1), "float32")).shape
    (2, 3)
    """

    def __init__(self, cells: Any, **kwargs: Any):
        super().__init__(**kwargs)
        owner = type(self).__name__
        if not isinstance(cells, list | tuple) or not cells:
            raise ValueError(f"{owner} needs a list of cells. Received: cells={cells!r}.")
        cells = [
            deserialize(cell, kind="layers") if isinstance(cell, dict) else cell for cell in cells
        ]
        self.cells = [as_cell(cell, owner) for cell in cells]

    @property
    def state_size(self) -> list[Any]:
        """The state size of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        return _size(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The states that each cell starts with."""
        return [
            cell.get_initial_state(batch_size=batch_size)
            if hasattr(cell, "get_initial_state")
            else tree.map_structure(
                lambda n: np.zeros((batch_size, n), self.compute_dtype), cell.state_size
            )
            for cell in self.cells
        ]

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape)
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell._build(shape)
            shape = (shape[0], _size(cell))

    def call(self, inputs: Any, states: Any, training: bool = False, **kwargs: Any) -> Any:
        if len(states) != len(self.cells):
            raise ValueError(
                f"'{self.name}' stacks {len(self.cells)} cells and needs the states of each. "
                f"Received: {len(states)} states."
            )
        after = []
        for cell, state in zip(self.cells, states, strict=True):
            inputs, new = self._called(cell, inputs, state, training, kwargs)
            after.append(new)
        return inputs, after

    def _called(self, cell: Any, inputs: Any, state: Any, training: bool, kwargs: dict) -> tuple:
        """Output and new state of one cell; a single state is handed over in a list."""
        takes = call_signature(type(cell).call if isinstance(cell, Layer) else cell.call)
        given = {**kwargs, "training": training} if takes.training else kwargs
        past = list(state) if tree.is_nested(state) else [state]
        function: Any = cell if callable(cell) else cell.call
        output, new = function(inputs, past, **given)
        leaves = list(new) if tree.is_nested(new) else [new]
        return output, leaves if tree.is_nested(state) else leaves[0]


def _size(cell: Any) -> Any:
    """Number of features of a cell's output."""
    if getattr(cell, "output_size", None) is not None:
        return cell.output_size
    size = cell.state_size
    return size[0] if isinstance(size, list | tuple) else size
