"""Optimizer: everything around an update rule, once for all rules."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from ..autodiff.context import context
from ..autodiff.tape import unwrap
from ..autodiff.tensor import Tensor
from ..autodiff.variable import Variable
from ..core import settings
from ..core.configurable import Configurable
from ..core.names import to_snake_case
from ..core.validate import number, reject_unknown
from ..core.versioned import Versioned
from ..kernels.formulas import COMMON
from .flat import FlatGroup
from .schedules import LearningRateSchedule


class Optimizer(Versioned, Configurable):
    """Base of all optimizers.

    A rule of your own overrides `update_step(gradient, variable, learning_rate)` with
    `minikeras.ops` and `variable.assign`; slots are made in `build` with
    `add_variable_from_reference`.

    Args:
        learning_rate: A number, a schedule, or a function without arguments (older name: `lr`).
        weight_decay: Decoupled decay: weights shrink by ``learning_rate * weight_decay`` first.
        clipnorm: Each gradient is scaled to at most this norm.
        clipvalue: Each gradient entry is limited to this absolute value.
        global_clipnorm: All gradients together are scaled to at most this norm.
        name: Display name.

    Example:

    >>> import minikeras as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.SGD(0.5).apply([[2.0]], [v])
    >>> v.numpy()
    array([0.], dtype=float32)
    """

    slots: tuple[str, ...] = ()
    _runtime = frozenset({"learning_rate", "iterations", "built"})

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
        reject_unknown(unknown, _arguments(type(self)), owner)
        self.name = to_snake_case(owner) if name is None else name
        self.weight_decay = (
            None if weight_decay is None else number(weight_decay, "weight_decay", owner)
        )
        self.clipnorm = _positive(clipnorm, "clipnorm", owner)
        self.clipvalue = _positive(clipvalue, "clipvalue", owner)
        self.global_clipnorm = _positive(global_clipnorm, "global_clipnorm", owner)
        if sum(v is not None for v in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                f"{owner} takes at most one of clipnorm, clipvalue and global_clipnorm. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}."
            )
        _refuse(owner, use_ema=use_ema, loss_scale_factor=loss_scale_factor,
                gradient_accumulation_steps=gradient_accumulation_steps)  # fmt: skip
        self.use_ema, self.ema_momentum = False, ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = self.gradient_accumulation_steps = None
        self.built = False
        self.iterations = Variable(0, dtype="int32", trainable=False, name="iteration")
        self._schedule: Any = None
        self._rate: Variable | None = None
        self._set_learning_rate(learning_rate)
        self._variables: list[Variable] = []  # the slots, in the order of Keras's files
        self._trainable: list[Variable] = []
        self._groups: list[FlatGroup] = []
        self._undecayed: tuple[set[int], tuple[str, ...]] = (set(), ())
        self.reduce: Any = None  # a function of the flat gradient, called before it is used

    # --- learning rate ---

    def _set_learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or (
            callable(value) and not isinstance(value, Variable)
        ):
            self._schedule, self._rate = value, None
            return
        rate = number(_plain(value), "learning_rate", type(self).__name__)
        if rate < 0:
            raise ValueError(f"learning_rate must not be negative. Received: {value}.")
        self._schedule = None
        self._rate = Variable(rate, dtype=settings.floatx(), trainable=False, name="learning_rate")

    @property
    def learning_rate(self) -> Any:
        """The rate: a Variable, or under a schedule the value for the current iteration."""
        if self._schedule is None:
            return self._rate
        return np.asarray(self._current_rate(), settings.floatx())

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if "_rate" not in self.__dict__:  # the attribute of a subclass's constructor
            return
        is_schedule = isinstance(value, LearningRateSchedule) or callable(value)
        if self._schedule is not None and not is_schedule:
            raise TypeError(
                "The learning rate follows a schedule and cannot be set. Compile with a number as "
                "learning_rate to change it while training."
            )
        if is_schedule or self._rate is None:
            self._set_learning_rate(value)
        else:
            self._rate.assign(float(_plain(value)))

    @property
    def _learning_rate(self) -> Any:
        """What gives the rate: the schedule, or the Variable."""
        return self._rate if self._schedule is None else self._schedule

    def _current_rate(self) -> float:
        if self._rate is not None:
            return float(self._rate._buffer)
        if isinstance(self._schedule, LearningRateSchedule):
            return float(unwrap(self._schedule(int(self.iterations._buffer))))
        return float(self._schedule())

    # --- building ---

    def build(self, variables: Sequence[Variable]) -> None:
        """Make slots and flat gradients for these variables."""
        self._trainable = list(variables)
        self._variables = []
        self._groups = []
        for dtype in dict.fromkeys(v.dtype for v in variables):
            members = [v for v in variables if v.dtype == dtype]
            self._groups.append(FlatGroup(members, self._slot_names(), self._initial_slot))
        self._variables = self._ordered_slots()
        self.built = True

    def _slot_names(self) -> tuple[str, ...]:
        return self.slots

    def _initial_slot(self, name: str) -> float:
        return 0.0

    def _ordered_slots(self) -> list[Variable]:
        """Slots in the order of Keras's files: all of one variable, then those of the next."""
        return [s for v in self._trainable for s in self._slots_of(v)]

    def _slots_of(self, variable: Variable) -> list[Variable]:
        for group in self._groups:
            if id(variable) in group.slots_of:
                return list(group.slots_of[id(variable)].values())
        return []

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A slot with the shape and dtype of a variable, for a rule of your own."""
        start = 1.0 if initializer == "ones" else 0.0
        array = np.full(reference_variable.shape, start, reference_variable.dtype)
        slot = Variable(array, trainable=False, name=f"{reference_variable.name}_{name or 'slot'}")
        self._variables.append(slot)
        return slot

    @property
    def variables(self) -> list[Variable]:
        """Iterations, learning rate (unless scheduled), then the slots."""
        head = [self.iterations] + ([] if self._rate is None else [self._rate])
        return [*head, *self._variables]

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Leave variables out of weight decay, by themselves or by parts of their names."""
        if self.built:
            raise ValueError(
                "exclude_from_weight_decay must be called before the optimizer is built."
            )
        self._undecayed = ({id(v) for v in var_list or ()}, tuple(var_names or ()))

    def decays(self, variable: Variable) -> bool:
        chosen, names = self._undecayed
        return id(variable) not in chosen and not any(n in variable.path for n in names)

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
        variables = list(self._trainable if trainable_variables is None else trainable_variables)
        grads = list(grads)
        if len(grads) != len(variables):
            raise ValueError(
                f"{type(self).__name__} needs one gradient per variable. Received: {len(grads)} "
                f"gradients for {len(variables)} variables."
            )
        if not self.built:
            self.build(variables)
        known = {id(v) for v in self._trainable}
        for variable in variables:
            if id(variable) not in known:
                raise ValueError(
                    f"The optimizer was built for other variables. Received: '{variable.path}'. "
                    "Compile the model again (or use a new optimizer) after changing what is "
                    "trainable."
                )
        if all(g is None for g in grads):
            raise ValueError(
                "No variable has a gradient: the loss does not depend on any of them. Variables: "
                f"{[v.path for v in variables]}."
            )
        pairs = {id(v): g for v, g in zip(variables, grads, strict=True) if g is not None}
        if type(self).update_step is not Optimizer.update_step:
            self._apply_own_rule(variables, pairs)
        else:
            for group in self._groups:
                self._apply_flat(group, pairs)
        self._constrain([v for v in variables if id(v) in pairs])
        self._count_step()

    def apply_gradients(self, grads_and_vars: Any) -> None:
        """The older form of `apply`, on pairs (gradient, variable)."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The rule for one variable, for optimizers written with `ops`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define update_step(gradient, variable, learning_rate)."
        )

    def launches(self, group: FlatGroup, hyper: np.ndarray, segments: np.ndarray) -> list[Any]:
        """Kernel launches that update a group."""
        raise NotImplementedError(f"{type(self).__name__} must define update_step or launches.")

    def hyper(self) -> Sequence[float]:
        """What the kernel reads: rate and iterations (written at each step), and fixed numbers."""
        raise NotImplementedError(f"{type(self).__name__} must define hyper along with launches.")

    def _apply_flat(self, group: FlatGroup, pairs: dict[int, Any]) -> None:
        present = [v for v in group.variables if id(v) in pairs]
        if not present:
            return
        for variable in present:
            _check_gradient(variable, pairs[id(variable)])
        segments = group.segments(present, self.decays)
        hyper = group.hyper(self.hyper())
        prepare = self._preparation(hyper)
        clipping = group.clip_calls(self.clipvalue, self.clipnorm, self.global_clipnorm)
        calls = [*clipping, *self.launches(group, hyper, segments)]
        if self.reduce is not None:
            calls.insert(0, lambda: self.reduce(group.gradient))
        writes = [*present, *[s for v in present for s in group.slots_of[id(v)].values()]]
        group.write_and_run(present, pairs, prepare, calls, writes)

    def _preparation(self, hyper: np.ndarray) -> Any:
        """The function that writes the coming step's numbers to where the kernel reads them."""
        # memoryviews: a numpy scalar assignment costs five times as much, on every step
        numbers: Any = hyper.data
        done = self.iterations._buffer.reshape(1).data
        rate = COMMON.index("learning_rate")
        iterations = COMMON.index("iterations")

        def prepare() -> None:
            numbers[rate] = self._current_rate()
            numbers[iterations] = done[0]

        return prepare

    def _apply_own_rule(self, variables: Sequence[Variable], pairs: dict[int, Any]) -> None:
        chosen = [v for v in variables if id(v) in pairs]
        grads = self._clipped([pairs[id(v)] for v in chosen])
        rate = self._rate_tensor()
        for gradient, variable in zip(grads, chosen, strict=True):
            if self.weight_decay and self.decays(variable):
                variable.assign(variable - variable * (rate * self.weight_decay))  # type: ignore[operator]
            self.update_step(gradient, variable, rate)

    def _rate_tensor(self) -> Any:
        """The rate of this step as a value of the recorded program."""
        if self._rate is not None:
            return self._rate.value
        if "_scheduled" not in self.__dict__:
            self._scheduled = Variable(
                0.0, dtype=settings.floatx(), trainable=False, name="scheduled_rate"
            )

        def prepare() -> None:
            self._scheduled._buffer[...] = self._current_rate()

        if context.recorder is not None:
            context.recorder.prologue.append(prepare)
        else:
            prepare()
        return self._scheduled.value

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipvalue is not None:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        if self.clipnorm is not None:
            return [_to_norm(g, ops.sqrt(ops.sum(ops.square(g))), self.clipnorm) for g in grads]
        if self.global_clipnorm is not None:
            total = sum((ops.sum(ops.square(g)) for g in grads[1:]), ops.sum(ops.square(grads[0])))
            return [_to_norm(g, ops.sqrt(total), self.global_clipnorm) for g in grads]
        return grads

    def _constrain(self, variables: Sequence[Variable]) -> None:
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))

    def _count_step(self) -> None:
        counter = self.iterations._buffer.reshape(1).data

        def count() -> None:
            counter[0] += 1

        if context.recorder is not None:
            context.recorder.epilogue.append(count)
        else:
            count()

    # --- config ---

    def _config_argument(self, name: str) -> Any:
        if name == "learning_rate":
            return self._schedule if self._schedule is not None else float(self._rate._buffer)  # type: ignore[union-attr]
        return getattr(self, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} learning_rate={self._current_rate():g}>"


