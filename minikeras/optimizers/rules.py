"""The optimizers that are not kin to Adam; their formulas are in `kernels.formulas`."""

from __future__ import annotations

from typing import Any

from ..autodiff.variable import Variable
from ..core.registry import register
from ..core.validate import boolean, fraction, non_negative, number
from .kernel import KernelOptimizer


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
        self.momentum = fraction(momentum, "momentum", "SGD")
        self.nesterov = boolean(nesterov, "nesterov", "SGD")

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

    def _initial_slot(self, name: str, variable: Variable) -> float:
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
        self.rho = fraction(rho, "rho", "RMSprop")
        self.momentum = non_negative(momentum, "momentum", "RMSprop")
        self.epsilon = non_negative(epsilon, "epsilon", "RMSprop")
        self.centered = boolean(centered, "centered", "RMSprop")

    @property
    def rule(self) -> str:
        return "rmsprop" + "_centered" * self.centered + "_momentum" * (self.momentum > 0)

    def _ordered_slots(self) -> list[Variable]:
        """All velocities, then all of each further slot."""
        each = [self._rule_slots(v) for v in self._trainable_variables]
        return [slot for kind in zip(*each, strict=True) for slot in kind]


@register("optimizers")
class Adadelta(KernelOptimizer):
    """Adagrad with means instead of sums, and steps in the units of the weights (Zeiler 2012).

    ``a = rho * a + (1 - rho) * g**2; step = sqrt((d + epsilon) / (a + epsilon)) * g``;
    ``d = rho * d + (1 - rho) * step**2; w -= rate * step``. The paper's rate is 1.0.

    Args:
        rho: Decay of the means, in [0, 1].
        epsilon: Added to both means.
    """

    rule = "adadelta"  # type: ignore[assignment]

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.rho = fraction(rho, "rho", "Adadelta")
        self.epsilon = non_negative(epsilon, "epsilon", "Adadelta")


@register("optimizers")
class Lion(KernelOptimizer):
    """Steps of equal size in the sign of an interpolated momentum (Chen et al. 2023).

    ``w -= rate * sign(beta_1 * m + (1 - beta_1) * g); m = beta_2 * m + (1 - beta_2) * g``. Takes a
    rate 3 to 10 times smaller, and a weight decay as many times larger, than AdamW.

    Args:
        beta_1: Share of the momentum in the step, in (0, 1].
        beta_2: Decay of the momentum.
    """

    rule = "lion"  # type: ignore[assignment]

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **kwargs: Any
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = fraction(beta_1, "beta_1", "Lion")
        if self.beta_1 == 0:
            raise ValueError(
                "Lion: beta_1 must lie above 0, else only the sign of the gradient is left. "
                "Received: beta_1=0."
            )
        self.beta_2 = fraction(beta_2, "beta_2", "Lion")


@register("optimizers")
class Ftrl(KernelOptimizer):
    """Follow the regularized leader, for sparse linear models (McMahan et al. 2013).

    With p = -learning_rate_power:
    ``n = a + g**2; z += g + 2 * shrinkage * w - (n**p - a**p) / rate * w; a = n``;
    ``w = (clip(z, -l1, l1) - z) / (n**p / rate + 2 * l2 + beta / rate)``.

    Args:
        learning_rate_power: At most 0; -0.5 is the paper's, 0 gives a rate that does not fall.
        initial_accumulator_value: What a starts as.
        l1_regularization_strength, l2_regularization_strength: Of the penalties in the leader.
        l2_shrinkage_regularization_strength: Of a penalty on the weights as they are.
        beta: The paper's beta.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        if number(learning_rate_power, "learning_rate_power", "Ftrl") > 0:
            raise ValueError(
                "Ftrl: learning_rate_power must be at most 0. "
                f"Received: learning_rate_power={learning_rate_power}."
            )
        self.learning_rate_power = float(learning_rate_power)
        self.initial_accumulator_value = non_negative(
            initial_accumulator_value, "initial_accumulator_value", "Ftrl"
        )
        self.l1_regularization_strength = non_negative(
            l1_regularization_strength, "l1_regularization_strength", "Ftrl"
        )
        self.l2_regularization_strength = non_negative(
            l2_regularization_strength, "l2_regularization_strength", "Ftrl"
        )
        self.l2_shrinkage_regularization_strength = non_negative(
            l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength", "Ftrl"
        )
        self.beta = number(beta, "beta", "Ftrl")

    @property
    def rule(self) -> str:
        return "ftrl" if self.learning_rate_power == -0.5 else "ftrl_power"

    def hyper(self) -> tuple[float, ...]:
        power = () if self.rule == "ftrl" else (-self.learning_rate_power,)
        return (
            *(0.0, self.weight_decay or 0.0, 0.0),
            self.l1_regularization_strength,
            self.l2_regularization_strength,
            self.l2_shrinkage_regularization_strength,
            self.beta,
            *power,
        )

    def _initial_slot(self, name: str, variable: Variable) -> float:
        return self.initial_accumulator_value if name == "accumulator" else 0.0
