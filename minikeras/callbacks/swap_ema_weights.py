"""Evaluation with the moving averages that the optimizer keeps of the weights."""

from typing import Any

from ..core import validate
from ..core.catalog import register
from .callback import Callback, Logs

__all__ = ["SwapEMAWeights"]


@register("callbacks")
class SwapEMAWeights(Callback):
    """Put the moving averages of the weights into the model while it is evaluated.

    Training goes on with the weights themselves, which come back after each evaluation and each
    prediction (Polyak averaging; Polyak & Juditsky 1992). The optimizer must keep averages:
    ``Adam(use_ema=True)``.

    Args:
        swap_on_epoch: Leave the averages in the model from the end of an epoch to the beginning of
            the next, too, so that callbacks that come later in the list (`ModelCheckpoint`) find
            them there.

    Raises ValueError before the first epoch when the optimizer keeps no averages.

    >>> swap = SwapEMAWeights(swap_on_epoch=True)
    """

    state_names = ("averages_in_model", "_for_evaluation")

    def __init__(self, swap_on_epoch: bool = False):
        self.swap_on_epoch = validate.boolean(swap_on_epoch, "swap_on_epoch", "SwapEMAWeights")
        self.averages_in_model = False
        self._for_evaluation = False

    def set_model(self, model: Any) -> None:
        if model is not self._model:
            self.averages_in_model = self._for_evaluation = False
        super().set_model(model)

    def on_train_begin(self, logs: Logs = None) -> None:
        if getattr(self.model.optimizer, "optimizers", None) != []:  # parts not known yet
            self._optimizer()
        self._put_back()

    def on_train_end(self, logs: Logs = None) -> None:
        """Leave the averages in the model, as `fit` does, unless training was interrupted."""
        run = getattr(self.model, "training_run", None)
        if run is not None and run.interrupted:
            self._put_back()
        elif self.averages_in_model:
            self._optimizer().restart_averages()
            self.averages_in_model = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._put_back()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch and not self.averages_in_model:
            self._swap()

    def on_test_begin(self, logs: Logs = None) -> None:
        self._lend()

    def on_test_end(self, logs: Logs = None) -> None:
        self._take_back()

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._lend()

    def on_predict_end(self, logs: Logs = None) -> None:
        self._take_back()

    def _lend(self) -> None:
        if not self.averages_in_model:
            self._swap()
            self._for_evaluation = self.averages_in_model

    def _take_back(self) -> None:
        if self._for_evaluation:
            self._put_back()

    def _put_back(self) -> None:
        """The weights themselves into the model, if they are not there."""
        if self.averages_in_model:
            self._swap()
        self._for_evaluation = False

    def _swap(self) -> None:
        """Exchange weights and averages; before the first step there are no averages."""
        optimizer = self._optimizer()
        if int(optimizer.iterations) > 0:
            optimizer.swap_averages()
            self.averages_in_model = not self.averages_in_model

    def _optimizer(self) -> Any:
        """The optimizer that keeps the averages."""
        optimizer = self.model.optimizer
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                "SwapEMAWeights needs an optimizer that keeps averages of the weights. Compile "
                f"with one made with use_ema=True. Received: {optimizer!r} with use_ema=False."
            )
        return optimizer
