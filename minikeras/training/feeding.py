"""Feeding: rows of the data set into a step's buffers, and the step, in one native call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..core import tree
from ..data import ArrayData
from ..program import Program
from .steps import Step


class Feeder:
    """Runs a step on batches of an `ArrayData`.

    For each batch size that occurs one program is bound: kernels that gather the rows of the batch
    into the program's inputs, then the program's own. Between batches only a start index changes.

    Args:
        step: The step.
        data: The data set.
        data_of: Makes the step's arguments of (x, y, sample_weight).
    """

    def __init__(self, step: Step, data: ArrayData, data_of: Callable[..., tuple]):
        self._step, self._data, self._data_of = step, data, data_of
        self._bound: dict[int, _Bound | None] = {}

    def of(self, step: Step) -> Feeder:
        """A feeder of another step with the same data."""
        return Feeder(step, self._data, self._data_of)

    def run(self, place: tuple[int, int]) -> Any:
        """The step's results for the rows of this place; the next run overwrites them.

        Args:
            place: (start, stop) among the rows in the order of this epoch.
        """
        start, stop = place
        rows = stop - start
        bound = self._bound[rows] if rows in self._bound else self._bind(rows)
        if bound is None:
            return self._step.run_eagerly(*self._data_of(*self._data.batch(start, stop)))
        return bound.run(start)

    def _bind(self, rows: int) -> _Bound | None:
        example = self._data_of(
            *(
                _leading(nest, rows)
                for nest in (self._data.x, self._data.y, self._data.sample_weight)
            )
        )
        held = self._step.acquire(example)
        bound = None
        if held is not None:
            full = self._data_of(self._data.x, self._data.y, self._data.sample_weight)
            sources = [leaf for leaf in tree.flatten(tuple(full)) if leaf is not None]
            order = self._data.permutation if self._data.shuffle else None
            bound = _Bound(*held, sources, order)
        self._bound[rows] = bound
        return bound

    def close(self) -> None:
        """Give the programs back."""
        for bound in self._bound.values():
            if bound is not None:
                bound.release()
        self._bound.clear()


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