def _default_rate(cls: type) -> Any:
    parameter = inspect.signature(cls).parameters.get("learning_rate")
    return None if parameter is None else parameter.default


def _to_norm(gradient: Any, norm: Any, limit: float) -> Any:
    return gradient * (limit / ops.maximum(norm, limit))


def _check_gradient(variable: Variable, gradient: Any) -> None:
    shape = tuple(np.shape(gradient)) if not hasattr(gradient, "shape") else tuple(gradient.shape)
    if shape != variable.shape:
        raise ValueError(
            f"The gradient of '{variable.path}' must have its shape {variable.shape}. "
            f"Received: {shape}."
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Variable):
        return float(value._buffer)
    if isinstance(value, Tensor):
        return float(value.value)
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _positive(value: Any, name: str, owner: str) -> float | None:
    if value is None:
        return None
    if number(value, name, owner) <= 0:
        raise ValueError(f"{owner}: {name} must be positive. Received: {value}.")
    return float(value)


def _refuse(owner: str, **arguments: Any) -> None:
    """Arguments of Keras that do not exist here yet."""
    for name, value in arguments.items():
        if value:
            raise ValueError(f"{owner}: {name} is not supported. Received: {name}={value}.")


def _arguments(cls: type) -> set[str]:
    return {
        name
        for base in cls.__mro__
        if "__init__" in base.__dict__ and base is not object
        for name in inspect.signature(base.__init__).parameters
    } - {"self", "kwargs", "unknown"}
