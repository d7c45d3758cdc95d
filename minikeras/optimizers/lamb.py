"""LAMB: Adam's steps, each variable's as long as its weights ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import kernels
from ..autodiff.variable import Variable
from ..core.registry import register
from ..core.validate import non_negative
from .flat import FlatGroup
from .kernel import KernelOptimizer


@register("optimizers")
class Lamb(KernelOptimizer):
    """Adam's step of each variable scaled to the norm of its weights (You et al. 2020).

    With Adam's m and v: ``u = m / (1 - beta_1**t) / (sqrt(v / (1 - beta_2**t)) + epsilon)``;
    ``w -= rate * norm(w) / norm(u) * u``, where the ratio is 1 if a norm is 0. For large batches.

    Args:
        beta_1, beta_2: Decay of the means.
        epsilon: Keeps the quotient finite.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = non_negative(beta_1, "beta_1", "Lamb")
        self.beta_2 = non_negative(beta_2, "beta_2", "Lamb")
        self.epsilon = non_negative(epsilon, "epsilon", "Lamb")

    def _slot_names(self) -> tuple[str, ...]:
        return "momentum", "velocity"

    def hyper(self) -> tuple[float, ...]:
        return (0.0, self.weight_decay or 0.0, 0.0, self.beta_1, self.beta_2, self.epsilon)

    def launches(
        self, group: FlatGroup, variables: list[Variable], decays: Callable[[Variable], bool]
    ) -> list[Any]:
        segments, tasks = group.segments(variables, decays), group.tasks()
        sums, flat = group.sums(segments, kinds=2), group.slots
        return [
            kernels.launch(
                "lamb_moments", segments, group.gradient, flat["momentum"], flat["velocity"], sums,
                self._hyper, tasks=tasks,
            ),
            kernels.launch("lamb_step", segments, group.gradient, sums, self._hyper, tasks=tasks),
        ]  # fmt: skip
