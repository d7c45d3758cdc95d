"""The loops of `fit`, `evaluate` and `predict` over a model-like object."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np

from ..callbacks import CallbackList
from ..core import output, tree, validate
from ..data import ArrayData, train_validation_split
from . import preparation
from .batches import Batches
from .feeding import Feeder
from .full_batch import FullBatchRun, chunk_size, is_full_batch
from .run import Run
from .validation import Validation, evaluate_batches


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
    verbose = output.resolve_verbose(verbose)
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
    whole = is_full_batch(model.optimizer)
    if whole:
        batch_size = chunk_size(model, x, batch_size, steps_per_epoch)
    data = ArrayData(
        x,
        y,
        sample_weight,
        batch_size=batch_size,
        steps=steps_per_epoch,
        shuffle=shuffle and not whole,  # the order of a sum
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
        steps=1 if whole else batches.steps,
        model=model,
        metrics=[*names, *(f"val_{n}" for n in names if validation.given)],
        directions=preparation.directions(model),
    )
    feeder = Feeder(model.steps("train"), data, model.step_data)
    with closing(validation), closing(feeder), closing(hooks):
        kind = FullBatchRun if whole else Run
        kind(model, batches, feeder, validation, hooks, epochs, initial_epoch).train()
    return hooks.history


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
    verbose = output.resolve_verbose(verbose)
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
        evaluate_batches(model, feeder, islice(data, count), hooks)
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
    verbose = output.resolve_verbose(verbose)
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
        outputs = feeder.run((start, stop))
        flat = outputs if isinstance(outputs, list) else tree.flatten(outputs)
        if not results:
            results = [np.empty((total, *o.shape[1:]), o.dtype) for o in flat]
        for whole, part in zip(results, flat, strict=True):
            whole[start:stop] = part
        hooks.on_predict_batch_end(batch, {"outputs": flat[0]})
    return results
