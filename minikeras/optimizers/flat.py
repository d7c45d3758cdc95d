"""Flat storage: gradients and slots of all variables in one vector each.

Clipping and the update are then one pass, and one flat gradient is what data parallelism reduces.
The weights stay where they are; a table of segments tells the kernel their addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.context import context
from ..autodiff.variable import Variable

SEGMENT_ALIGNMENT = 16  # elements: a segment begins at a cache line


class FlatGroup:
    """Variables of one dtype.

    Attributes:
        gradient: All gradients, one after the other.
        slots: Name to the flat vector of that slot.
        slots_of: id of a variable to its slots, as Variables that show parts of the flat vectors.
    """

    def __init__(
        self,
        variables: Sequence[Variable],
        slot_names: Sequence[str],
        initial: Callable[[str], float],
    ):
        self.variables = list(variables)
        self.dtype = variables[0].dtype
        self.offsets: dict[int, int] = {}
        at = 0
        for variable in variables:
            self.offsets[id(variable)] = at
            at += -(-max(variable.size, 1) // SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT
        self.gradient = np.zeros(at, self.dtype)
        self.slots = {name: np.full(at, initial(name), self.dtype) for name in slot_names}
        self.slots_of = {
            id(v): {name: self._slot(v, name, flat) for name, flat in self.slots.items()}
            for v in variables
        }
        self.views = {id(v): self._part(v, self.gradient) for v in variables}
        self._hyper: np.ndarray | None = None
        self.factors = np.ones(max(len(variables), 1), self.dtype)

    def _part(self, variable: Variable, flat: np.ndarray) -> np.ndarray:
        start = self.offsets[id(variable)]
        return flat[start : start + variable.size].reshape(variable.shape)

    def _slot(self, variable: Variable, name: str, flat: np.ndarray) -> Variable:
        name = f"{variable.path}_{name}".replace("/", "_")
        slot = Variable(0.0, dtype=self.dtype, trainable=False, name=name)
        slot._buffer = self._part(variable, flat)
        return slot

    def hyper(self, values: Sequence[float]) -> np.ndarray:
        """The array of numbers that change from step to step."""
        if self._hyper is None:
            self._hyper = np.array(values, np.float64)
        return self._hyper

    def segments(
        self, variables: Sequence[Variable], decays: Callable[[Variable], bool]
    ) -> np.ndarray:
        """Rows (address of the weights, offset in the flat vectors, size, 1 if decayed)."""
        return np.array(
            [
                [
                    v._buffer.__array_interface__["data"][0],
                    self.offsets[id(v)],
                    v.size,
                    int(decays(v)),
                ]
                for v in variables
            ],
            np.int64,
        )

    def clip_calls(
        self, clipvalue: float | None, clipnorm: float | None, global_clipnorm: float | None
    ) -> list[Any]:
        """Launches that limit the flat gradient in place."""
        if clipvalue is not None:
            return [kernels.launch("clip_value", self.gradient, clipvalue, tasks=self.tasks())]
        if clipnorm is None and global_clipnorm is None:
            return []
        starts = [self.offsets[id(v)] for v in self.variables]
        offsets = np.array([*starts, self.gradient.size], np.int64)
        squares = np.empty(len(self.variables), self.dtype)
        norms = kernels.launch(
            "sum_squares", self.gradient, offsets, squares, tasks=min(len(squares), self.tasks())
        )
        if clipnorm is not None:
            scale = kernels.launch(
                "clip_norms", self.gradient, offsets, squares, clipnorm, tasks=self.tasks()
            )
        else:
            scale = kernels.launch(
                "clip_global_norm", self.gradient, squares, global_clipnorm, tasks=self.tasks()
            )
        return [norms, scale]

    def tasks(self) -> int:
        """Parts of one pass over the flat vectors."""
        return max(1, min(self.gradient.size >> 14, 4 * kernels.num_threads()))

    def write_and_run(
        self,
        variables: Sequence[Variable],
        gradients: dict[int, Any],
        prepare: Callable[[], None],
        calls: Sequence[Any],
        writes: Sequence[Variable],
    ) -> None:
        """Bring the gradients into the flat vector and run the calls: now, or when replayed."""
        absent = [v for v in self.variables if id(v) not in gradients]
        if absent:  # a gradient of an earlier step must not count in the norms of this one
            calls = [lambda: [self.views[id(v)].fill(0) for v in absent], *calls]
        recorder = context.recorder
        if recorder is not None:
            for variable in variables:
                recorder.pin(gradients[id(variable)], self.views[id(variable)])
            recorder.prologue.append(prepare)
            recorder.effect("optimizer_update", calls, writes)
            return
        for variable in variables:
            gradient = gradients[id(variable)]
            np.copyto(self.views[id(variable)], getattr(gradient, "value", gradient))
        for variable in writes:
            variable.before_write()
        prepare()
        kernels.run(calls)
