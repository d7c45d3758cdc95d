"""A learning rate that a function sets anew in each epoch."""

import inspect
import math
from collections.abc import Callable
from typing import Any

from ..core.catalog import register
from .callback import Callback, Logs
from .output import say

__all__ = ["LearningRateScheduler", "require_settable_rate"]


@register("callbacks")
class LearningRateScheduler(Callback):
    """Set the optimizer's learning rate at the start of each epoch.

    Args:
        schedule: Function of (epoch, learning rate), or of the epoch alone, that returns the new
            rate; epochs count from 0.
        verbose: 1 prints each new rate.

    The rate appears in the logs as "learning_rate". An optimizer whose rate is a schedule object is
    an error, raised before the first epoch.

    >>> halve = LearningRateScheduler(lambda epoch, lr: lr / 2)
    >>> at_ten = LearningRateScheduler(lambda epoch: 0.1 if epoch < 10 else 0.01)
    """

    log_names = ("learning_rate",)

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        if not callable(schedule):
            raise ValueError(
                "LearningRateScheduler: `schedule` must be a function of (epoch, learning rate) or "
                f"of the epoch. Received: {schedule!r}."
            )
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _accepts_two(schedule)
        self.learning_rate_use = "adjusts" if self._takes_rate else "overwrites"

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        known = (epoch, float(optimizer.learning_rate)) if self._takes_rate else (epoch,)
        rate = _read_rate(self.schedule(*known))
        optimizer.learning_rate = rate
        if self.verbose:
            say(f"Epoch {epoch + 1}: LearningRateScheduler sets the learning rate to {rate:g}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def require_settable_rate(optimizer: Any, owner: str) -> None:
    """Raise a ValueError when a callback cannot set this optimizer's learning rate."""
    if hasattr(optimizer, "optimizers"):
        raise ValueError(
            f"{owner} sets one rate, but {type(optimizer).__name__} has several, those of its "
            "`optimizers`. Set them in a callback of your own, or use ReduceLROnPlateau. "
            f"Received: {optimizer!r}."
        )
    if not hasattr(optimizer, "learning_rate"):
        raise ValueError(
            f"{owner} needs an optimizer with a `learning_rate`. Received: {optimizer!r}. "
            "Compile the model first."
        )
    for rate in (getattr(optimizer, "_learning_rate", None), optimizer.learning_rate):
        if callable(rate):
            raise ValueError(
                f"{owner} cannot set the learning rate of {type(optimizer).__name__}, which "
                f"follows a schedule. Received: learning_rate={type(rate).__name__}(...). "
                "Use one of the two: compile with a number, or drop the callback."
            )


def _accepts_two(schedule: Callable) -> bool:
    """Whether a function can be called with two positional arguments."""
    try:
        inspect.signature(schedule).bind(0, 0.1)
    except TypeError:
        return False
    except ValueError:  # no signature to read: compiled functions
        return True
    return True


def _read_rate(value: Any) -> float:
    try:
        rate = math.nan if isinstance(value, str | bool) else float(value)
    except (TypeError, ValueError):
        rate = math.nan
    if not 0 <= rate < math.inf:
        raise ValueError(
            "LearningRateScheduler: `schedule` must return a finite number of at least 0. "
            f"Received: {value!r}."
        )
    return rate
