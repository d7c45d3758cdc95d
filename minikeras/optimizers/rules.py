"""The optimizers: each is its numbers; the formulas are in `kernels.formulas`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.variable import Variable
from ..core.registry import register
from ..core.validate import non_negative
from ..kernels.formulas import RULES
from .base import Optimizer
from .flat import FlatGroup


class KernelOptimizer(Optimizer):
    """An optimizer whose rule is a kernel: one pass over all parameters.

    The rule's numbers are the attributes of their names.
    """

    @property
    def rule(self) -> str:
        """Name of the formula in `kernels.formulas`."""
        raise NotImplementedError(f"{type(self).__name__} must name its rule.")

    def _slot_names(self) -> tuple[str, ...]:
        return RULES[self.rule].slots

    def hyper(self) -> Sequence[float]:
        numbers = [getattr(self, name) for name in RULES[self.rule].numbers]
        return (0.0, self.weight_decay or 0.0, 0.0, *numbers)

    def launches(self, group: FlatGroup, hyper: np.ndarray, segments: np.ndarray) -> list[Any]:
        slots = group.slots.values()
        return [
            kernels.launch(self.rule, segments, group.gradient, *slots, hyper, tasks=group.tasks())
        ]


@register("optimizers")
class SGD(KernelOptimizer):
    """Gradient descent: ``w -= rate * g``; with momentum ``m = momentum * m - rate * g; w += m``.

    Nesterov: ``w += momentum * m - rate * g`` (Sutskever et al. 2013).

    Args:
        momentum: In [0, 1].
        nesterov: Whether to look ahead.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError(
                f"SGD: momentum must lie between 0 and 1. Received: momentum={momentum}."
            )
        self.momentum = float(momentum)
        self.nesterov = bool(nesterov)

    @property
    def rule(self) -> str:
        if self.momentum == 0:
            return "sgd"
        return "sgd_nesterov" if self.nesterov else "sgd_momentum"


@register("optimizers")
class Adagrad(KernelOptimizer):
    """``a += g**2; w -= rate * g / sqrt(a + epsilon)`` (Duchi et al. 2011)."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        start = non_negative(initial_accumulator_value, "initial_accumulator_value", "Adagrad")
        self.initial_accumulator_value = start
        self.epsilon = non_negative(epsilon, "epsilon", "Adagrad")

    @property
    def rule(self) -> str:
        return "adagrad"

    def _initial_slot(self, name: str) -> float:
        return self.initial_accumulator_value


@register("optimizers")
class RMSprop(KernelOptimizer):
    """``v = rho * v + (1 - rho) * g**2; w -= rate * g / sqrt(v + epsilon)``.

    Source: Tieleman & Hinton 2012.

    Args:
        rho: Decay of the mean square.
        momentum: Of the steps.
        centered: Divide by the standard deviation instead of the root mean square.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.rho = non_negative(rho, "rho", "RMSprop")
        self.momentum = non_negative(momentum, "momentum", "RMSprop")
        self.epsilon = non_negative(epsilon, "epsilon", "RMSprop")
        self.centered = bool(centered)

    @property
    def rule(self) -> str:
        return "rmsprop" + "_centered" * self.centered + "_momentum" * (self.momentum > 0)

    def _ordered_slots(self) -> list[Variable]:
        """All velocities, then all of each further slot."""
        each = [self._slots_of(v) for v in self._trainable]
        return [slot for kind in zip(*each, strict=True) for slot in kind]


@register("optimizers")
class Adam(KernelOptimizer):
    """Steps of the mean gradient over the root mean square (Kingma & Ba 2015).

    ``m += (g - m) * (1 - beta_1); v += (g**2 - v) * (1 - beta_2)``;
    ``w -= rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)``.

    Args:
        beta_1, beta_2: Decay of the means.
        epsilon: The paper's "epsilon hat".
        amsgrad: Divide by the largest v so far (Reddi et al. 2018).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = non_negative(beta_1, "beta_1", "Adam")
        self.beta_2 = non_negative(beta_2, "beta_2", "Adam")
        self.epsilon = non_negative(epsilon, "epsilon", "Adam")
        self.amsgrad = bool(amsgrad)

    @property
    def rule(self) -> str:
        return "adam_amsgrad" if self.amsgrad else "adam"

    def _ordered_slots(self) -> list[Variable]:
        """Momentum and velocity of one variable after the other, then all velocity_hat."""
        each = [self._slots_of(v) for v in self._trainable]
        return [s for slots in each for s in slots[:2]] + [s for slots in each for s in slots[2:]]


@register("optimizers")
class AdamW(Adam):
    """Adam with decoupled weight decay, 0.004 unless given (Loshchilov & Hutter 2019)."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        if weight_decay is None:
            raise ValueError("AdamW needs a weight_decay. Received: None. Use Adam for none.")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs
        )
