"""All callbacks of a run behind one; hooks that nobody overrides cost nothing."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from ..core import tree
from ..core.catalog import register
from .callback import Callback, overrides
from .conflicts import check_callbacks
from .history import History
from .progress import ProgbarLogger

__all__ = ["CallbackList", "LazyLogs"]

_OURS = __name__.partition(".")[0]
_PHASES = ("train", "test", "predict")
_BATCH_HOOKS = [f"on_{phase}_batch_{end}" for phase in _PHASES for end in ("begin", "end")]
_HOOKS = [
    *(f"on_{phase}_{end}" for phase in _PHASES for end in ("begin", "end")),
    *("on_epoch_begin", "on_epoch_end", *_BATCH_HOOKS),
]


class LazyLogs(MutableMapping):
    """Logs that are computed when they are first looked at, by a function that returns a dict."""

    def __init__(self, read: Callable[[], Any]):
        self._read = read
        self._known: dict[str, Any] | None = None

    def plain(self) -> dict[str, Any]:
        """The dict itself."""
        if self._known is None:
            self._known = _plain(self._read())
        return self._known

    def __getitem__(self, name: str) -> Any:
        return self.plain()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.plain()[name] = value

    def __delitem__(self, name: str) -> None:
        del self.plain()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.plain())

    def __len__(self) -> int:
        return len(self.plain())

    def __repr__(self) -> str:
        return repr(self.plain())


@register("callbacks")
class CallbackList(Callback):
    """Several callbacks, called in order.

    Args:
        callbacks: Callbacks, in a list or nest, or a single one.
        add_history: Add a `History` unless there is one; `history` is the one in use.
        add_progbar: Add a `ProgbarLogger` unless there is one; `progress` is the one in use.
        model: The model, given to each.
        **params: Given to each: "verbose", "epochs", "steps" and, for checks before the first
            epoch, "metrics" (the names that logs will have) and "directions" (name to "min" or
            "max").

    Logs may be a dict, None, or a function that returns a dict, which is called only when somebody
    wants them: hooks of this library when they look, all others, who may keep them, always.
    `has_batch_hooks` tells whether anything but the progress bar wants to know of batches.

    >>> callbacks = CallbackList([History()], verbose=0, epochs=1, steps=2)
    >>> callbacks.has_batch_hooks
    False
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        given = [] if callbacks is None else tree.flatten(callbacks)
        self.callbacks: list[Any] = [one for callback in given for one in _unpacked(callback)]
        self.history = self._find_or_add(History, add_history)
        self.progress = self._find_or_add(ProgbarLogger, add_progbar)
        self._bind()
        self.set_model(model)
        self.set_params(params)

    def append(self, callback: Any) -> None:
        """Add a callback at the end."""
        self.callbacks.append(_checked(callback))
        self._bind()

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        if model is None:
            return
        self._model = model
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    @property
    def stateful(self) -> list[Any]:
        """The callbacks whose state a saved run keeps: all that have any."""
        return [c for c in self.callbacks if _has_state(c)]

    def resume_epoch(self, epoch: int, batch: int) -> None:
        """A run goes on within an epoch, after `batch` batches: only the bar is told."""
        if self.progress is not None:
            self.progress.resume_epoch(epoch, batch)

    @property
    def has_batch_hooks(self) -> bool:
        """Whether a callback other than the progress bar overrides a hook of batches."""
        return any(self._hooks[hook] for hook in _BATCH_HOOKS)

    def close(self) -> None:
        """Leave no half-drawn line; to be called however a run ends, also after an error."""
        if self.progress is not None:
            self.progress.close()

    def on_train_begin(self, logs: Any = None) -> None:
        check_callbacks(self.callbacks, (self.params or {}).get("metrics"), self.model)
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Any = None) -> None:
        self._call("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._call("on_epoch_begin", logs, epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.progress is not None:
            self.progress.bar.hide()  # what callbacks print starts on a line of its own
        self._call("on_epoch_end", logs, epoch)

    def on_test_begin(self, logs: Any = None) -> None:
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._call("on_test_end", logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._call("on_predict_end", logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._hooks["on_train_batch_begin"]:
            self._call("on_train_batch_begin", logs, batch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._advance is not None:
            self._advance(batch + 1, logs)
        if self._hooks["on_train_batch_end"]:
            self._call("on_train_batch_end", logs, batch)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._hooks["on_test_batch_begin"]:
            self._call("on_test_batch_begin", logs, batch)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.progress is not None:
            self.progress.on_test_batch_end(batch, logs)
        if self._hooks["on_test_batch_end"]:
            self._call("on_test_batch_end", logs, batch)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._hooks["on_predict_batch_begin"]:
            self._call("on_predict_batch_begin", logs, batch)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._advance is not None:
            self._advance(batch + 1)
        if self._hooks["on_predict_batch_end"]:
            self._call("on_predict_batch_end", logs, batch)

    on_batch_begin = on_train_batch_begin
    on_batch_end = on_train_batch_end

    def _call(self, hook: str, logs: Any, *where: int) -> None:
        hooks = self._hooks[hook]
        if not hooks:
            return
        shared: Any = LazyLogs(logs) if callable(logs) else _plain(logs or {})
        for method, looks in hooks:
            seen = shared.plain() if isinstance(shared, LazyLogs) and not looks else shared
            if hook in _BATCH_HOOKS:  # as Keras does: what overrides them may name other arguments
                method(*where, logs=seen)
            else:
                method(*where, seen)

    def _bind(self) -> None:
        """Look up once which callbacks act in which hook."""
        self._hooks: dict[str, list[tuple[Callable, bool]]] = {
            hook: [
                (getattr(callback, hook), _only_looks(callback, hook))
                for callback in self.callbacks
                if overrides(callback, hook)
                and not (callback is self.progress and hook in _BATCH_HOOKS)
            ]
            for hook in _HOOKS
        }
        self._advance = None if self.progress is None else self.progress.bar.update

    def _find_or_add(self, kind: type, add: bool) -> Any:
        for callback in self.callbacks:
            if isinstance(callback, kind):
                return callback
        if add:
            self.callbacks.append(kind())
        return self.callbacks[-1] if add else None


def _unpacked(callback: Any) -> list[Any]:
    return callback.callbacks if isinstance(callback, CallbackList) else [_checked(callback)]


def _checked(callback: Any) -> Any:
    if isinstance(callback, type):
        raise TypeError(
            f"Callbacks must be objects. Received: the class {callback.__name__}. "
            f"Create one, as in `{callback.__name__}(...)`."
        )
    if not (hasattr(callback, "set_model") and hasattr(callback, "set_params")):
        raise TypeError(
            "Callbacks must be objects of subclasses of `Callback`. "
            f"Received: {callback!r} (of type {type(callback).__name__})."
        )
    return callback


def _only_looks(callback: Any, hook: str) -> bool:
    """Whether a hook is this library's, which keeps no logs and asks nothing but their values."""
    modules = (type(callback).__module__, getattr(getattr(callback, hook), "__module__", None))
    return all(str(module).partition(".")[0] == _OURS for module in modules)


def _has_state(callback: Any) -> bool:
    """Whether a callback names a state, or keeps one in its own way."""
    own = getattr(type(callback), "state_dict", None)
    return bool(getattr(callback, "state_names", ())) or own not in (None, Callback.state_dict)


def _plain(logs: Any) -> dict[str, Any]:
    """A dict of its own, with numbers as Python floats."""
    return {name: _number(value) for name, value in logs.items()}


def _number(value: Any) -> Any:
    if isinstance(value, float) or getattr(value, "ndim", 1) != 0:
        return value
    return float(value)
