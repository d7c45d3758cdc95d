"""Optimizer: everything around an update rule, once for all rules."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.variable import Variable
from ..core.configurable import Configurable
from ..core.names import to_snake_case
from ..core.registry import custom_object_scope
from ..core.validate import (
    boolean,
    fraction,
    integer,
    non_negative,
    number,
    positive_int,
    reject_unknown,
)
from ..core.versioned import Versioned
from . import clipping
from .averages import Averages
from .flat import FlatGroup, divisor
from .rate import LearningRate, with_decay
from .recording import choose, last, on_tensors, run, settle
from .state import State

KERAS_2_FREQUENCY = 100  # its default, which its files hold also where no average is kept


class Optimizer(LearningRate, Averages, State, Versioned, Configurable):
    """Base of all optimizers.

    A rule of your own overrides `update_step(gradient, variable, learning_rate)`, written with
    `minikeras.ops` and `assign`; slots are made in `build` with `add_optimizer_variables`.
    Clipping, weight decay, averages and accumulation come for free.

    Args:
        learning_rate: A number, a schedule, or a function without arguments (older name: `lr`).
        weight_decay: Decoupled decay: weights shrink by ``learning_rate * weight_decay`` first.
        clipnorm: Each gradient is scaled to at most this norm.
        clipvalue: Each gradient entry is limited to this absolute value.
        global_clipnorm: All gradients together are scaled to at most this norm.
        use_ema: Keep an average of the weights, which `fit` puts in their place when it ends.
        ema_momentum: The share of an average that stays at each step.
        ema_overwrite_frequency: Put the averages in the weights' place every so many updates, too.
        loss_scale_factor: The loss is multiplied by it (`scale_loss`), gradients are divided by it.
        gradient_accumulation_steps: Update only every so many steps, by the mean of the gradients.
            Schedules count steps, `iterations` counts updates.
        name: Display name.

    The `decay` of Keras 2 is taken as the schedule that it stands for, `InverseTimeDecay`.

    Example:

    >>> import minikeras as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.SGD(0.5).apply([[2.0]], [v])
    >>> v.numpy()
    array([0.], dtype=float32)
    """

    _runtime = frozenset({"learning_rate", "lr", "built"})

    def __init__(
        self,
        learning_rate: Any,
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
        **unknown: Any,
    ):
        owner = type(self).__name__
        if "lr" in unknown:  # its older name
            if learning_rate != _default_rate(type(self)):
                raise TypeError(f"{owner} takes `learning_rate` or its older name `lr`, not both.")
            learning_rate = unknown.pop("lr")
        learning_rate = with_decay(learning_rate, unknown.pop("decay", None), owner)
        reject_unknown(unknown, _arguments(type(self)), owner)
        self._own: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._model_variables_moving_average: list[Variable] = []
        self._accumulated_gradients: list[Variable] = []
        self._groups: list[FlatGroup] = []
        self._undecayed: tuple[tuple[Variable, ...], tuple[str, ...]] = ((), ())
        self._warned = False
        self.name = to_snake_case(owner) if name is None else name
        self.weight_decay = _optional_non_negative(weight_decay, "weight_decay", owner)
        self.clipnorm = _positive(clipnorm, "clipnorm", owner)
        self.clipvalue = _positive(clipvalue, "clipvalue", owner)
        self.global_clipnorm = _positive(global_clipnorm, "global_clipnorm", owner)
        if sum(v is not None for v in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                f"{owner} takes at most one of clipnorm, clipvalue and global_clipnorm. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}."
            )
        self._set_averaging(use_ema, ema_momentum, ema_overwrite_frequency)
        self.loss_scale_factor = _positive(loss_scale_factor, "loss_scale_factor", owner)
        self.gradient_accumulation_steps = _accumulation(gradient_accumulation_steps, owner)
        self.built = False
        self._iterations = Variable(0, dtype="int32", trainable=False, name="iteration")
        self._iterations.path = f"{self.name}/iteration"
        self._counter = self._iterations._buffer.reshape(1).data
        self._set_learning_rate(learning_rate)
        self.reduce: Any = None  # a function of the flat gradient, called before it is used

    def _set_averaging(self, use_ema: Any, momentum: Any, frequency: Any) -> None:
        owner = type(self).__name__
        self.use_ema = boolean(use_ema, "use_ema", owner)
        self.ema_momentum = fraction(momentum, "ema_momentum", owner)
        self.ema_overwrite_frequency = None
        if frequency is not None:
            frequency = positive_int(frequency, "ema_overwrite_frequency", owner)
            self.ema_overwrite_frequency = frequency
            if not self.use_ema and frequency != KERAS_2_FREQUENCY:
                warnings.warn(
                    f"{owner}: ema_overwrite_frequency={frequency} has no effect without "
                    "use_ema=True.",
                    stacklevel=4,
                )

    # --- counting ---

    @property
    def iterations(self) -> Any:
        """Updates made so far: a Variable, or a value derived from it where steps accumulate."""
        if self.gradient_accumulation_steps is None:
            return self._iterations
        return self._iterations // self.gradient_accumulation_steps  # type: ignore[operator]

    def _steps_done(self) -> int:
        return self._counter[0] // (self.gradient_accumulation_steps or 1)

    def _is_due(self) -> bool:
        """Whether the step under way is one that updates."""
        return (self._counter[0] + 1) % self.gradient_accumulation_steps == 0  # type: ignore[operator]

    def _count(self) -> None:
        self._counter[0] += 1

    # --- building ---

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the state for these variables: averages, accumulators, then what the rule keeps.

        An optimizer that is built already stays as it is.
        """
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._groups = [
            FlatGroup([v for v in variables if (v.dtype, self._kind(v)) == which])
            for which in dict.fromkeys((v.dtype, self._kind(v)) for v in variables)
        ]
        self._check_exclusions()
        if self.use_ema:
            self._add_averages()
            for average in self._model_variables_moving_average:
                self._keep(average)
        if self.gradient_accumulation_steps is not None:
            for group in self._groups:
                group.add_slot("gradient_accumulator", lambda variable: 0.0)
            self._accumulated_gradients = [
                self._slot(v, "gradient_accumulator") for v in self._trainable_variables
            ]
            for gradient in self._accumulated_gradients:
                self._keep(gradient)
        self.built = True

    def _kind(self, variable: Variable) -> str:
        """Variables of one kind lie together in flat vectors."""
        return ""

    def _group_of(self, variable: Variable) -> FlatGroup:
        return next(g for g in self._groups if id(variable) in g.offsets)

    def _slot(self, variable: Variable, name: str) -> Variable:
        return self._group_of(variable).slots_of[id(variable)][name]

    def _get_variable_index(self, variable: Variable) -> int:
        """The place of a variable among those that the optimizer was built for."""
        return next(k for k, v in enumerate(self._trainable_variables) if v is variable)

    # --- weight decay ---

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Leave variables out of weight decay, to be called before the optimizer is built.

        Args:
            var_list: The variables.
            var_names: Regular expressions; variables whose `name` ("bias", "gamma") contains one.

        Raises:
            ValueError: The optimizer is built.
        """
        if self.built:
            raise ValueError(
                "exclude_from_weight_decay must be called before the optimizer is built."
            )
        self._undecayed = (tuple(var_list or ()), tuple(var_names or ()))

    def _check_exclusions(self) -> None:
        """Nothing to leave out is most likely a slip of the name."""
        names = self._undecayed[1]
        if names and all(self.decays(v) for v in self._trainable_variables):
            known = sorted({v.name for v in self._trainable_variables})
            warnings.warn(
                f"exclude_from_weight_decay: no variable has a name with {' or '.join(names)} in "
                f"it, so all of them decay. Their names: {', '.join(known)}.",
                stacklevel=3,
            )

    def decays(self, variable: Variable) -> bool:
        """Whether weight decay applies to a variable."""
        chosen, names = self._undecayed
        listed = any(variable is v for v in chosen)
        return not listed and not any(re.search(n, variable.name) for n in names)

    # --- applying ---

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Update the variables by their gradients.

        Args:
            grads: One gradient per variable; None leaves a variable as it is.
            trainable_variables: The variables; those of the last build by default.

        Raises:
            ValueError: Variables that the optimizer was not built for, or wrong shapes.
        """
        pairs = self._checked(grads, trainable_variables)
        if pairs:
            self._bring(pairs)
            self._finish([v for v in self._trainable_variables if id(v) in pairs])

    def apply_gradients(self, grads_and_vars: Any) -> Variable:
        """The older form of `apply`, on pairs (gradient, variable); returns the iterations."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self._iterations

    def scale_loss(self, loss: Any) -> Any:
        """What to take the gradients of, so that `apply` can divide them by `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The rule for one variable, for optimizers written with `ops`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define update_step(gradient, variable, learning_rate)."
        )

    def _checked(self, grads: Sequence[Any], trainable_variables: Any) -> dict[int, Any]:
        """id of each variable that has a gradient to that gradient; builds on first use."""
        grads = list(grads)
        if not grads:
            return {}
        owner = type(self).__name__
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    f"{owner} was not built, so apply needs the variables, too: "
                    "optimizer.apply(gradients, variables)."
                )
            trainable_variables = self._trainable_variables
        variables = list(trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"{owner} needs one gradient per variable. Received: {len(grads)} gradients for "
                f"{len(variables)} variables."
            )
        if not self.built:  # a `build` of the user's own need not ask
            self.build(variables)
        known = {id(v) for v in self._trainable_variables}
        for variable, gradient in zip(variables, grads, strict=True):
            if id(variable) not in known:
                raise ValueError(
                    f"The optimizer was built for other variables. Received: '{variable.path}'. "
                    "Compile the model again (or use a new optimizer) after changing what is "
                    "trainable."
                )
            if gradient is not None:
                _check_gradient(variable, gradient)
        self._warn_of_missing(variables, grads)
        return {id(v): g for v, g in zip(variables, grads, strict=True) if g is not None}

    def _warn_of_missing(self, variables: list[Variable], grads: list[Any]) -> None:
        missing = [v.path for v, g in zip(variables, grads, strict=True) if g is None]
        if len(missing) == len(variables):
            raise ValueError(
                "No variable has a gradient: the loss does not depend on any of them. Variables: "
                f"{missing}. Between weights and loss there may be a function without a gradient "
                "(argmax, round, a comparison, stop_gradient), or one of numpy's, which gives "
                "constants."
            )
        if missing and not self._warned:
            self._warned = True
            warnings.warn(
                f"The loss does not depend on these variables, which therefore stay as they are: "
                f"{', '.join(missing)}.",
                stacklevel=4,
            )

    def _bring(self, pairs: dict[int, Any]) -> None:
        """Bring gradients into the flat vectors: reduced, and without the scale of the loss."""
        settle(self._count, self._iterations)
        for group in self._groups:
            calls: list[Any] = []
            absent = [v for v in group.variables if id(v) not in pairs]
            if absent:  # what an earlier step left there must not be reduced again and again
                calls.append(lambda group=group, absent=absent: group.clear(absent))
            if self.reduce is not None:
                calls.append(lambda group=group: self.reduce(group.gradient))
            if self.loss_scale_factor is not None:
                scale = np.array(divisor(self.loss_scale_factor))
                calls.append(kernels.launch("unscale", group.gradient, scale, tasks=group.tasks()))
            calls += self._take(group, pairs)
            run("gradients", calls, list(group.gradients.values()))

    def _take(self, group: FlatGroup, pairs: dict[int, Any]) -> list[Any]:
        """Bring gradients into one flat vector; calls that have to follow."""
        group.take(pairs)
        return []

    def _finish(self, present: list[Variable]) -> None:
        """Everything after the gradients are there: `present` are the variables that have one."""
        if self.gradient_accumulation_steps is None:
            self._update(present, [])
        else:
            choose(
                self._is_due,
                lambda: self._update(present, self._released(present)),
                lambda: self._accumulate(present),
            )
        if self.use_ema:
            self._average()
        with on_tensors():
            for variable in present:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable))
        last(self._count, self._iterations)

    def _all_groups(self) -> list[FlatGroup]:
        """All flat gradients, those of inner optimizers included."""
        return self._groups

    def _parts(self, present: list[Variable]) -> list[tuple[FlatGroup, list[Variable]]]:
        """The groups, each with those of its variables that have a gradient."""
        chosen = {id(v) for v in present}
        parts = [(g, [v for v in g.variables if id(v) in chosen]) for g in self._groups]
        return [(group, variables) for group, variables in parts if variables]

    def _accumulate(self, present: list[Variable]) -> None:
        calls = [
            kernels.launch("accumulate", group.gradient[at], total[at], tasks=group.tasks())
            for group, total, at in self._totals(present)
        ]
        run("accumulate", calls, self._accumulated_gradients)

    def _released(self, present: list[Variable]) -> list[Any]:
        """Launches that make the mean of all accumulated gradients of the one at hand."""
        steps = self.gradient_accumulation_steps
        return [
            kernels.launch("release", group.gradient[at], total[at], steps, tasks=group.tasks())
            for group, total, at in self._totals(present)
        ]

    def _totals(self, present: list[Variable]) -> list[tuple[FlatGroup, np.ndarray, slice]]:
        return [
            (group, group.slots["gradient_accumulator"], stretch)
            for group, variables in self._parts(present)
            for stretch in group.stretches(variables)
        ]

    def _clipped(self, present: list[Variable]) -> list[Any]:
        """Launches that limit the flat gradients in place."""
        parts = self._parts(present)
        if self.clipvalue is not None:
            return clipping.by_value(parts, self.clipvalue)
        if self.clipnorm is not None:
            return clipping.by_norm(parts, self.clipnorm)
        if self.global_clipnorm is not None:
            return clipping.by_global_norm(parts, self.global_clipnorm)
        return []

    def _update(self, present: list[Variable], calls: list[Any]) -> None:
        """Change the variables by the flat gradients, after `calls`."""
        gradients = [self._group_of(v).gradients[id(v)] for v in present]
        changed = [*gradients, *self._accumulated_gradients]
        run("gradients", [*calls, *self._clipped(present)], changed)
        self._before_step(present)
        with on_tensors():
            rate = self._rate_tensor()
            for gradient, variable in zip(gradients, present, strict=True):
                if self.weight_decay and self.decays(variable):
                    variable.assign(variable - variable * self.weight_decay * rate)  # type: ignore[operator]
                self.update_step(gradient.value, variable, rate)

    def _before_step(self, present: list[Variable]) -> None:
        """What happens once before `update_step` is called for each variable."""

    # --- config ---

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        """A new optimizer, without state, from what `get_config` returned."""
        with custom_object_scope(custom_objects or {}):
            return super().from_config(config)

    def _config_argument(self, name: str) -> Any:
        if name == "learning_rate":
            return self._schedule if self._schedule is not None else float(self._rate._buffer)  # type: ignore[union-attr]
        return getattr(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        """How copies and pickles are made: built anew for the copied variables."""
        variables = self._trainable_variables if self.built else None
        state = [v.numpy() for v in self.variables]
        return _remade, (type(self), self._given(), variables, state, self._undecayed)

    def _given(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {name: self._config_argument(name) for name in self.get_config()}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} learning_rate={self._current_rate():g}>"


def _remade(
    cls: type, given: dict[str, Any], variables: Any, state: list[Any], undecayed: Any
) -> Any:
    """A copy of an optimizer, from its parts."""
    optimizer = cls(**given)
    optimizer._undecayed = undecayed
    if variables is not None:
        optimizer.build(variables)
    for variable, value in zip(optimizer.variables, state, strict=True):
        variable.assign(value)
    return optimizer


def _default_rate(cls: type) -> Any:
    parameter = inspect.signature(cls).parameters.get("learning_rate")
    return None if parameter is None else parameter.default


def _check_gradient(variable: Variable, gradient: Any) -> None:
    shape = tuple(np.shape(gradient)) if not hasattr(gradient, "shape") else tuple(gradient.shape)
    if shape != variable.shape:
        raise ValueError(
            f"The gradient of '{variable.path}' must have its shape {variable.shape}. "
            f"Received: {shape}."
        )


def _optional_non_negative(value: Any, name: str, owner: str) -> float | None:
    return None if value is None else non_negative(value, name, owner)


def _positive(value: Any, name: str, owner: str) -> float | None:
    if value is None:
        return None
    if number(value, name, owner) <= 0:
        raise ValueError(f"{owner}: {name} must be positive. Received: {value}.")
    return float(value)


def _accumulation(steps: Any, owner: str) -> int | None:
    if steps is None:
        return None
    steps = integer(steps, "gradient_accumulation_steps", owner)
    if steps < 2:
        raise ValueError(
            f"{owner}: gradient_accumulation_steps must be at least 2, or None to update at every "
            f"step. Received: {steps}."
        )
    return steps


def _arguments(cls: type) -> set[str]:
    return {
        name
        for base in cls.__mro__
        if "__init__" in base.__dict__ and base is not object
        for name in inspect.signature(base.__init__).parameters
    } - {"self", "kwargs", "unknown", "args"}
