"""What callbacks share that watch one number: its name, its direction, what counts as better."""

import re
from collections.abc import Collection
from typing import Any

from ..core import validate
from .callback import Callback, Logs

__all__ = ["Monitor", "missing_hint"]

_RISING = (
    *("accuracy", "acc", "auc", "precision", "recall", "f1", "f1_score", "fbeta_score", "iou"),
    *("mean_io_u", "binary_io_u", "one_hot_io_u", "one_hot_mean_io_u", "mean_iou", "r2_score"),
    *("cosine_similarity", "true_positives", "true_negatives", "pearson_correlation"),
    *("concordance_correlation", "sensitivity_at_specificity", "specificity_at_sensitivity"),
    *("precision_at_recall", "recall_at_precision"),
)
_FALLING = (
    *("loss", "error", "crossentropy", "divergence", "hinge", "poisson", "logcosh", "log_cosh"),
    *("mse", "mae", "mape", "msle", "rmse", "huber", "false_positives", "false_negatives"),
)


def missing_hint(name: str, names: Collection[str]) -> str:
    """What may be meant by a name that is not among those in the logs."""
    if name.startswith("val_") and name.removeprefix("val_") in names:
        return " There is no validation: give `fit` validation_data or validation_split."
    return validate.suggest(name, names)


class Monitor(Callback):
    """Base class of callbacks that watch one entry of an epoch's logs.

    `mode` tells whether the number should fall ("min") or rise ("max"); "auto" decides by its name.
    A change of less than `min_delta` is no improvement.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0):
        owner = type(self).__name__
        if not isinstance(monitor, str):
            raise ValueError(
                f"{owner}: `monitor` must be the name of a loss or metric, such as 'val_loss'. "
                f"Received: {monitor!r}."
            )
        self.monitor = monitor
        self.mode = validate.one_of(mode, ("auto", "min", "max"), "mode", owner)
        self.min_delta = abs(validate.number(min_delta, "min_delta", owner))
        self.best: float | None = None
        self._rising: bool | None = None if mode == "auto" else mode == "max"

    def on_train_begin(self, logs: Logs = None) -> None:
        self.best = None
        self.settle_direction()

    def settle_direction(self) -> None:
        """Find out whether the number should rise or fall, where "auto" leaves that open."""
        if self.mode == "auto":
            self._rising = self._guess_rising()

    def require(self, names: Collection[str]) -> None:
        """Raise a ValueError unless `names`, the entries that logs will have, hold the monitor."""
        if self.monitor in names:
            return
        hint = missing_hint(self.monitor, names)
        raise ValueError(
            f"{type(self).__name__} cannot monitor {self.monitor!r}.{hint} "
            f"Choose one of: {', '.join(names)}. Received: monitor={self.monitor!r}."
        )

    def get_monitor_value(self, logs: Logs) -> float | None:
        """The number watched, or None in an epoch without validation that has none to offer."""
        logs = logs or {}
        if self.monitor not in logs:
            if self.monitor not in ((self.params or {}).get("metrics") or ()):
                self.require(list(logs))
            return None
        return logs[self.monitor]

    def improved(self, value: Any, best: float | None) -> bool:
        """Whether `value` is better than `best` by more than `min_delta`; anything beats NaN."""
        if best is None:
            return True
        if best != best:
            return value == value
        if self._rising is None:
            self._rising = self._guess_rising()
        if self._rising:
            return bool(value - self.min_delta > best)
        return bool(value + self.min_delta < best)

    def _guess_rising(self) -> bool:
        """The direction that `params["directions"]` or else the name tells."""
        name = self.monitor.removeprefix("val_")
        told = (self.params or {}).get("directions", {}).get(name)
        if told is not None:
            return told == "max"
        name = re.sub(r"_\d+$", "", name)  # a second metric of one kind is numbered
        for word in (*_RISING, *_FALLING):
            if name == word or name.endswith(f"_{word}"):
                return word in _RISING
        raise ValueError(
            f"{type(self).__name__} cannot tell whether {self.monitor!r} should rise or fall. "
            "Pass mode='max' when more is better, mode='min' when less is. Received: mode='auto'."
        )
