"""Muon: momentum made orthogonal for matrices, AdamW for everything else."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels, ops
from ..autodiff.variable import Variable
from ..core.registry import register
from ..core.validate import boolean, non_negative, non_negative_int, number
from .flat import FlatGroup, tasks
from .kernel import ITERATIONS, RATE, KernelOptimizer


@register("optimizers")
class Muon(KernelOptimizer):
    """Steps along the orthogonal matrix nearest to the momentum (Jordan et al. 2024).

    Matrices: ``m = momentum * m + g; x = g + momentum * m``, or m without `nesterov`; x over its
    norm; `ns_steps` times ``s = x @ x.T; x = (a + b * s + c * s @ s) @ x`` (Newton-Schulz, which
    draws all singular values to about 1); ``w -= rate * rms_rate * sqrt(max(rows, columns)) * x``
    (the last factors: Liu et al. 2025). Other variables, and excluded ones, take AdamW's step.

    Args:
        adam_beta_1, adam_beta_2, epsilon: Adam's numbers.
        adam_weight_decay, weight_decay: Decay of the variables of AdamW, and of the matrices.
        exclude_layers: Regular expressions; matrices whose path contains one take AdamW's step. The
            output layer should.
        exclude_embeddings: Whether those with "embedding" in their path do.
        muon_a, muon_b, muon_c: The coefficients of the polynomial.
        adam_lr_ratio: Rate of AdamW's step over the learning rate.
        momentum: Decay of the momentum.
        ns_steps: Number of Newton-Schulz steps.
        nesterov: Whether to look ahead.
        rms_rate: Root mean square of a step at rate 1; None for steps not scaled by the shape.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name, **kwargs,
        )  # fmt: skip
        self.adam_beta_1 = non_negative(adam_beta_1, "adam_beta_1", "Muon")
        self.adam_beta_2 = non_negative(adam_beta_2, "adam_beta_2", "Muon")
        self.adam_weight_decay = (
            None
            if adam_weight_decay is None
            else number(adam_weight_decay, "adam_weight_decay", "Muon")
        )
        self.epsilon = non_negative(epsilon, "epsilon", "Muon")
        self.exclude_layers = _patterns(exclude_layers)
        self.exclude_embeddings = boolean(exclude_embeddings, "exclude_embeddings", "Muon")
        self.muon_a = number(muon_a, "muon_a", "Muon")
        self.muon_b = number(muon_b, "muon_b", "Muon")
        self.muon_c = number(muon_c, "muon_c", "Muon")
        self.adam_lr_ratio = number(adam_lr_ratio, "adam_lr_ratio", "Muon")
        self.momentum = non_negative(momentum, "momentum", "Muon")
        self.ns_steps = non_negative_int(ns_steps, "ns_steps", "Muon")
        self.nesterov = boolean(nesterov, "nesterov", "Muon")
        self.rms_rate = None if rms_rate is None else number(rms_rate, "rms_rate", "Muon")

    # --- state ---

    def _kind(self, variable: Variable) -> str:
        excluded = self.exclude_embeddings and "embedding" in variable.path.lower()
        excluded = excluded or any(re.search(p, variable.path) for p in self.exclude_layers)
        return "adam" if variable.ndim != 2 or excluded else "muon"

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        for method in ("lr_adjust", "zeropower_via_newtonschulz5"):
            if getattr(type(self), method) is not getattr(Muon, method):
                raise TypeError(
                    f"{type(self).__name__}.{method} would not be called, since Muon runs kernels. "
                    "Override update_step."
                )
        super().build(variables)
        self._adam_hyper = np.array(self._adam_numbers())
        self._adam_view: Any = self._adam_hyper.data

    def _slot_names(self) -> tuple[str, ...]:
        return "momentum", "velocity"

    def _make_slots(self) -> None:
        for group in self._groups:
            group.add_slot("momentum", lambda variable: 0.0)
            if self._kind(group.variables[0]) == "adam":
                group.add_slot("velocity", lambda variable: 0.0)

    def hyper(self) -> tuple[float, ...]:
        polynomial = self.muon_a, self.muon_b, self.muon_c
        decay = self.weight_decay or 0.0
        return (0.0, decay, 0.0, self.momentum, float(self.nesterov), *polynomial)

    def _adam_numbers(self) -> tuple[float, ...]:
        numbers = self.adam_beta_1, self.adam_beta_2, self.epsilon, self.adam_lr_ratio
        return (0.0, self.adam_weight_decay or 0.0, 0.0, *numbers)

    def _before_step(self, present: list[Variable]) -> None:
        self._adam_hyper[:] = self._adam_numbers()
        super()._before_step(present)

    def _prepare(self) -> None:
        super()._prepare()
        self._adam_view[ITERATIONS] = self._numbers[ITERATIONS]

    def _set_rate(self, rate: float) -> None:
        self._numbers[RATE] = self._adam_view[RATE] = rate

    # --- the step ---

    def launches(
        self, group: FlatGroup, variables: list[Variable], decays: Callable[[Variable], bool]
    ) -> list[Any]:
        if "velocity" in group.slots:
            segments, flat = group.segments(variables, decays), group.slots
            moments = flat["momentum"], flat["velocity"]
            return [
                kernels.launch(
                    "muon_adam", segments, group.gradient, *moments, self._adam_hyper,
                    tasks=group.tasks(),
                )
            ]  # fmt: skip
        room = _Room(group.variables)
        return [
            call
            for variable in variables
            if variable.size
            for call in self._matrix(variable, group, room, int(decays(variable)))
        ]

    def _matrix(self, variable: Variable, group: FlatGroup, room: _Room, decays: int) -> list[Any]:
        w, parts = variable._buffer.reshape(-1), tasks(variable.size)
        g = group.gradients[id(variable)]._buffer.reshape(-1)
        m = self._slot(variable, "momentum")._buffer.reshape(-1)
        sums = np.empty(-(-w.size // kernels.CHUNK))
        x, y = room.matrices(variable.shape)
        calls = [
            kernels.launch("muon_momentum", g, m, sums, self._hyper, tasks=parts),
            kernels.launch("muon_normalise", g, sums, x.reshape(-1), tasks=parts),
        ]
        for _ in range(self.ns_steps):
            calls += self._newton_schulz(x, y, room)
            x, y = y, x
        scale = self._scale(variable.shape)
        step = kernels.launch(
            "muon_step", w, x.reshape(-1), decays, scale, self._hyper, tasks=parts
        )
        return [*calls, step]

    def _newton_schulz(self, x: np.ndarray, y: np.ndarray, room: _Room) -> list[Any]:
        """Launches for y = the polynomial of x @ x.T (or of x.T @ x, if that is smaller) by x."""
        tall = x.shape[0] > x.shape[1]
        s, square, q = room.squares(min(x.shape))
        of_rows = kernels.launch("muon_polynomial", s, square, q, self._hyper, tasks=tasks(s.size))
        return [
            _product(x, x, s, transpose=(tall, not tall)),
            _product(s, s, square),
            of_rows,
            _product(x, q, y) if tall else _product(q, x, y),
        ]

    def _scale(self, shape: tuple[int, ...]) -> float:
        return 1.0 if self.rms_rate is None else math.sqrt(max(shape[:2])) * self.rms_rate

    # --- the same in `ops`, for rules that build on this one ---

    def transpose_last_axis(self, X: Any) -> Any:
        """The last two axes exchanged."""
        axes = list(range(len(X.shape)))
        axes[-2:] = axes[-1], axes[-2]
        return ops.transpose(X, axes)

    def lr_adjust(self, x: Any) -> Any:
        """A step scaled so that its root mean square is `rms_rate` whatever its shape."""
        return x * self._scale(x.shape)

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Nearly the orthogonal matrix nearest to x, by `steps` Newton-Schulz steps.

        Args:
            x: Shape (..., rows, columns).
        """
        if len(x.shape) < 2:
            raise ValueError(
                f"zeropower_via_newtonschulz5 needs at least two axes. Received: shape {x.shape}."
            )
        tall = x.shape[-2] > x.shape[-1]
        x = self.transpose_last_axis(x) if tall else x
        norm = ops.sqrt(ops.sum(ops.square(x), axis=(-2, -1), keepdims=True))
        x = x / (norm + 1e-7)
        for _ in range(steps):
            s = ops.matmul(x, self.transpose_last_axis(x))
            polynomial = self.muon_b * s + self.muon_c * ops.matmul(s, s)
            x = self.muon_a * x + ops.matmul(polynomial, x)
        return self.transpose_last_axis(x) if tall else x


class _Room:
    """Matrices to compute in, shared by all variables of a group, one after the other."""

    def __init__(self, variables: Sequence[Variable]):
        dtype = variables[0].dtype
        self._large = np.empty((2, max(v.size for v in variables)), dtype)
        side = max(min(v.shape) for v in variables)
        self._small = np.empty((3, side * side), dtype)

    def matrices(self, shape: tuple[int, ...]) -> list[np.ndarray]:
        return [buffer[: math.prod(shape)].reshape(shape) for buffer in self._large]

    def squares(self, side: int) -> list[np.ndarray]:
        return [buffer[: side * side].reshape(side, side) for buffer in self._small]


def _product(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, transpose: tuple[bool, bool] = (False, False)
) -> Any:
    """Launch of c = a @ b."""
    (m, n), k = c.shape, a.size // c.shape[0]
    parts = kernels.gemm_tasks(m, n, k, kernels.num_threads())
    no_bias = np.empty(0, c.dtype)
    return kernels.launch("gemm", a, b, no_bias, c, *map(int, transpose), 0, 0, tasks=parts)


def _patterns(exclude_layers: Any) -> list[str]:
    if exclude_layers is None:
        return []
    if isinstance(exclude_layers, str):
        raise ValueError(
            f"Muon: exclude_layers must be a list of patterns. Received: {exclude_layers!r}. "
            f"Write [{exclude_layers!r}]."
        )
    return list(exclude_layers)
