"""Metrics of all samples at once, by any function of targets and predictions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..core import validate
from ..core.catalog import register
from .callback import Callback, Logs

__all__ = ["EpochMetrics"]

Function = Callable[..., Any]


@register("callbacks")
class EpochMetrics(Callback):
    """After each epoch, call functions of (y_true, y_pred) on all samples of the validation data.

    For numbers that are no average over batches: areas under curves, rank correlations, F scores.
    Anything that takes two arrays will do, such as the functions of `sklearn.metrics`. The results
    enter the logs of the epoch, so that `EarlyStopping` and `ModelCheckpoint` after this callback
    can watch them, and the history and the progress bar show them.

    Args:
        metrics: A function, a list of functions (which go by their `__name__`), or a dict from
            name to function.
        data: (x, y) or (x, y, sample_weight) to compute on; by default the validation data of
            `fit`, where names get "val_" in front.
        of: What functions receive as y_pred: "outputs" of the model, or "classes", the index of the
            largest output, or for a single output 0 or 1 by the threshold. With "classes" one-hot
            targets become indices as well.
        threshold: From which output on a single one means class 1.
        weighted: Whether functions receive `sample_weight` as a keyword.
        batch_size: Samples per step of `predict`.

    Raises:
        ValueError: Before the first epoch: there is no validation data, or a name that `compile`'s
            metrics have already.

    >>> import numpy as np, minikeras as keras
    >>> def largest_error(y_true, y_pred):
    ...     return np.max(np.abs(y_true - y_pred))
    >>> x = np.arange(8, dtype="float32")[:, None]
    >>> model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile(keras.optimizers.SGD(0.0), "mse")
    >>> history = model.fit(
    ...     x, x, validation_data=(x, x), callbacks=[EpochMetrics(largest_error)], verbose=0
    ... )
    >>> history.history["val_largest_error"]
    [7.0]
    """

    def __init__(
        self,
        metrics: Function | Iterable[Function] | Mapping[str, Function],
        data: Any = None,
        of: str = "outputs",
        threshold: float = 0.5,
        weighted: bool = False,
        batch_size: int | None = None,
    ):
        owner = type(self).__name__
        self.metrics = _by_name(metrics)
        self.data = None if data is None else _triple(data)
        self.of = validate.one_of(of, ("outputs", "classes"), "of", owner)
        self.threshold = validate.number(threshold, "threshold", owner)
        self.weighted = validate.boolean(weighted, "weighted", owner)
        if batch_size is not None:
            batch_size = validate.positive_int(batch_size, "batch_size", owner)
        self.batch_size = batch_size
        prefix = "val_" if data is None else ""
        self._functions = {prefix + name: function for name, function in self.metrics.items()}
        self.log_names = tuple(self._functions)

    def on_train_begin(self, logs: Logs = None) -> None:
        taken = (self.params or {}).get("metrics") or ()
        for name in self.log_names:
            if name in taken:
                raise ValueError(
                    f"The logs have an entry {name!r} already. Give EpochMetrics another name: "
                    "EpochMetrics({'name': function}). Received: "
                    f"metrics={list(self.metrics)}."
                )
        x, y, weight = self._samples()
        if self.weighted and weight is None:
            raise ValueError(
                "EpochMetrics: weighted=True needs sample weights. Pass (x, y, sample_weight) as "
                f"{'validation_data' if self.data is None else 'data'}."
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is None or (self.data is None and not any(n.startswith("val_") for n in logs)):
            return  # an epoch without validation
        x, y, weight = self._samples()
        outputs = self.model.predict(x, batch_size=self.batch_size, verbose=0)
        if self.of == "classes":
            outputs, y = self._classes(outputs), _indices(np.asarray(y), np.shape(outputs))
        keywords = {"sample_weight": weight} if self.weighted else {}
        for name, function in self._functions.items():
            value = function(y, outputs, **keywords)
            logs[name] = float(value) if np.ndim(value) == 0 else np.asarray(value)

    def _samples(self) -> tuple[Any, Any, Any]:
        if self.data is not None:
            return self.data
        run = getattr(self.model, "training_run", None)
        data = None if run is None else run.validation_data
        if data is None:
            raise ValueError(
                "EpochMetrics computes on validation data in arrays, and `fit` has none. Pass "
                "validation_data=(x, y) or validation_split to `fit`, or data=(x, y) here."
            )
        return data

    def _classes(self, outputs: Any) -> np.ndarray:
        """The class of each sample."""
        if not isinstance(outputs, np.ndarray):
            raise ValueError(
                "EpochMetrics: of='classes' needs a model with one output. Received: "
                f"{type(outputs).__name__}. Use of='outputs' and choose in the function."
            )
        if outputs.ndim > 1 and outputs.shape[-1] > 1:
            return outputs.argmax(-1)
        if outputs.ndim > 1:
            outputs = outputs[..., 0]
        return (outputs >= self.threshold).astype(np.int64)


def _indices(y: np.ndarray, outputs: tuple[int, ...]) -> np.ndarray:
    """Targets as class indices: one-hot rows by their largest entry, columns without last axis."""
    one_hot = y.ndim == len(outputs) and len(outputs) > 1 and y.shape[-1] == outputs[-1] > 1
    if one_hot:
        return y.argmax(-1)
    if y.ndim > 1 and y.shape[-1] == 1:
        y = y[..., 0]
    return y.astype(np.int64)


def _by_name(metrics: Any) -> dict[str, Function]:
    """Functions by their names in the logs."""
    if callable(metrics):
        metrics = [metrics]
    if isinstance(metrics, Mapping):
        named = dict(metrics)
    else:
        functions = list(metrics)
        named = {getattr(f, "__name__", None) or type(f).__name__: f for f in functions}
        if len(named) < len(functions):
            raise ValueError(
                "EpochMetrics: two functions have the same name. Pass a dict from name to "
                f"function. Received: {[getattr(f, '__name__', f) for f in functions]}."
            )
    for name, function in named.items():
        if not isinstance(name, str) or not callable(function):
            raise ValueError(
                "EpochMetrics takes functions of (y_true, y_pred), alone, in a list, or in a dict "
                f"from name to function. Received: {name!r}: {function!r}."
            )
    if not named:
        raise ValueError("EpochMetrics needs at least one function. Received: none.")
    return named


def _triple(data: Any) -> tuple[Any, Any, Any]:
    if isinstance(data, tuple | list) and len(data) in (2, 3):
        x, y, weight = (*data, None)[:3]
        return x, y, weight
    raise ValueError(
        "EpochMetrics: `data` must be (x, y) or (x, y, sample_weight). "
        f"Received: {type(data).__name__}."
    )
