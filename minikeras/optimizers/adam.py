"""Adam and its kin; their formulas are in `kernels.formulas`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.variable import Variable
from ..core import settings
from ..core.registry import register
from ..core.validate import fraction, non_negative, non_negative_int
from ..kernels.formulas import COMMON, RULES
from .kernel import KernelOptimizer

PRODUCT = len(COMMON) + RULES["nadam"].numbers.index("product")


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
        self.beta_1 = fraction(beta_1, "beta_1", "Adam")
        self.beta_2 = fraction(beta_2, "beta_2", "Adam")
        self.epsilon = non_negative(epsilon, "epsilon", "Adam")
        self.amsgrad = bool(amsgrad)

    @property
    def rule(self) -> str:
        return "adam_amsgrad" if self.amsgrad else "adam"

    def _ordered_slots(self) -> list[Variable]:
        """Momentum and velocity of one variable after the other, then all velocity_hat."""
        each = [self._rule_slots(v) for v in self._trainable_variables]
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


@register("optimizers")
class Adamax(KernelOptimizer):
    """Adam with the largest gradient so far, fading, in place of the root mean square.

    ``m += (g - m) * (1 - beta_1); u = max(beta_2 * u, abs(g))``;
    ``w -= rate / (1 - beta_1**t) * m / (u + epsilon)``. Source: Kingma & Ba 2015, section 7.

    Args:
        beta_1, beta_2: Decay of the mean and of the largest gradient.
        epsilon: Keeps the quotient finite.
    """

    rule = "adamax"  # type: ignore[assignment]

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = fraction(beta_1, "beta_1", "Adamax")
        self.beta_2 = fraction(beta_2, "beta_2", "Adamax")
        self.epsilon = non_negative(epsilon, "epsilon", "Adamax")


@register("optimizers")
class Nadam(KernelOptimizer):
    """Adam with Nesterov's momentum, whose share grows with the steps (Dozat 2016).

    With u(t) = beta_1 * (1 - 0.96**t / 2), U = u(1) * ... * u(t), and m, v as in Adam:
    ``mean = u(t + 1) * m / (1 - U * u(t + 1)) + (1 - u(t)) * g / (1 - U)``;
    ``w -= rate * mean / (sqrt(v / (1 - beta_2**t)) + epsilon)``.

    Args:
        beta_1, beta_2: Decay of the means.
        epsilon: Keeps the quotient finite.
    """

    rule = "nadam"  # type: ignore[assignment]

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = fraction(beta_1, "beta_1", "Nadam")
        self.beta_2 = fraction(beta_2, "beta_2", "Nadam")
        self.epsilon = non_negative(epsilon, "epsilon", "Nadam")

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        dtype = variables[0].dtype if variables else settings.floatx()
        self._u_product = Variable(np.ones((), dtype), trainable=False, name="variable")
        self._product: Any = self._u_product._buffer.reshape(1).data

    def hyper(self) -> tuple[float, ...]:
        fixed = (self.beta_1, self.beta_2, self.epsilon)
        return (0.0, self.weight_decay or 0.0, 0.0, *fixed, 0.0)

    def _read(self) -> list[Variable]:
        return [*super()._read(), self._u_product]

    def _prepare(self) -> None:
        super()._prepare()
        self._u_product.before_write()
        self._product[0] *= self.beta_1 * (1.0 - 0.5 * 0.96 ** (self._steps_done() + 1))
        self._numbers[PRODUCT] = self._product[0]


@register("optimizers")
class ScheduleFreeAdamW(KernelOptimizer):
    """AdamW that needs no schedule, because it averages its weights as it goes.

    Gradients are taken at w = (1 - beta_1) * z + beta_1 * x, between the sequence z that moves and
    its mean x: ``v += (g**2 - v) * (1 - beta_2); z -= rate * g / (sqrt(v / (1 - beta_2**t)) +
    epsilon); x += (z - x) / t``. Source: Defazio et al. 2024. z is kept as `momentum`; x is not
    kept, since w and z determine it.

    Args:
        beta_1: How near to the mean gradients are taken, in (0, 1].
        beta_2: Decay of the mean square.
        epsilon: Keeps the quotient finite.
        warmup_steps: Updates during which the rate rises from 0.
    """

    rule = "schedule_free_adamw"  # type: ignore[assignment]

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = fraction(beta_1, "beta_1", "ScheduleFreeAdamW")
        if self.beta_1 == 0:
            raise ValueError(
                "ScheduleFreeAdamW: beta_1 must lie above 0, else the mean is lost. "
                "Received: beta_1=0."
            )
        self.beta_2 = fraction(beta_2, "beta_2", "ScheduleFreeAdamW")
        self.epsilon = non_negative(epsilon, "epsilon", "ScheduleFreeAdamW")
        self.warmup_steps = non_negative_int(warmup_steps, "warmup_steps", "ScheduleFreeAdamW")

    def _initial_slot(self, name: str, variable: Variable) -> Any:
        return variable._buffer if name == "momentum" else 0.0
