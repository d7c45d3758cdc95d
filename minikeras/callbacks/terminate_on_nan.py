"""Ending a run whose loss is no number any more."""

import math

from ..core import validate
from ..core.catalog import register
from .callback import Callback, Logs
from .output import say

__all__ = ["TerminateOnNaN"]


@register("callbacks")
class TerminateOnNaN(Callback):
    """Stop training after the first batch that makes the loss NaN or infinite.

    Args:
        raise_error: Raise a RuntimeError instead of stopping quietly. Callbacks are told that the
            run was interrupted, so that `BackupAndRestore`, for one, keeps its file.

    >>> stopper = TerminateOnNaN()
    """

    def __init__(self, raise_error: bool = False):
        self.raise_error = validate.boolean(raise_error, "raise_error", "TerminateOnNaN")

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        message = f"Batch {batch}: the loss is {loss}"
        if self.raise_error:
            raise RuntimeError(
                f"{message}. A smaller learning rate, clipnorm=1.0 in the optimizer, or a look for "
                "NaN in the data may help."
            )
        say(f"{message}, training ends.")
        self.model.stop_training = True
