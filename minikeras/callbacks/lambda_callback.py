"""A callback made of functions."""

from collections.abc import Callable
from typing import Any

from ..core import validate
from ..core.catalog import register
from .callback import Callback

__all__ = ["LambdaCallback"]

_METHODS = sorted(
    name for name in vars(Callback) if name.startswith("on_") or name in ("set_model", "set_params")
)


@register("callbacks")
class LambdaCallback(Callback):
    """Functions that are called in the hooks of a run.

    Args:
        on_epoch_begin, on_epoch_end: Functions of (epoch, logs).
        on_train_begin, on_train_end: Functions of (logs).
        on_train_batch_begin, on_train_batch_end: Functions of (batch, logs); `logs` is passed by
            its name.
        **kwargs: Functions for other hooks of `Callback`, by the name of the hook.

    >>> losses = []
    >>> note = LambdaCallback(on_epoch_end=lambda epoch, logs: losses.append(logs["loss"]))
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **kwargs: Callable | None,
    ):
        validate.reject_unknown(kwargs, _METHODS, "LambdaCallback")
        given: dict[str, Any] = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in given.items():
            if function is None:
                continue
            if not callable(function):
                raise ValueError(
                    f"LambdaCallback: `{name}` must be a function. Received: {function!r}."
                )
            setattr(self, name, function)
