"""The learning rate of an optimizer: a number kept in a Variable, a schedule, or a function."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.context import context
from ..autodiff.tape import unwrap
from ..autodiff.tensor import Tensor
from ..autodiff.variable import Variable
from ..core import settings
from ..core.validate import non_negative, number
from .recording import first
from .schedules import InverseTimeDecay, LearningRateSchedule


class LearningRate:
    """What an optimizer knows about its rate."""

    name: str
    _iterations: Variable
    _schedule: Any = None
    _rate: Variable | None = None

    def _set_learning_rate(self, value: Any) -> None:
        if _is_schedule(value):
            self._schedule, self._rate = value, None
            return
        rate = _checked_rate(value, type(self).__name__)
        self._schedule = None
        self._rate = Variable(rate, dtype=settings.floatx(), trainable=False, name="learning_rate")
        self._rate.path = f"{self.name}/learning_rate"

    @property
    def learning_rate(self) -> Any:
        """The rate: a Variable, or under a schedule the value for the current iteration."""
        if self._schedule is None:
            return self._rate
        if context.recorder is not None:
            return self._rate_tensor()
        return np.asarray(self._current_rate(), settings.floatx())

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if "_iterations" not in self.__dict__:  # the attribute of a subclass's constructor
            return
        if self._schedule is not None and not _is_schedule(value):
            raise TypeError(
                "The learning rate follows a schedule and cannot be set. Compile with a number as "
                "learning_rate to change it while training."
            )
        if _is_schedule(value) or self._rate is None:
            self._set_learning_rate(value)
        else:
            self._rate.assign(
                value if isinstance(value, Tensor) else _checked_rate(value, type(self).__name__)
            )

    @property
    def lr(self) -> Any:
        """The older name of `learning_rate`."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    @property
    def _learning_rate(self) -> Any:
        """What gives the rate: the schedule, or the Variable."""
        return self._rate if self._schedule is None else self._schedule

    def _current_rate(self) -> float:
        if self._rate is not None:
            return float(self._rate._buffer)
        if isinstance(self._schedule, LearningRateSchedule):
            return float(unwrap(self._schedule(int(self._iterations._buffer))))
        return float(unwrap(self._schedule()))

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

        first(prepare, [self._iterations])
        return self._scheduled.value


def with_decay(learning_rate: Any, decay: Any, owner: str) -> Any:
    """The schedule that `decay`, an argument of Keras 2, stands for."""
    if not decay:
        return learning_rate
    decay = non_negative(decay, "decay", owner)
    if _is_schedule(learning_rate):
        raise ValueError(
            f"{owner} takes `decay` or a schedule as learning_rate, not both. "
            f"Received: decay={decay}, learning_rate={learning_rate!r}."
        )
    return InverseTimeDecay(float(_plain(learning_rate)), decay_steps=1, decay_rate=decay)


def _is_schedule(value: Any) -> bool:
    return callable(value) and not isinstance(value, Variable | Tensor)


def _checked_rate(value: Any, owner: str) -> float:
    rate = number(_plain(value), "learning_rate", owner)
    if rate < 0:
        raise ValueError(f"learning_rate must not be negative. Received: {value}.")
    return rate


def _plain(value: Any) -> Any:
    if isinstance(value, Variable):
        return float(value._buffer)
    if isinstance(value, Tensor):
        return float(value.value)
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
