"""The record of a training run."""

from typing import Any

from ..core.catalog import register
from .callback import Callback, Logs

__all__ = ["History"]


@register("callbacks")
class History(Callback):
    """The logs of all epochs; `fit` adds one to each run and returns it.

    `history` maps each name to its values, one per epoch in which it was reported; `epoch` lists
    the epochs of the last run. A `History` given to several runs goes on collecting, as in Keras.
    """

    state_names = ("history", "epoch")

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
