"""The loops of `fit`, `evaluate` and `predict` over a model-like object."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np

from ..callbacks import CallbackList
from ..core import tree, validate
from ..data import ArrayData, train_validation_split
from . import preparation
from .feeding import Feeder


def fit(
    model: Any,
    x: Any,
    y: Any,
    batch_size: int | None,
    epochs: int,
    verbose: Any,
    callbacks: Any,
    validation_split: float,
    validation_data: Any,
    shuffle: Any,
    class_weight: Any,
    sample_weight: Any,
    initial_epoch: int,
    steps_per_epoch: int | None,
    validation_steps: int | None,
    validation_batch_size: int | None,
    validation_freq: Any,
) -> Any:
    """Train; see `Model.fit`."""
    preparation.require_compiled(model, "fit")
    preparation.require_arrays(x, "fit")
    preparation.require_loss(model, y)
    epochs = validate.positive_int(epochs, "epochs", "fit")
    if steps_per_epoch is not None:
        validate.positive_int(steps_per_epoch, "steps_per_epoch", "fit")
    if validation_split and validation_data is None:
        part, validation_data = train_validation_split(
            x, y, sample_weight, validation_split=validation_split
        )
        x, y, sample_weight = part
    x, y = preparation.prepare(model, x, y)
    data = ArrayData(
        x,
        y,
        sample_weight,
        batch_size=batch_size,
        steps=steps_per_epoch,
        shuffle=shuffle,
        class_weight=class_weight,
        num_classes=preparation.number_of_classes(model),
    )
    batches = Batches(data, steps_per_epoch)
    validation = Validation(
        model,
        validation_data,
        validation_batch_size or data.batch_size,
        validation_steps,
        validation_freq,
    )
    names = model.metrics_names
    hooks = CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=epochs,
        steps=batches.steps,
        model=model,
        metrics=[*names, *(f"val_{n}" for n in names if validation.given)],
    )
    feeder = Feeder(model.steps("train"), data, model.step_data)
    with closing(validation), closing(feeder), closing(hooks):
        _train(model, feeder, batches, validation, hooks, range(initial_epoch, epochs))
    return hooks.history


def _train(
    model: Any,
    feeder: Feeder,
    batches: Batches,
    validation: Validation,
    hooks: CallbackList,
    epochs: Iterable[int],
) -> None:
    """Epoch after epoch; training ends with `on_train_end` also where it is interrupted."""
    model.stop_training = False
    hooks.on_train_begin()
    logs: dict[str, float] = {}
    try:
        for epoch in epochs:
            hooks.on_epoch_begin(epoch)
            _run_batches(model, feeder, batches.epoch(epoch), hooks, "train")
            logs = model.get_metrics_result()
            if validation.due(epoch):
                logs = {**logs, **validation.run(model, hooks)}
            hooks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
    finally:
        hooks.on_train_end(logs)


class Batches:
    """Which batches an epoch consists of.

    Args:
        data: The data set.
        steps: Batches per epoch; epochs then go on where the one before ended, and a pass over the
            data that is used up begins anew with the next epoch.
    """

    def __init__(self, data: ArrayData, steps: int | None):
        self._data = data
        self._given = steps
        self.steps = self._given or data.num_batches
        self._left: Iterator[tuple[int, int]] = iter(())
        self._remaining = 0
        self._passes = 0

    def epoch(self, number: int) -> Iterator[tuple[int, int]]:
        """(start, stop) of each batch of epoch `number`, counted from 0."""
        if self._given is None:
            self._data.start_epoch(number)
            return iter(self._data)
        if not self._remaining:
            self._data.start_epoch(self._passes)
            self._left, self._remaining = iter(self._data), self._data.num_batches
            self._passes += 1
        count = min(self._given, self._remaining)
        if count < self._given:
            warnings.warn(
                f"The data ran out after {count} of {self._given} steps of this epoch. Pass more "
                "data, a smaller batch_size or fewer steps_per_epoch.",
                stacklevel=4,
            )
        self._remaining -= count
        return islice(self._left, count)


def _run_batches(
    model: Any, feeder: Feeder, places: Iterable[tuple[int, int]], hooks: Any, phase: str
) -> None:
    """The step for each batch of an epoch."""
    model.reset_metrics()
    begin, end = getattr(hooks, f"on_{phase}_batch_begin"), getattr(hooks, f"on_{phase}_batch_end")
    quiet = not hooks.has_batch_hooks
    results = model.get_metrics_result
    run = feeder.run
    for batch, (start, stop) in enumerate(places):
        if quiet:
            run(start, stop)
        else:
            begin(batch)
            run(start, stop)
        end(batch, results)
        if model.stop_training and phase == "train":
            break


class Validation:
    """What `fit` evaluates between epochs.

    Args:
        model: The model.
        data: (x, y) or (x, y, sample_weight), or None for no validation.
        batch_size: Samples per step.
        steps: Batches to evaluate; all by default.
        frequency: Every so many epochs, or a collection of epochs, counted from 1.
    """

    def __init__(self, model: Any, data: Any, batch_size: int, steps: int | None, frequency: Any):
        self.given = data is not None
        if isinstance(frequency, int):
            frequency = validate.positive_int(frequency, "validation_freq", "fit")
        self._frequency = frequency
        if steps is not None:
            validate.positive_int(steps, "validation_steps", "fit")
        self._steps = steps
        if self.given:
            x, y, weight = preparation.unpack(data)
            preparation.require_loss(model, y)
            x, y = preparation.prepare(model, x, y, "validation_data")
            self._data = ArrayData(x, y, weight, batch_size=batch_size)
            self._feeder = Feeder(model.steps("test"), self._data, model.step_data)

    def due(self, epoch: int) -> bool:
        """Whether to validate after this epoch, counted from 0."""
        if not self.given:
            return False
        if isinstance(self._frequency, int):
            return (epoch + 1) % self._frequency == 0
        return epoch + 1 in self._frequency

    def run(self, model: Any, hooks: CallbackList) -> dict[str, float]:
        """Loss and metrics, their names with "val_" in front."""
        hooks.on_test_begin()
        _run_batches(model, self._feeder, islice(self._data, self._steps), hooks, "test")
        logs = model.get_metrics_result()
        hooks.on_test_end(logs)
        return {f"val_{name}": value for name, value in logs.items()}

    def close(self) -> None:
        if self.given:
            self._feeder.close()


def evaluate(
    model: Any,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: Any,
    sample_weight: Any,
    steps: int | None,
    callbacks: Any,
    return_dict: bool,
) -> Any:
    """Loss and metrics on data; see `Model.evaluate`."""
    preparation.require_compiled(model, "evaluate")
    preparation.require_arrays(x, "evaluate")
    preparation.require_loss(model, y)
    x, y = preparation.prepare(model, x, y)
    data = ArrayData(x, y, sample_weight, batch_size=batch_size, steps=steps)
    count = data.num_batches if steps is None else min(steps, data.num_batches)
    hooks = CallbackList(
        callbacks, add_progbar=verbose != 0, verbose=verbose, steps=count, epochs=1, model=model
    )
    feeder = Feeder(model.steps("test"), data, model.step_data)
    with closing(feeder), closing(hooks):
        hooks.on_test_begin()
        _run_batches(model, feeder, islice(data, count), hooks, "test")
        logs = model.get_metrics_result()
        hooks.on_test_end(logs)
    if return_dict:
        return logs
    values = [logs[name] for name in model.metrics_names]
    return values[0] if len(values) == 1 else values


def predict(
    model: Any, x: Any, batch_size: int | None, verbose: Any, steps: int | None, callbacks: Any
) -> Any:
    """Outputs for data; see `Model.predict`."""
    preparation.require_arrays(x, "predict")
    x, _ = preparation.prepare(model, x, None)
    rows = 32 if batch_size is None else validate.positive_int(batch_size, "batch_size", "predict")
    one_batch = isinstance(x, np.ndarray) and len(x) <= rows
    if one_batch and callbacks is None and verbose in (0, "auto"):
        return model.steps("predict").on_array(x)
    data = ArrayData(x, batch_size=batch_size, steps=steps)
    count = data.num_batches if steps is None else min(steps, data.num_batches)
    hooks = CallbackList(
        callbacks, add_progbar=verbose != 0, verbose=verbose, steps=count, epochs=1, model=model
    )
    feeder = Feeder(model.steps("predict"), data, lambda x, y, w: (x,))
    total = min(data.num_samples, count * data.batch_size)
    with closing(feeder), closing(hooks):
        hooks.on_predict_begin()
        results = _collect(feeder, islice(data, count), total, hooks)
        hooks.on_predict_end()
    structure = model.steps("predict").structure
    return results[0] if structure is None else tree.pack_sequence_as(structure, results)


def _collect(
    feeder: Feeder, places: Iterable[tuple[int, int]], total: int, hooks: CallbackList
) -> list[np.ndarray]:
    """The outputs of all batches, each in one array of `total` rows."""
    results: list[np.ndarray] = []
    for batch, (start, stop) in enumerate(places):
        hooks.on_predict_batch_begin(batch)
        outputs = feeder.run(start, stop)
        flat = outputs if isinstance(outputs, list) else tree.flatten(outputs)
        if not results:
            results = [np.empty((total, *o.shape[1:]), o.dtype) for o in flat]
        for whole, part in zip(results, flat, strict=True):
            whole[start:stop] = part
        hooks.on_predict_batch_end(batch, {"outputs": flat[0]})
    return results
