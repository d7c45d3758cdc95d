"""The hooks of a training run, which a callback overrides as it needs them."""

from collections.abc import Mapping
from typing import Any

from ..core.catalog import register

__all__ = ["Callback", "is_ours", "overrides"]

Logs = Mapping[str, Any] | None


@register("callbacks")
class Callback:
    """Base class of what takes part in `fit`, `evaluate` and `predict`.

    Each hook receives `logs`, a dict from name ("loss", "val_accuracy") to number: after a batch
    the averages of the epoch so far, after an epoch those of the whole epoch, validation included.
    What a callback adds to the logs of an epoch, later callbacks and the history see. `self.model`
    is the model, of which a callback should use `get_weights`, `set_weights`, `save`, `optimizer`
    and `stop_training` only; `self.params` holds "epochs", "steps" (per epoch) and "verbose".
    During `fit`, `self.model.training_run` tells where training stands and saves it. A callback
    with a state names it in `state_names`, so that a resumed run goes on with it.

    >>> class StopAtTarget(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         if logs["loss"] < 0.1:
    ...             self.model.stop_training = True
    """

    # class attributes, so that a subclass need not call this constructor
    params: dict[str, Any] | None = None
    _model: Any = None
    log_names: tuple[str, ...] = ()  # what this callback adds to the logs of an epoch
    state_names: tuple[str, ...] = ()  # attributes that a resumed run must find as they were
    learning_rate_use: str | None = None  # "adjusts", or "overwrites" whatever others set
    idle_hooks: tuple[str, ...] = ()  # hooks in which this object has nothing to do

    def set_params(self, params: dict[str, Any]) -> None:
        """Called once before the run, with "epochs", "steps" and "verbose"."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Called once before the run, with the model."""
        self._model = model

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to resume a run: numbers, text, None, arrays and nests of them."""
        return {name: getattr(self, name) for name in self.state_names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the state of a saved run; called after `on_train_begin`."""
        for name, value in state.items():
            setattr(self, name, value)

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._model

    @model.setter
    def model(self, model: Any) -> None:
        self._model = model

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before the first epoch; a callback that is used again resets its state here."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After the last epoch, with its logs; also after an interrupt."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After an epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a training batch, counted from 0 in each epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a training batch."""
        self.on_batch_end(batch, logs=logs)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Older name of `on_train_batch_end`."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Before an evaluation, also that of validation data in `fit`."""

    def on_test_end(self, logs: Logs = None) -> None:
        """After an evaluation, with its results."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of an evaluation."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of a prediction; `logs["outputs"]` holds its outputs."""


def overrides(callback: Any, hook: str) -> bool:
    """Whether a callback does anything in this hook (in its older name, for training batches)."""
    if hook in getattr(callback, "idle_hooks", ()) and is_ours(callback):
        return False
    older = hook.replace("on_train_batch", "on_batch")
    return _own(callback, hook) or (older != hook and _own(callback, older))


def is_ours(callback: Any) -> bool:
    """Whether this class is of this library, and not one derived from it."""
    return type(callback).__module__.startswith(f"{__package__}.")


def _own(callback: Any, hook: str) -> bool:
    method = getattr(callback, hook, None)
    if method is None or getattr(method, "_is_default", False):  # Keras marks its empty hooks so
        return False
    return getattr(method, "__func__", method) is not getattr(Callback, hook)
