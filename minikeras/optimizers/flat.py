"""Flat storage: gradients and slots of all variables in one vector each.

Clipping and the update are then one pass, and one flat gradient is what data parallelism reduces.
The weights stay where they are; a table of segments tells the kernel their addresses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.context import context
from ..autodiff.variable import Variable
from ..core.memory import aligned_zeros
from .recording import place

SEGMENT_ALIGNMENT = 16  # elements: a segment begins at a cache line
NEAR_SHARE = 4  # slots of a table lie together while at most one in so many rows has been used


class Shown(Variable):
    """A Variable that shows part of a flat vector.

    Attributes:
        watcher: Told before others than the optimizer's kernels read it or write to it; None for
            nobody.
    """

    watcher: Any = None

    @property
    def _buffer(self) -> np.ndarray:  # type: ignore[override]
        if self.watcher is not None:
            self.watcher.bring_home(for_good=context.recorder is not None)
        return self._shown

    @_buffer.setter
    def _buffer(self, array: np.ndarray) -> None:
        self._shown = array

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shown.shape

    @property
    def dtype(self) -> str:
        return self._shown.dtype.name

    @property
    def ndim(self) -> int:
        return self._shown.ndim

    @property
    def size(self) -> int:
        return self._shown.size

    def __len__(self) -> int:
        return len(self._shown)

    def before_write(self) -> None:
        if self.watcher is not None:
            self.watcher.forget()
        super().before_write()

    def assign(self, value: Any) -> Variable:
        if self.watcher is not None and context.recorder is not None:
            self.watcher.always_whole = True  # it is written at every replay, without notice
        return super().assign(value)


class FlatGroup:
    """Variables of one dtype that are treated alike.

    Attributes:
        gradient: All gradients, one after the other.
        gradients: id of a variable to its gradient, a Variable that shows part of the flat vector.
        slots: Name to the flat vector of that slot.
        slots_of: id of a variable to its slots by name, Variables that show parts of flat vectors.
    """

    def __init__(self, variables: Sequence[Variable]):
        self.variables = list(variables)
        self.dtype = variables[0].dtype
        self.offsets: dict[int, int] = {}
        at = 0
        for variable in variables:
            self.offsets[id(variable)] = at
            at += -(-max(variable.size, 1) // SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT
        self.spare: dict[int, int] = {}  # where the near rows of a table lie, behind all slots
        self._slot_size = at
        for variable in variables:
            self.spare[id(variable)] = self._slot_size
            self._slot_size += most_near(variable) * variable.shape[-1] if variable.shape else 0
            self._slot_size += -self._slot_size % SEGMENT_ALIGNMENT
        self.gradient = aligned_zeros(at, self.dtype)
        self.gradients = {id(v): self._shown(v, "gradient", self.gradient) for v in variables}
        self.slots: dict[str, np.ndarray] = {}
        self.slots_of: dict[int, dict[str, Variable]] = {id(v): {} for v in variables}

    def part(self, variable: Variable, flat: np.ndarray) -> np.ndarray:
        """The numbers of a variable in a flat vector, in its shape."""
        start = self.offsets[id(variable)]
        return flat[start : start + variable.size].reshape(variable.shape)

    def _shown(self, variable: Variable, name: str, flat: np.ndarray) -> Variable:
        name = f"{variable.path}_{name}".replace("/", "_")
        shown = Shown(0.0, dtype=self.dtype, trainable=False, name=name)
        shown._buffer = self.part(variable, flat)
        return shown

    def add_slot(self, name: str, initial: Callable[[Variable], Any]) -> None:
        """A number kept for each weight, which starts as ``initial(variable)``."""
        flat = self.slots[name] = aligned_zeros(self._slot_size, self.dtype)
        for variable in self.variables:
            slot, value = self._shown(variable, name, flat), initial(variable)
            if np.ndim(value) or value != 0:  # zeros take no memory before they are written to
                slot._buffer[...] = value
            self.slots_of[id(variable)][name] = slot

    def slots_named(self, name: str) -> list[Variable]:
        return [self.slots_of[id(v)][name] for v in self.variables]

    def take(self, gradients: dict[int, Any]) -> None:
        """Bring the gradients of some variables into the flat vector."""
        for variable in self.variables:
            if id(variable) in gradients:
                place(gradients[id(variable)], self.gradients[id(variable)]._buffer)

    def clear(self, variables: Sequence[Variable]) -> None:
        """Set gradients to zero."""
        for variable in variables:
            self.gradients[id(variable)]._buffer.fill(0)

    def segments(
        self, variables: Sequence[Variable], decays: Callable[[Variable], bool]
    ) -> np.ndarray:
        """Rows (address of the weights, offset in the flat vectors, size, 1 if decayed)."""
        rows = [
            (
                v._buffer.__array_interface__["data"][0],
                self.offsets[id(v)],
                v.size,
                int(decays(v)),
            )
            for v in variables
        ]
        return np.array(rows, np.int64).reshape(-1, 4)

    def stretches(self, variables: Sequence[Variable]) -> list[slice]:
        """The parts of the flat vectors that hold these variables: all in one, if all are there."""
        if len(variables) == len(self.variables):
            return [slice(0, self.gradient.size)]
        starts = [(self.offsets[id(v)], v.size) for v in variables]
        return [slice(start, start + size) for start, size in starts]

    def sums(self, segments: np.ndarray, kinds: int = 1) -> np.ndarray:
        """Room for a sum of each chunk of each segment, see ``kernels/compiled/clip.py``."""
        return np.zeros(kinds * (self.gradient.size // kernels.CHUNK + len(segments) + 1))

    def tasks(self) -> int:
        """Parts of one pass over the flat vectors."""
        return tasks(self.gradient.size)


def most_near(variable: Variable) -> int:
    """Rows of a table whose slots may lie together, apart from those of the other rows."""
    is_table = variable.is_table and len(variable.shape) == 2
    return len(variable) // NEAR_SHARE if is_table else 0


def tasks(size: int) -> int:
    """Into how many parts a pass over that many numbers is split."""
    return max(1, min(size >> 14, 4 * kernels.num_threads()))


def divisor(value: float) -> tuple[float, float]:
    """What kernels divide by: the number, and its reciprocal if that is exact, else 0."""
    exact = math.frexp(value)[0] == 0.5  # a power of two
    return value, 1.0 / value if exact else 0.0
