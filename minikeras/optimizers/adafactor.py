"""Adafactor: the mean squares of a matrix kept as one number per row and per column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.variable import Variable
from ..core.registry import register
from ..core.validate import boolean, non_negative, number
from .flat import FlatGroup, tasks
from .kernel import KernelOptimizer


@register("optimizers")
class Adafactor(KernelOptimizer):
    """Root-mean-square steps whose mean squares are factored (Shazeer & Stern 2018).

    With s = g**2 + epsilon_1 and kept = 1 - t**beta_2_decay, the last two axes of a variable have
    ``r = kept * r + (1 - kept) * mean(s, over columns)``, c likewise over rows, and
    ``v = outer(r / mean(r), c)``; a variable with fewer axes averages s itself. Then
    ``u = g / sqrt(v); u /= max(1, rms(u) / clip_threshold)``;
    ``w -= min(rate, 1 / sqrt(t)) * max(epsilon_2, rms(w)) * u``.

    Args:
        beta_2_decay: How fast the share of the past grows; -0.8 is the paper's.
        epsilon_1: Added to squared gradients.
        epsilon_2: The rate follows the size of the weights, down to this.
        clip_threshold: Largest root mean square of a step.
        relative_step: As in Keras it changes nothing: the rate never exceeds 1 / sqrt(t).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_2_decay = number(beta_2_decay, "beta_2_decay", "Adafactor")
        self.epsilon_1 = non_negative(epsilon_1, "epsilon_1", "Adafactor")
        self.epsilon_2 = non_negative(epsilon_2, "epsilon_2", "Adafactor")
        self.clip_threshold = number(clip_threshold, "clip_threshold", "Adafactor")
        if self.clip_threshold <= 0:
            raise ValueError(
                f"Adafactor: clip_threshold must be positive. Received: {clip_threshold}."
            )
        self.relative_step = boolean(relative_step, "relative_step", "Adafactor")

    def hyper(self) -> tuple[float, ...]:
        epsilons = self.epsilon_1, self.epsilon_2
        decay = self.weight_decay or 0.0
        return (0.0, decay, 0.0, self.beta_2_decay, *epsilons, self.clip_threshold)

    def _slot_names(self) -> tuple[str, ...]:
        return ("velocity",)

    def _make_slots(self) -> None:
        super()._make_slots()
        self._factors = {id(v): _factors(v) for v in self._trainable_variables}

    def _ordered_slots(self) -> list[Variable]:
        """Of each variable the factors of rows, of columns, and the velocity."""
        return [
            slot
            for v in self._trainable_variables
            for slot in (*self._factors[id(v)], self._slot(v, "velocity"))
        ]

    def launches(
        self, group: FlatGroup, variables: list[Variable], decays: Callable[[Variable], bool]
    ) -> list[Any]:
        calls: list[Any] = []
        for variable in variables:
            if variable.size:
                how = self._matrix if variable.ndim > 1 else self._vector
                calls += how(variable, group, int(decays(variable)))
        return calls

    def _matrix(self, variable: Variable, group: FlatGroup, decays: int) -> list[Any]:
        rows, columns = variable.shape[-2:]
        stack, parts = variable.size // (rows * columns), tasks(variable.size)
        w, g, v = (_flat(b).reshape(-1, columns) for b in self._buffers(variable, group))
        row, column = (f._buffer.reshape(stack, -1) for f in self._factors[id(variable)])
        blocks = stack * -(-rows // kernels.ROWS)
        partial, factors = np.empty((blocks, columns), w.dtype), np.empty((stack, rows), w.dtype)
        of_weights, of_steps = np.empty(blocks), np.empty(blocks)
        return [
            kernels.launch(
                "adafactor_squares", w, g, row, partial, of_weights, decays, self._hyper,
                tasks=parts,
            ),
            kernels.launch(
                "adafactor_factors", row, column, partial, factors, self._hyper,
                tasks=max(1, parts // 4),
            ),
            kernels.launch("adafactor_scale", g, factors, column, v, of_steps, tasks=parts),
            kernels.launch("adafactor_step", w, g, of_weights, of_steps, self._hyper, tasks=parts),
        ]  # fmt: skip

    def _vector(self, variable: Variable, group: FlatGroup, decays: int) -> list[Any]:
        w, g, v = (_flat(buffer) for buffer in self._buffers(variable, group))
        chunks, parts = -(-w.size // kernels.CHUNK), tasks(w.size)
        of_weights, of_steps = np.empty(chunks), np.empty(chunks)
        line, step = w.reshape(1, -1), g.reshape(1, -1)
        return [
            kernels.launch(
                "adafactor_vector", w, g, v, of_weights, of_steps, decays, self._hyper, tasks=parts
            ),
            kernels.launch(
                "adafactor_step", line, step, of_weights, of_steps, self._hyper, tasks=parts
            ),
        ]

    def _buffers(self, variable: Variable, group: FlatGroup) -> tuple[np.ndarray, ...]:
        gradient = group.gradients[id(variable)]._buffer
        return variable._buffer, gradient, self._slot(variable, "velocity")._buffer


def _flat(buffer: np.ndarray) -> np.ndarray:
    return buffer.reshape(-1)


def _factors(variable: Variable) -> tuple[Variable, Variable]:
    """Factors of rows and columns; as in Keras's files, two zeros where there are none."""
    shape, dtype = variable.shape, variable.dtype
    if len(shape) < 2:
        made = [np.zeros((), "int32") for _ in range(2)]
    else:
        made = [np.zeros(shape[:-1], dtype), np.zeros((*shape[:-2], shape[-1]), dtype)]
    row, column = (Variable(array, trainable=False, name=variable.name) for array in made)
    return row, column
