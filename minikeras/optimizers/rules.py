"""The optimizers: each is its numbers; the formulas are in `kernels.formulas`."""

from __future__ import annotations

import math
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
    """An optimizer whose rule is a kernel: one pass over all parameters."""

    @property
    def rule(self) -> str:
        """Name of the formula."""
        raise NotImplementedError

    def numbers(self, rate: float, step: int) -> Sequence[float]:
        """The numbers of the formula at step `step`, counted from 1."""
        raise NotImplementedError

    def _slot_names(self) -> tuple[str, ...]:
        return RULES[self.rule]

    def hyper(self, rate: float, step: int) -> Sequence[float]:
        return (rate * (self.weight_decay or 0.0), *self.numbers(rate, step))

    def launches(self, group: FlatGroup, hyper: np.ndarray, segments: np.ndarray) -> list[Any]:
        slots = group.slots.values()
        return [kernels.launch(self.rule, segments, group.gradient, *slots, hyper, tasks=group.tasks())]


def _old_name(learning_rate: Any, default: float, kwargs: dict[str, Any]) -> Any:
    """The learning rate, under its older name `lr` too."""
    if learning_rate is None and "lr" in kwargs:
        return kwargs.pop("lr")
    return default if learning_rate is None else learning_rate


@register("optimizers")
class SGD(KernelOptimizer):
    """Gradient descent: ``w -= rate * g``; with momentum ``m = momentum * m - rate * g; w += m``.

    Nesterov: ``w += momentum * m - rate * g`` (Sutskever et al. 2013).

    Args:
        learning_rate: Also under its older name `lr`.
        momentum: In [0, 1].
        nesterov: Whether to look ahead.
    """

    def __init__(
        self,
        learning_rate: Any = None,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            _old_name(learning_rate, 0.01, kwargs), weight_decay, clipnorm, clipvalue, global_clipnorm,
            use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        if not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must lie between 0 and 1. Received: momentum={momentum}.")
        self.momentum = float(momentum)
        self.nesterov = bool(nesterov)

    @property
    def rule(self) -> str:
        if self.momentum == 0:
            return "sgd"
        return "sgd_nesterov" if self.nesterov else "sgd_momentum"

    def numbers(self, rate: float, step: int) -> Sequence[float]:
        return (rate,) if self.momentum == 0 else (rate, self.momentum)


@register("optimizers")
class Adagrad(KernelOptimizer):
    """``a += g**2; w -= rate * g / sqrt(a + epsilon)`` (Duchi et al. 2011)."""

    def __init__(
        self,
        learning_rate: Any = None,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            _old_name(learning_rate, 0.001, kwargs), weight_decay, clipnorm, clipvalue, global_clipnorm,
            use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        start = non_negative(initial_accumulator_value, "initial_accumulator_value", "Adagrad")
        self.initial_accumulator_value = start
        self.epsilon = non_negative(epsilon, "epsilon", "Adagrad")

    @property
    def rule(self) -> str:
        return "adagrad"

    def _initial_slot(self, name: str) -> float:
        return self.initial_accumulator_value

    def numbers(self, rate: float, step: int) -> Sequence[float]:
        return (rate, self.epsilon)


@register("optimizers")
class RMSprop(KernelOptimizer):
    """``v = rho * v + (1 - rho) * g**2; w -= rate * g / sqrt(v + epsilon)`` (Tieleman & Hinton 2012).

    Args:
        rho: Decay of the mean square.
        momentum: Of the steps.
        centered: Divide by the standard deviation instead of the root mean square.
    """

    def __init__(
        self,
        learning_rate: Any = None,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            _old_name(learning_rate, 0.001, kwargs), weight_decay, clipnorm, clipvalue, global_clipnorm,
            use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
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

    def numbers(self, rate: float, step: int) -> Sequence[float]:
        first = (rate, self.rho, 1 - self.rho, self.epsilon)
        return (*first, self.momentum) if self.momentum > 0 else first


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
        learning_rate: Any = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            _old_name(learning_rate, 0.001, kwargs), weight_decay, clipnorm, clipvalue, global_clipnorm,
            use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
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

    def numbers(self, rate: float, step: int) -> Sequence[float]:
        rate *= math.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        return (rate, 1 - self.beta_1, 1 - self.beta_2, self.epsilon)


@register("optimizers")
class AdamW(Adam):
    """Adam with decoupled weight decay, 0.004 unless given (Loshchilov & Hutter 2019)."""

    def __init__(
        self,
        learning_rate: Any = None,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        if weight_decay is None:
            raise ValueError("AdamW needs a weight_decay. Received: None. Use Adam for none.")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue,
            global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
