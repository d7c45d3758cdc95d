"""Feeding: batches into a step's buffers, and the step, in one native call."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from .. import kernels
from ..core import tree
from ..data import Place, Table
from ..program import Program
from .steps import Step

KEPT = 16  # kinds of batch for which a program is held


class Feeder(Protocol):
    """Runs a step on the batches of one kind of source."""

    def run(self, place: Any) -> Any:
        """The step's results for the batch at this place; the next run overwrites them."""

    def close(self) -> None:
        """Give the programs back."""


class RowFeeder:
    """Runs a step on rows of a table in memory.

    For each number of rows that occurs one program is bound: kernels that gather the rows of the
    batch into the program's inputs, then the program's own. Between batches only a start index
    changes.

    Args:
        step: The step.
        table: Holds the nests of arrays `x`, `y`, `sample_weight`; gives `batch(start, stop)`, and
            if `shuffle` the order of the rows as `permutation`.
        data_of: Makes the step's arguments of (x, y, sample_weight).
    """

    def __init__(self, step: Step, table: Any, data_of: Callable[..., tuple]):
        self._step, self._table, self._data_of = step, table, data_of
        self._bound: dict[int, _Bound | _BoundText | None] = {}

    def of(self, step: Step) -> RowFeeder:
        """A feeder of another step with the same data."""
        return RowFeeder(step, self._table, self._data_of)

    def run(self, place: tuple[int, int]) -> Any:
        """The step's results for the rows of this place; the next run overwrites them.

        Args:
            place: (start, stop) among the rows in their present order.
        """
        start, stop = place
        rows = stop - start
        bound = self._bound[rows] if rows in self._bound else self._bind(rows)
        if bound is None:
            return self._step.run_eagerly(*self._data_of(*self._table.batch(start, stop)))
        return bound.run(start)

    def _bind(self, rows: int) -> _Bound | _BoundText | None:
        table = self._table
        nests = (table.x, table.y, table.sample_weight)
        held = self._step.acquire(self._data_of(*(_leading(nest, rows) for nest in nests)))
        bound: _Bound | _BoundText | None = None
        if held is not None:
            sources = _leaves(self._data_of(*nests))
            order = table.permutation if table.shuffle else None
            text = any(source.dtype == object for source in sources)
            bound = (_BoundText if text else _Bound)(*held, sources, order)
        self._bound[rows] = bound
        return bound

    def close(self) -> None:
        """Give the programs back."""
        for bound in self._bound.values():
            if bound is not None:
                bound.release()
        self._bound.clear()


class WindowFeeder:
    """Runs a step on rows of windows, each of which is checked, and aligned, as a whole.

    Args:
        step: The step.
        prepare: Checks (x, y, sample_weight) and brings them to the form that the model takes.
        data_of: Makes the step's arguments of them.
    """

    def __init__(self, step: Step, prepare: Callable[..., tuple], data_of: Callable[..., tuple]):
        self._step, self._prepare, self._data_of = step, prepare, data_of
        self._window: Table | None = None
        self._rows: RowFeeder | None = None

    def run(self, place: Place) -> Any:
        """The step's results for these rows of a window; the next run overwrites them."""
        rows = self._rows
        if rows is None or place.window is not self._window:
            rows = self._enter(place.window)
        return rows.run((place.start, place.stop))

    def _enter(self, window: Table) -> RowFeeder:
        self.close()
        x, y, sample_weight = self._prepare(window.x, window.y, window.sample_weight)
        table = Table(x, y, sample_weight, window.permutation)
        self._window, self._rows = window, RowFeeder(self._step, table, self._data_of)
        return self._rows

    def close(self) -> None:
        """Give the programs back."""
        if self._rows is not None:
            self._rows.close()
        self._window = self._rows = None


