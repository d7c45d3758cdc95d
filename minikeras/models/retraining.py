"""Training on all data after early stopping has told for how long."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from ..callbacks import Callback, EarlyStopping
from ..core import tree, validate
from ..data import data_kind, train_validation_split
from ..metrics import Metric
from .cloning import clone_model

__all__ = ["Retrained", "early_stop_and_retrain"]


OPTIONS = ("batch_size", "shuffle", "class_weight", "verbose")  # of `fit`, for both trainings


class Retrained(NamedTuple):
    """What `early_stop_and_retrain` returns.

    Attributes:
        model: The model trained on all data.
        history: `History` of the training on all data.
        search: `History` of the training with early stopping.
        epochs: The number of epochs that early stopping found best, counted from 1.
    """

    model: Any
    history: Any
    search: Any
    epochs: int


def early_stop_and_retrain(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    epochs: int = 1000,
    validation_split: float = 0.0,
    validation_data: Any = None,
    validation_shuffle: Any = False,
    validation_stratify: bool = False,
    monitor: str = "val_loss",
    mode: str = "auto",
    min_delta: float = 0.0,
    patience: int = 10,
    strategy: str = "restart",
    sample_weight: Any = None,
    callbacks: Any = None,
    retrain_callbacks: Any = None,
    **options: Any,
) -> Retrained:
    """Find by early stopping how long to train, then train on training and validation data.

    First the model is trained with `EarlyStopping` and gets the weights of its best epoch. Then:

    * "restart": a new model of the same architecture, compiled alike, starts from new values and is
      trained on all data for as many epochs as the best one had.
    * "continue": the model itself is trained on all data until its loss on what was validation data
      has fallen to what its loss on the training data was. `epochs` bounds that as well.

    Args:
        model: A compiled model; the first training changes it.
        x, y, sample_weight: Arrays, or nests of them.
        epochs: At most so many epochs.
        validation_split, validation_data, validation_shuffle, validation_stratify: As in `fit`: a
            share of the data, or further data (x, y) or (x, y, sample_weight).
        monitor, mode, min_delta, patience: As in `EarlyStopping`.
        strategy: "restart" or "continue".
        callbacks, retrain_callbacks: For the first and for the second training.
        **options: For both calls of `fit`: batch_size, shuffle, class_weight, verbose.

    Returns:
        `Retrained`: model, history, the history of the search, and the number of epochs found.

    Raises:
        ValueError: No validation data, or weights for one part of the data only.
        TypeError: Generators, which cannot be put together.

    Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", 2016, algorithms 7.2 and 7.3.

    >>> import minikeras as keras
    >>> x = np.linspace(-1, 1, 100, dtype="float32")[:, None]
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> found = early_stop_and_retrain(model, x, 3 * x, validation_split=0.2, epochs=5, verbose=0)
    >>> found.epochs, len(found.history.epoch), found.model is model
    (5, 5, False)
    """
    owner = "early_stop_and_retrain"
    strategy = validate.one_of(strategy, ("restart", "continue"), "strategy", owner)
    validate.reject_unknown(options, OPTIONS, owner)
    _refuse_streams(x, validation_data)
    given = (x, y, sample_weight)
    if validation_data is not None:
        part, aside = given, _triple(validation_data)
        given = _together(part, aside)
    elif validation_split:
        part, aside = train_validation_split(
            *given,
            validation_split=validation_split,
            shuffle=validation_shuffle,
            stratify=validation_stratify,
        )
    else:
        raise ValueError(
            "early_stop_and_retrain needs data to validate on. Pass validation_split, or "
            "validation_data=(x, y)."
        )
    start = _Start(model)
    stopper = EarlyStopping(monitor, min_delta, patience, 0, mode, restore_best_weights=True)
    search = _fit(model, part, epochs, [*_as_list(callbacks), stopper], options, aside)
    found = stopper.best_epoch + 1
    after = _as_list(retrain_callbacks)
    if strategy == "restart":
        fresh = start.again()
        return Retrained(fresh, _fit(fresh, given, found, after, options), search, found)
    goal = _StopAt(_loss(model, part, options))
    history = _fit(model, given, epochs, [*after, goal], options, aside)
    goal.warn_unless_reached(epochs)
    return Retrained(model, history, search, found)


class _Start:
    """How a model was compiled before its training, for another one like it."""

    def __init__(self, model: Any):
        if model.compiled is None:
            raise ValueError(
                "The model must be compiled before `early_stop_and_retrain`. "
                "Call model.compile(optimizer=..., loss=...) first."
            )
        self._model = model
        self._optimizer = type(model.optimizer), model.optimizer.get_config()

    def again(self) -> Any:
        """The same architecture with new starting values, compiled alike."""
        fresh = clone_model(self._model)
        kind, config = self._optimizer
        given = dict(self._model.compiled.given)
        for name in ("metrics", "weighted_metrics"):
            given[name] = tree.map_structure(_another, given[name])
        fresh.compile(optimizer=kind.from_config(config), **given)
        return fresh


class _StopAt(Callback):
    """Stop when the loss on the data put aside is no more than it was on the others."""

    def __init__(self, goal: float):
        self.goal = goal
        self.loss = float("inf")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.loss = (logs or {})["val_loss"]
        if self.loss <= self.goal:
            self.model.stop_training = True

    def warn_unless_reached(self, epochs: int) -> None:
        if not self.loss <= self.goal:
            warnings.warn(
                f"After {epochs} epochs on all data the loss on the validation data is "
                f"{self.loss:.4g}, and not yet {self.goal:.4g}, which it was on the training data. "
                "Pass more epochs, or strategy='restart'.",
                stacklevel=3,
            )


def _fit(
    model: Any, data: tuple, epochs: int, callbacks: list, options: dict, validation: Any = None
) -> Any:
    x, y, weight = data
    if validation is not None and validation[2] is None:
        validation = validation[:2]
    return model.fit(
        x,
        y,
        sample_weight=weight,
        epochs=epochs,
        callbacks=callbacks,
        validation_data=validation,
        **options,
    )


def _loss(model: Any, data: tuple, options: dict) -> float:
    """The loss on data, as evaluated."""
    x, y, weight = data
    size = options.get("batch_size")
    results = model.evaluate(
        x, y, sample_weight=weight, batch_size=size, verbose=0, return_dict=True
    )
    return results["loss"]


def _refuse_streams(x: Any, validation_data: Any) -> None:
    kinds = [data_kind(x)]
    if validation_data is not None and not isinstance(validation_data, tuple | list):
        kinds.append(type(validation_data).__name__)
    for kind in kinds:
        if kind != "arrays":
            raise TypeError(
                "early_stop_and_retrain takes arrays, which it can put together. Received: "
                f"{kind if kind != kinds[0] else type(x).__name__}."
            )


def _triple(data: Any) -> tuple[Any, Any, Any]:
    if len(data) not in (2, 3):
        raise ValueError(
            "validation_data must be (x, y) or (x, y, sample_weight). Received: "
            f"{type(data).__name__} of length {len(data)}."
        )
    x, y, weight = (*data, None)[:3]
    return x, y, weight


def _together(first: tuple, second: tuple) -> tuple:
    """Both data sets, one after the other."""
    if (first[2] is None) != (second[2] is None):
        raise ValueError(
            "Either both or none of training and validation data must have sample weights, as both "
            "are trained on in the end. Received: sample_weight for one of them."
        )
    return tuple(
        None
        if one is None
        else tree.map_structure(
            lambda a, b: np.concatenate([np.asarray(a), np.asarray(b)]), one, other
        )
        for one, other in zip(first, second, strict=True)
    )


def _another(metric: Any) -> Any:
    """A metric object without what it has summed up; names and functions as they are."""
    return type(metric).from_config(metric.get_config()) if isinstance(metric, Metric) else metric


def _as_list(callbacks: Any) -> list[Any]:
    return [] if callbacks is None else list(tree.flatten(callbacks))
