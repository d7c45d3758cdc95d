"""Tables of which a step uses few rows, as embeddings are: only rows that may change are updated.

A rule is at rest where gradient and slots are what they were at first, if it then leaves weight and
slots alone. Most rules are: so a row needs to be looked at only once a gradient has reached it. Its
results are those of an update of everything, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.context import context
from ..autodiff.variable import Variable
from ..kernels.formulas import BLOCK_OF_ROWS, Rule
from ..ops.embedding import gradient
from .flat import FlatGroup

ROWS = 2  # flag of a segment of which the marked rows are updated
PIECE = 1 << 22  # numbers that are searched at once
TABLE = "table"  # kind of the variables of which a step may use few rows


class Table:
    """A variable of which a step may use few rows.

    Attributes:
        gradient: Its gradient, (rows, width); zeros where steps use few rows.
        marks: A byte per row, 1 where slots may be other than they were at first.
        places: Per row, where the step under way looked it up; zeros between steps.
    """

    def __init__(
        self, variable: Variable, group: FlatGroup, initial: dict[str, float], forgets: bool
    ):
        self.variable, self.group = variable, group
        self.gradient = group.gradients[id(variable)]._buffer
        self.initial, self.forgets = initial, forgets
        padded = -(-len(variable) // BLOCK_OF_ROWS) * BLOCK_OF_ROWS
        self.marks = np.zeros(padded, np.uint8)
        self.places = np.zeros(len(variable), np.int32)
        self.always_whole = False
        self._known = True
        for slot in group.slots_of[id(variable)].values():
            slot.watcher = self  # type: ignore[attr-defined]

    def forget(self) -> None:
        """Called where gradient or slots are written by others: `marks` have to be found anew."""
        self._known = False

    def refresh(self) -> None:
        """Before a step that uses few rows: the gradient is zero, and `marks` are right."""
        if self._known:
            return
        for array in (self.gradient, self.marks, self.places):
            array.fill(0)
        rows, width = self.gradient.shape
        step = max(1, PIECE // width)
        slots = self.group.slots_of[id(self.variable)]
        for name, value in self.initial.items():
            buffer = slots[name]._buffer
            for start in range(0, rows, step):
                here = slice(start, min(rows, start + step))
                self.marks[here] |= (buffer[here] != value).any(axis=1)
        self._known = True

    def launches(self, rule: str, hyper: np.ndarray, ins: Sequence[np.ndarray]) -> list[Any]:
        """Launches that update the rows that may change, by the gradients of rows looked up.

        A row's gradient is summed where it is used: the gradient of the table is never touched.
        """
        values, index = ins
        start = self.group.segments([self.variable], lambda variable: False)[0]
        following = np.empty(index.size, np.int32)
        addresses = [_address(array) for array in (self.marks, self.places, following)]
        segment = [*start[:3].tolist(), ROWS, self.variable.shape[1], *addresses]
        slots = [self.group.slots[name] for name in self.initial]
        calls = [
            kernels.launch("chain_rows", index, following, self.places, self.marks),
            kernels.launch(
                rule,
                np.array([segment], np.int64),
                values.reshape(-1),
                *slots,
                hyper,
                tasks=min(self.group.tasks(), kernels.num_threads()),
            ),
        ]
        if self.forgets:
            calls.append(kernels.launch("mark_rows", index, 0, self.marks))
        return calls


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def looked_up(value: Any) -> tuple[Any, Any] | None:
    """(gradients of the rows, their numbers) of a gradient that consists of rows looked up.

    Only within a step that is being recorded: there the whole gradient is never computed, if
    nothing else asks for it.
    """
    recorder, slot = context.recorder, getattr(value, "slot", None)
    if recorder is None or recorder.outer is not None or slot is None:
        return None
    for instruction in reversed(recorder.instructions):
        if instruction.outs and instruction.outs[0] is slot:
            found = instruction.primitive is gradient and instruction.ins
            return tuple(found) if found else None
    return None


def fits(variable: Variable) -> bool:
    """Whether this is a table whose rows a kernel can sum, in a thread's scratch buffer."""
    is_table = variable.is_table and len(variable.shape) == 2
    return is_table and variable._buffer[:1].nbytes <= kernels.SCRATCH_BYTES


def rests(
    rule: Rule, numbers: Sequence[float], initial: Callable[[str], Any], dtype: str
) -> tuple[bool, bool]:
    """Whether a rule leaves a weight without gradient alone: with slots as at first; with any."""
    constants = [np.dtype(dtype).type(c) for c in rule.constants(0.125, 3.0, *numbers)]
    w = np.array([1.5, -0.75], dtype)
    result = []
    for change in (0.0, 0.25):
        slots = [np.full(2, initial(name) + change, dtype) for name in rule.slots]
        with np.errstate(all="ignore"):
            new = rule.step(w, np.zeros(2, dtype), *slots, *constants)
        same = zip(new, (w, *slots), strict=True)
        result.append(all(np.array_equal(a, b) for a, b in same))
    return result[0], all(result)