class BatchFeeder:
    """Runs a step on batches as they come; each is checked, and aligned with the model.

    Args:
        step: The step.
        prepare: Checks (x, y, sample_weight) and brings them to the form that the model takes.
        data_of: Makes the step's arguments of them.
    """

    def __init__(self, step: Step, prepare: Callable[..., tuple], data_of: Callable[..., tuple]):
        self._step, self._prepare, self._data_of = step, prepare, data_of
        self._held: OrderedDict[Any, Any] = OrderedDict()  # the least used lately first

    def run(self, place: tuple[Any, Any, Any]) -> Any:
        """The step's results for this batch; the next run overwrites them.

        Args:
            place: (x, y, sample_weight) as they came.
        """
        data = self._data_of(*self._prepare(*place))
        held = self._program(data)
        if held is None:
            return self._step.run_eagerly(*data)
        program = held[0]
        for buffer, leaf in zip(program.inputs, _leaves(data), strict=True):
            np.copyto(buffer, leaf)
        program.run()
        return program.outputs

    def _program(self, data: tuple) -> tuple[Program, Callable[[], None]] | None:
        """The program for batches like this one, and how to give it back."""
        kind = repr(tree.map_structure(_spec, data))
        if kind in self._held:
            self._held.move_to_end(kind)
            return self._held[kind]
        if len(self._held) >= KEPT:
            _release(self._held.popitem(last=False)[1])
        held = self._held[kind] = self._step.acquire(data)
        return held

    def close(self) -> None:
        """Give the programs back."""
        for held in self._held.values():
            _release(held)
        self._held.clear()


class _Bound:
    """One program joined with the gathering of its inputs."""

    def __init__(
        self,
        program: Program,
        release: Callable[[], None],
        sources: Sequence[np.ndarray],
        order: np.ndarray | None,
    ):
        self.release = release
        self.outputs = program.outputs
        launches = [_feed(s, b, order) for s, b in zip(sources, program.inputs, strict=True)]
        self._native = kernels.Program([*launches, *program.calls])
        self._starts = [self._native.word(launch, "start") for launch in launches]
        self._before, self._after = program.prologue, program.epilogue

    def run(self, start: int) -> list[np.ndarray]:
        for word in self._starts:
            word[0] = start
        for function in self._before:
            function()
        self._native.run()
        for function in self._after:
            function()
        return self.outputs


class _BoundText:
    """One program whose inputs, text among them, are copied by Python."""

    def __init__(
        self,
        program: Program,
        release: Callable[[], None],
        sources: Sequence[np.ndarray],
        order: np.ndarray | None,
    ):
        self.release, self.outputs = release, program.outputs
        self._program, self._sources, self._order = program, sources, order

    def run(self, start: int) -> list[np.ndarray]:
        for buffer, source in zip(self._program.inputs, self._sources, strict=True):
            rows: Any = slice(start, start + len(buffer))
            np.copyto(buffer, source[rows if self._order is None else self._order[rows]])
        self._program.run()
        return self.outputs


def _feed(source: np.ndarray, buffer: np.ndarray, order: np.ndarray | None) -> kernels.Launch:
    """The launch that copies a batch of rows of `source` into `buffer`."""
    tasks = max(1, min(buffer.nbytes >> 16, 2 * kernels.num_threads()))
    rows, out = _bytes(source), _bytes(buffer)
    if order is None:
        return kernels.launch("copy_rows", rows, 0, out, tasks=tasks)
    return kernels.launch("gather_rows", rows, order, 0, out, tasks=tasks)


def _bytes(array: np.ndarray) -> np.ndarray:
    """The rows of an array as rows of bytes."""
    return array.reshape(len(array), -1).view(np.uint8)


def _leading(nest: Any, rows: int) -> Any:
    return tree.map_structure(lambda leaf: None if leaf is None else leaf[:rows], nest)


def _leaves(data: tuple) -> list[np.ndarray]:
    return [leaf for leaf in tree.flatten(tuple(data)) if leaf is not None]


def _spec(leaf: Any) -> Any:
    return None if leaf is None else f"{leaf.dtype.char}{leaf.shape}"


def _release(held: Any) -> None:
    if held is not None:
        held[1]()
