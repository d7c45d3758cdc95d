"""What callbacks of one run cannot do, or undo for each other: found before the first epoch."""

import warnings
from collections.abc import Sequence
from itertools import product
from typing import Any

from .callback import is_ours, overrides
from .early_stopping import EarlyStopping
from .learning_rate_scheduler import require_settable_rate
from .monitor import Monitor
from .reduce_lr_on_plateau import ReduceLROnPlateau

__all__ = ["check_callbacks"]


def check_callbacks(callbacks: Sequence[Any], names: Sequence[str] | None, model: Any) -> None:
    """Refuse callbacks that cannot work in this run; warn of those that undo each other's work.

    Args:
        callbacks: Callbacks, in order.
        names: The entries that the logs of an epoch will have; None if nobody knows.
        model: The model.

    Raises:
        ValueError: A number to monitor that no logs will have, or a learning rate that cannot be
            set because it follows a schedule.
    """
    if names is not None:
        _check_monitors(callbacks, list(names))
    _check_rates(callbacks, model)
    _compare_patience(callbacks)


def _check_monitors(callbacks: Sequence[Any], names: list[str]) -> None:
    """Refuse names that no logs will have, unless some callback may add them."""
    for place, callback in enumerate(callbacks):
        if isinstance(callback, Monitor):
            if callback.monitor not in names:
                _check_order(callback, callbacks[place + 1 :])
            callback.require(names)
        elif _may_add_logs(callback):
            return
        names += getattr(callback, "log_names", ())


def _check_order(watcher: Monitor, later: Sequence[Any]) -> None:
    """Refuse to watch what another callback adds to the logs only afterwards."""
    for callback in later:
        if watcher.monitor in getattr(callback, "log_names", ()):
            before, after = type(callback).__name__, type(watcher).__name__
            raise ValueError(
                f"{after} watches {watcher.monitor!r}, which {before} adds to the logs only after "
                f"it. Put {before} before {after} in `callbacks`."
            )


def _may_add_logs(callback: Any) -> bool:
    """Whether a callback of somebody else acts after an epoch, where it could add to the logs."""
    return not is_ours(callback) and overrides(callback, "on_epoch_end")


def _check_rates(callbacks: Sequence[Any], model: Any) -> None:
    """The learning rate must be settable, and not be set by two callbacks with different aims."""
    setters = [c for c in callbacks if getattr(c, "learning_rate_use", None) is not None]
    optimizer = getattr(model, "optimizer", None)
    for callback in setters:
        whole = [optimizer]
        knows_parts = isinstance(callback, ReduceLROnPlateau)
        for one in getattr(optimizer, "optimizers", whole) if knows_parts else whole:
            require_settable_rate(one, type(callback).__name__)
    for callback in setters:
        others = [type(c).__name__ for c in setters if c is not callback]
        if callback.learning_rate_use == "overwrites" and others:
            warnings.warn(
                f"{type(callback).__name__} sets the learning rate without regard to what it is, "
                f"and so undoes what {', '.join(others)} makes of it. Use one of them, or, with "
                "LearningRateScheduler, a function of (epoch, learning_rate).",
                stacklevel=2,
            )
            return


def _compare_patience(callbacks: Sequence[Any]) -> None:
    stoppers = [c for c in callbacks if isinstance(c, EarlyStopping)]
    plateaus = [c for c in callbacks if isinstance(c, ReduceLROnPlateau)]
    for stopper, plateau in product(stoppers, plateaus):
        if stopper.monitor == plateau.monitor and stopper.patience <= plateau.patience:
            warnings.warn(
                f"EarlyStopping may end training before ReduceLROnPlateau has reduced the learning "
                f"rate: both watch {stopper.monitor!r}. Give EarlyStopping more patience. "
                f"Received: patience={stopper.patience} and {plateau.patience}.",
                stacklevel=2,
            )
            return
