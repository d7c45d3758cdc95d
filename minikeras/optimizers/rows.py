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
from .flat import FlatGroup, most_near

ROWS = 2  # flag of a segment of which the marked rows are updated
PIECE = 1 << 22  # numbers that are searched at once
TABLE = "table"  # kind of the variables of which a step may use few rows


class Table:
    """A variable of which a step may use few rows.

    While few rows have been used, their slots lie together ("near"), behind those of all rows
    ("home"), which are brought up to date before anyone looks at them. So a step touches few pages.

    Attributes:
        gradient: Its gradient, (rows, width); zeros where steps use few rows.
        marks: A byte per row, 1 where slots at home may be other than they were at first.
        places: Per row, where the step under way looked it up; zeros between steps.
        near: How many rows are near, as an array; -1 where all are at home.
        numbers, positions: Which rows these are; and for each row its place among them, from 1.
    """

    def __init__(
        self, variable: Variable, group: FlatGroup, initial: dict[str, float], forgets: bool
    ):
        self.variable, self.group = variable, group
        self.gradient = group.gradients[id(variable)]._buffer
        self.initial, self.forgets = initial, forgets
        rows = len(variable)
        self.marks = np.zeros(-(-rows // BLOCK_OF_ROWS) * BLOCK_OF_ROWS, np.uint8)
        self.places = np.zeros(rows, np.int32)
        self._moves = bool(initial) and not (forgets or any(initial.values()))
        self.near = np.full(1, -1, np.int64)
        self.numbers = np.zeros(most_near(variable) if self._moves else 0, np.int32)
        self.positions = np.zeros(rows if self._moves else 0, np.int32)
        self._most = 0  # rows that have been near
        self._ordered = 0  # near rows that lie in the order of the table
        self.always_whole = False
        self._known = True
        for name in initial:
            group.slots_of[id(variable)][name].watcher = self  # type: ignore[attr-defined]

    def forget(self) -> None:
        """Called where gradient or slots are written by others: `marks` have to be found anew."""
        self.bring_home()
        self._known = False

    def refresh(self, lookups: int) -> None:
        """Before a step that uses few rows: all that its kernels look at is right."""
        if not self._known:
            self._find()
        if self._moves:
            home = self.near[0] < 0
            used = np.count_nonzero(self.marks) if home else self.near[0]
            if used + lookups > self.numbers.size:
                self.bring_home(for_good=True)
            elif home:
                self._move_near()
            elif used - self._ordered > used // 16:
                self._order()

    def _find(self) -> None:
        """Make the gradient zero, and look for rows whose slots are other than at first."""
        for array in (self.gradient, self.marks, self.places):
            array.fill(0)
        rows, width = self.gradient.shape
        step = max(1, PIECE // width)
        for value, (home, _) in zip(self.initial.values(), self._slots(), strict=True):
            for start in range(0, rows, step):
                here = slice(start, min(rows, start + step))
                self.marks[here] |= (home[here] != value).any(axis=1)
        self._known = True

    def _slots(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of each slot all rows, and room for near ones."""
        width, begin = self.variable.shape[1], self.group.spare[id(self.variable)]
        flat = [self.group.slots[name] for name in self.initial]
        end = begin + self.numbers.size * width
        return [(self.group.part(self.variable, f), f[begin:end].reshape(-1, width)) for f in flat]

    def _move_near(self) -> None:
        rows = np.flatnonzero(self.marks)
        count = len(rows)
        self.numbers[:count] = rows
        self.positions.fill(0)
        self.positions[rows] = np.arange(1, count + 1)
        for home, near in self._slots():
            near[:count] = home[rows]
            near[count : self._most] = 0
        self.near[0] = self._ordered = count

    def _order(self) -> None:
        """Put near rows into the order of the table: their weights are then found faster."""
        count = self.near[0]
        order = np.argsort(self.numbers[:count])
        self.numbers[:count] = rows = self.numbers[:count][order]
        self.positions[rows] = np.arange(1, count + 1)
        for _, near in self._slots():
            near[:count] = near[:count][order]
        self._ordered = count

    def bring_home(self, for_good: bool = False) -> None:
        """Bring the slots of all rows up to date; for good where a recorded step looks at them."""
        self._moves = self._moves and not for_good
        count = self.near[0]
        if count < 0:
            return
        rows = self.numbers[:count]
        for home, near in self._slots():
            home[rows] = near[:count]
        self.marks[rows] = 1
        self._most = max(self._most, count)
        self.near[0] = -1

    def launches(self, rule: str, hyper: np.ndarray, ins: Sequence[np.ndarray]) -> list[Any]:
        """Launches that update the rows that may change, by the gradients of rows looked up.

        A row's gradient is summed where it is used: the gradient of the table is never touched.
        """
        values, index = ins
        start = self.group.segments([self.variable], lambda variable: False)[0]
        following = np.empty(index.size, np.int32)
        known = self.marks, self.places, following, self.near, self.numbers
        addresses = [_address(array) for array in known]
        segment = [*start[:3].tolist(), ROWS, self.variable.shape[1], *addresses]
        segments = np.array([[*segment, self.group.spare[id(self.variable)]]], np.int64)
        slots = [self.group.slots[name] for name in self.initial]
        tasks = min(self.group.tasks(), kernels.num_threads())
        known = self.places, self.marks, self.positions, self.numbers, self.near
        calls = [
            kernels.launch("chain_rows", index, following, *known),
            kernels.launch(rule, segments, values.reshape(-1), *slots, hyper, tasks=tasks),
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
