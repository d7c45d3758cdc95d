"""Stopping when a number no longer improves."""

from typing import Any

from ..core import validate
from ..core.catalog import register
from .callback import Logs
from .monitor import Monitor
from .output import say

__all__ = ["EarlyStopping"]


@register("callbacks")
class EarlyStopping(Monitor):
    """Stop training when the monitored number has not improved for `patience` epochs.

    Args:
        monitor: Name in the logs of an epoch. A name that does not occur is an error, raised before
            the first epoch.
        min_delta: A change must exceed this to count as an improvement.
        patience: Epochs without improvement after which training stops.
        verbose: 1 tells when training stops and which weights are restored.
        mode: "min", "max", or "auto" (by the name of the number).
        baseline: The number must become better than this within `patience` epochs.
        restore_best_weights: Give the model the weights of the best epoch when training ends, in
            whatever way it ends: stopped here or elsewhere, interrupted, or all epochs run.
        start_from_epoch: Epochs before this one (counted from 0) are not judged.

    NaN never counts as an improvement. Decisions are those of Keras 3.15, except that a finite
    number beats a NaN of the first epoch.

    >>> stopper = EarlyStopping("loss", patience=2, restore_best_weights=True)
    >>> stopper.patience
    2
    """

    state_names = (*("best", "wait", "stopped_epoch", "best_epoch", "best_weights", "_rising"),)

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta)
        owner = "EarlyStopping"
        self.patience = validate.non_negative_int(patience, "patience", owner)
        self.verbose = verbose
        self.baseline = None if baseline is None else validate.number(baseline, "baseline", owner)
        self.restore_best_weights = validate.boolean(
            restore_best_weights, "restore_best_weights", owner
        )
        self.start_from_epoch = validate.non_negative_int(
            start_from_epoch, "start_from_epoch", owner
        )
        self._reset()

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.improved(value, self.best):
            self._remember(epoch, value)
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch > 0 and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is None:
            return
        if self.verbose:
            say(f"Restoring the weights of the best epoch: {self.best_epoch + 1}.")
        self.model.set_weights(self.best_weights)

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def _remember(self, epoch: int, value: float) -> None:
        self.best, self.best_epoch = value, epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
        if self.baseline is None or self.improved(value, self.baseline):
            self.wait = 0
