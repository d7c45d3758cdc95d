"""Loss scaling: losses multiplied, gradients divided, steps skipped whose gradients overflow."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels, ops
from ..autodiff.variable import Variable
from ..core.registry import register
from ..core.serialize import deserialize, serialize
from ..core.validate import number, positive_int, reject_unknown
from .base import Optimizer
from .flat import divisor
from .recording import choose, first, run
from .wrapping import WrappingOptimizer

INNER = tuple(  # what the base class takes and only the inner optimizer may set
    name
    for name in inspect.signature(Optimizer.__init__).parameters
    if name not in ("self", "learning_rate", "name", "unknown")
)


@register("optimizers")
class LossScaleOptimizer(WrappingOptimizer):
    """An optimizer around another one that finds the scale of the loss by itself.

    The loss is multiplied by a scale (`scale_loss`) and gradients are divided by it, so that small
    ones do not vanish in short number formats. A step whose gradients are not all finite is
    skipped and halves the scale; `dynamic_growth_steps` good ones in a row double it. Source:
    Micikevicius et al. 2018, section 3.2.

    Args:
        inner_optimizer: The optimizer that makes the steps.
        initial_scale: Where the scale starts; rather too high than too low.
        dynamic_growth_steps: Good steps after which the scale is doubled.
        name: Display name.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> v = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=4)
    >>> optimizer.apply([[np.inf]], [v])
    >>> v.numpy(), optimizer.dynamic_scale.numpy()
    (array([1.], dtype=float32), array(2., dtype=float32))
    >>> optimizer.apply([[2.0]], [v])
    >>> v.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ):
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer: dynamic=False is not supported. Give the inner optimizer a "
                "loss_scale_factor instead, and use it alone."
            )
        _refuse(kwargs)
        super().__init__(0.0, name=name)
        if not isinstance(inner_optimizer, Optimizer) or isinstance(
            inner_optimizer, LossScaleOptimizer
        ):
            raise ValueError(
                "LossScaleOptimizer: `inner_optimizer` must be an optimizer that does not find the "
                f"scale itself. Received: {inner_optimizer!r}."
            )
        if inner_optimizer.loss_scale_factor is not None:
            raise ValueError(
                "LossScaleOptimizer: the inner optimizer must not scale the loss, too. "
                f"Received: loss_scale_factor={inner_optimizer.loss_scale_factor}. Leave it out."
            )
        self.inner_optimizer = inner_optimizer
        self.initial_scale = number(initial_scale, "initial_scale", "LossScaleOptimizer")
        if self.initial_scale <= 0:
            raise ValueError(
                f"LossScaleOptimizer: initial_scale must be positive. Received: {initial_scale}."
            )
        self.dynamic_growth_steps = positive_int(
            dynamic_growth_steps, "dynamic_growth_steps", "LossScaleOptimizer"
        )
        self._make_state()

    def _make_state(self) -> None:
        self.step_counter = Variable(0, dtype="int32", trainable=False, name="step_counter")
        self.dynamic_scale = Variable(
            self.initial_scale, dtype="float32", trainable=False, name="dynamic_scale"
        )
        self._scale_now = np.ones(2)

    def _inner(self) -> list[Optimizer]:
        return [self.inner_optimizer] if "inner_optimizer" in self.__dict__ else []

    # --- state ---

    def build(self, variables: Sequence[Variable]) -> None:
        if not self.built:
            self.inner_optimizer.build(variables)
            self._trainable_variables = list(variables)
            self.built = True

    @property
    def variables(self) -> list[Variable]:
        """Iterations and rate (unused here), counter, scale, then the inner optimizer's."""
        own = super().variables
        return [*(own if self.built else own[:2]), *self.inner_optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def _learning_rate(self) -> Any:
        return self.inner_optimizer._learning_rate

    @property
    def iterations(self) -> Any:
        """The updates that the inner optimizer made: skipped steps do not count."""
        return self.inner_optimizer.iterations

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    # --- applying ---

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the scale of this moment."""
        return ops.multiply(loss, self.dynamic_scale)

    def check_finite(self, grads: Sequence[Any]) -> Any:
        """Whether all numbers of all gradients (None aside) are finite."""
        each = [ops.all(ops.isfinite(g)) for g in grads if g is not None]
        return ops.all(ops.stack(each)) if each else np.True_

    def _bring(self, pairs: dict[int, Any]) -> None:
        self.inner_optimizer.needs_whole_gradients = True
        self.inner_optimizer._bring(pairs)

    def _finish(self, present: list[Variable]) -> None:
        first(self._prepare_scale, [self.dynamic_scale])
        groups = self._all_groups()
        found = [np.zeros(-(-g.gradient.size // kernels.CHUNK), np.int64) for g in groups]
        calls = [
            kernels.launch(
                "unscale_and_check", group.gradient, self._scale_now, bad, tasks=group.tasks()
            )
            for group, bad in zip(groups, found, strict=True)
        ]
        run("unscale", calls, [v for group in groups for v in group.gradients.values()])
        choose(
            lambda: not any(bad.any() for bad in found),
            lambda: self._step(present),
            lambda: run("shrink", [self._shrink], [self.step_counter, self.dynamic_scale]),
        )

    def _step(self, present: list[Variable]) -> None:
        """The step of the inner optimizer, after which the scale may grow."""
        self.inner_optimizer._finish(present)
        run("grow", [self._grow], [self.step_counter, self.dynamic_scale])

    def _prepare_scale(self) -> None:
        self._scale_now[:] = divisor(float(self.dynamic_scale._buffer))

    def _grow(self) -> None:
        counter, scale = self.step_counter._buffer, self.dynamic_scale._buffer
        if counter == self.dynamic_growth_steps - 1:
            counter[...] = 0
            scale *= 2
        else:
            counter += 1

    def _shrink(self) -> None:
        self.step_counter._buffer[...] = 0
        self.dynamic_scale._buffer[...] *= 0.5

    # --- config ---

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inner_optimizer": serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        inner = deserialize(config["inner_optimizer"], custom_objects=custom_objects)
        return cls(**{**config, "inner_optimizer": inner})

    def _given(self) -> dict[str, Any]:
        return {**self.get_config(), "inner_optimizer": self.inner_optimizer}

    def __repr__(self) -> str:
        return f"<LossScaleOptimizer of {self.inner_optimizer!r}>"


def _refuse(kwargs: dict[str, Any]) -> None:
    """Arguments of the base class may come from old files, at their defaults only."""
    defaults = inspect.signature(Optimizer.__init__).parameters
    for name in INNER:
        if name in kwargs and kwargs.pop(name) != defaults[name].default:
            raise ValueError(
                f"LossScaleOptimizer does not take `{name}`. Give it to the inner optimizer."
            )
    known = ("inner_optimizer", "initial_scale", "dynamic_growth_steps", "name")
    reject_unknown(kwargs, known, "LossScaleOptimizer")
