"""A learning rate that is reduced when a number no longer improves."""

from typing import Any

import numpy as np

from ..core import validate
from ..core.catalog import register
from .callback import Logs
from .monitor import Monitor
from .output import say

__all__ = ["ReduceLROnPlateau"]

_ARGUMENTS = (
    *("monitor", "factor", "patience", "verbose", "mode", "min_delta", "cooldown", "min_lr"),
)


@register("callbacks")
class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by `factor` when the monitored number has stopped improving.

    Args:
        monitor: Name in the logs of an epoch. A name that does not occur is an error, raised before
            the first epoch.
        factor: What the rate is multiplied by, less than 1.
        patience: Epochs without improvement after which the rate is reduced.
        verbose: 1 prints each new rate.
        mode: "min", "max", or "auto" (by the name of the number).
        min_delta: A change must exceed this to count as an improvement. (That of `EarlyStopping` is
            0 by default, so it may see improvements where this callback sees none.)
        cooldown: Epochs after a reduction in which no epoch without improvement is counted.
        min_lr: The rate is never made smaller than this.

    The rate appears in the logs as "learning_rate"; those of the parts of a `MultiOptimizer`, which
    are all reduced, as "learning_rate_" and the name of the part. An optimizer whose rate is a
    schedule object is an error, raised before the first epoch. Decisions are those of Keras 3.15,
    except that a finite number beats a NaN of the first epoch.

    >>> plateau = ReduceLROnPlateau("val_loss", factor=0.5, patience=3, min_lr=1e-5)
    >>> plateau.in_cooldown()
    False
    """

    log_names = ("learning_rate",)
    learning_rate_use = "adjusts"
    state_names = ("best", "wait", "cooldown_counter", "_rising")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **unknown: Any,
    ):
        owner = "ReduceLROnPlateau"
        validate.reject_unknown(unknown, _ARGUMENTS, owner)
        super().__init__(monitor, mode, min_delta)
        self.factor = validate.non_negative(factor, "factor", owner)
        if self.factor >= 1:
            raise ValueError(f"{owner}: `factor` must be less than 1. Received: {factor!r}.")
        self.patience = validate.non_negative_int(patience, "patience", owner)
        self.verbose = verbose
        self.cooldown = validate.non_negative_int(cooldown, "cooldown", owner)
        self.min_lr = validate.non_negative(min_lr, "min_lr", owner)
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = {} if logs is None else logs
        for optimizer, suffix in self._optimizers():
            logs[f"learning_rate{suffix}"] = float(optimizer.learning_rate)
        value = self.get_monitor_value(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce_all(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether the last reduction is too recent for another one."""
        return self.cooldown_counter > 0

    def _optimizers(self) -> list[tuple[Any, str]]:
        """Whose rates are reduced, and what follows "learning_rate" in their names in the logs."""
        several = getattr(self.model.optimizer, "optimizers", None)
        if several is None:
            return [(self.model.optimizer, "")]
        return [(optimizer, f"_{optimizer.name}") for optimizer in several]

    def _reduce_all(self, epoch: int) -> bool:
        """Reduce the rates that are not at their limit; whether there were any."""
        return any([self._reduce(optimizer, epoch) for optimizer, _ in self._optimizers()])

    def _reduce(self, optimizer: Any, epoch: int) -> bool:
        rate = float(optimizer.learning_rate)
        if rate <= np.float32(self.min_lr):  # rates are kept in single precision
            return False
        optimizer.learning_rate = max(rate * self.factor, self.min_lr)
        if self.verbose:
            say(
                f"Epoch {epoch + 1}: no progress in {self.monitor}, the learning rate is reduced "
                f"to {float(optimizer.learning_rate):g}."
            )
        return True
