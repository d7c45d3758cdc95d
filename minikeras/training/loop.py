"""The loops of `fit`, `evaluate` and `predict` over a model-like object."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any

import numpy as np

from ..callbacks import CallbackList
from ..core import output, tree, validate
from ..data import (
    PyDataset,
    data_kind,
    has_stored,
    split_batches,
    train_validation_split,
)
from . import preparation
from .batches import Batches
from .full_batch import FullBatchRun, chunk_size, is_full_batch
from .opening import Opened, open_data
from .results import in_order
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
    validation_shuffle: Any,
    validation_stratify: Any,
) -> Any:
    """Train; see `Model.fit`."""
    verbose = output.resolve_verbose(verbose)
    preparation.require_compiled(model, "fit")
    epochs = validate.non_negative_int(epochs, "epochs", "fit")
    initial_epoch = preparation.first_epoch(initial_epoch, epochs)
    if steps_per_epoch is not None:
        validate.positive_int(steps_per_epoch, "steps_per_epoch", "fit")
    how = {"shuffle": validation_shuffle, "stratify": validation_stratify}
    if validation_split and validation_data is None:
        (x, y, sample_weight), validation_data = _split(x, y, sample_weight, validation_split, how)
    elif any(value is not False for value in how.values()):
        raise ValueError(
            "`validation_shuffle` and `validation_stratify` say how `validation_split` chooses "
            f"rows. Received: validation_shuffle={validation_shuffle}, validation_stratify="
            f"{validation_stratify}, without a split to be made. Pass validation_split=0.2, say."
        )
    whole = is_full_batch(model.optimizer)
    if whole:
        preparation.require_arrays(x, f"fit with {type(model.optimizer).__name__}")
        x, y = preparation.prepare(model, x, y)
        batch_size = chunk_size(model, x, batch_size, steps_per_epoch)
    data = open_data(
        model,
        "train",
        x,
        y,
        sample_weight,
        batch_size=batch_size,
        steps=steps_per_epoch,
        shuffle=False if whole else shuffle,  # a sum has no order
        class_weight=class_weight,
    )
    with closing(data), closing(Batches(data.source, steps_per_epoch)) as batches:
        validation = Validation(
            model,
            validation_data,
            validation_batch_size,
            data.source.batch_size,
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
        with closing(validation), closing(hooks):
            kind = FullBatchRun if whole else Run
            kind(model, batches, data.feeder, validation, hooks, epochs, initial_epoch).train()
    return hooks.history


def _split(x: Any, y: Any, sample_weight: Any, share: float, how: dict[str, Any]) -> Any:
    """((x, y, sample_weight) to train on, validation data)."""
    if not isinstance(x, PyDataset):
        return train_validation_split(x, y, sample_weight, validation_split=share, **how)
    for argument, value in how.items():
        if value is not False:
            raise ValueError(
                f"`validation_{argument}` needs arrays, whose rows it can choose. Received: a "
                f"PyDataset ({type(x).__name__}). Leave it out, or pass `validation_data`."
            )
    train, validation = split_batches(x, validation_split=share)
    return (train, y, sample_weight), validation


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
    if steps is not None:
        validate.positive_int(steps, "steps", "evaluate")
    data = open_data(model, "test", x, y, sample_weight, batch_size=batch_size, steps=steps)
    with closing(data), closing(_hooks(model, data, steps, verbose, callbacks)) as hooks:
        hooks.on_test_begin()
        logs = evaluate_batches(model, data, steps, hooks)
        hooks.on_test_end(logs)
    if return_dict:
        return logs
    values = in_order(model, logs)
    return values[0] if len(values) == 1 else values


def predict(
    model: Any, x: Any, batch_size: int | None, verbose: Any, steps: int | None, callbacks: Any
) -> Any:
    """Outputs for data; see `Model.predict`."""
    verbose = output.resolve_verbose(verbose)
    rows = 32 if batch_size is None else validate.positive_int(batch_size, "batch_size", "predict")
    if steps is not None:
        validate.positive_int(steps, "steps", "predict")
    in_memory = data_kind(x) == "arrays" and not has_stored(x)
    if callbacks is None and verbose in (0, "auto") and in_memory:
        x, _ = preparation.prepare(model, x, None)
        if isinstance(x, np.ndarray) and len(x) <= rows:
            return model.steps("predict").on_array(x)
    data = open_data(model, "predict", x, batch_size=batch_size, steps=steps)
    with closing(data), closing(_hooks(model, data, steps, verbose, callbacks)) as hooks:
        hooks.on_predict_begin()
        with closing(Batches(data.source, steps)) as batches:
            results = _collect(data, batches.epoch(0), _rows(data, steps), hooks)
        hooks.on_predict_end()
    structure = model.steps("predict").structure
    return results[0] if structure is None else tree.pack_sequence_as(structure, results)


def _hooks(
    model: Any, data: Opened, steps: int | None, verbose: Any, callbacks: Any
) -> CallbackList:
    """The callbacks of a single pass."""
    counts = [count for count in (steps, data.source.num_batches) if count is not None]
    return CallbackList(
        callbacks,
        add_progbar=verbose != 0,
        verbose=verbose,
        steps=min(counts, default=None),
        epochs=1,
        model=model,
    )


def _rows(data: Opened, steps: int | None) -> int | None:
    """How many rows the first `steps` batches have, if that is known."""
    total, size = data.source.num_samples, data.source.batch_size
    if total is None or size is None or steps is None:
        return total
    return min(total, steps * size)


def _collect(
    data: Opened, places: Iterable[Any], total: int | None, hooks: CallbackList
) -> list[np.ndarray]:
    """The outputs of all batches, joined; in place where their number of rows is known."""
    gather = _Joined() if total is None else _Filled(total)
    for batch, place in enumerate(places):
        hooks.on_predict_batch_begin(batch)
        outputs = data.feeder.run(place)
        flat = outputs if isinstance(outputs, list) else tree.flatten(outputs)
        gather.add(flat)
        hooks.on_predict_batch_end(batch, {"outputs": flat[0]})
    return gather.results()


class _Filled:
    """Outputs of batches, written into arrays of `total` rows."""

    def __init__(self, total: int):
        self._total, self._at = total, 0
        self._arrays: list[np.ndarray] = []

    def add(self, outputs: list[np.ndarray]) -> None:
        if not self._arrays:
            self._arrays = [np.empty((self._total, *o.shape[1:]), o.dtype) for o in outputs]
        stop = self._at + len(outputs[0])
        for whole, part in zip(self._arrays, outputs, strict=True):
            whole[self._at : stop] = part
        self._at = stop

    def results(self) -> list[np.ndarray]:
        return self._arrays


class _Joined:
    """Outputs of batches, copied, and joined at the end."""

    def __init__(self) -> None:
        self._parts: list[list[np.ndarray]] = []

    def add(self, outputs: list[np.ndarray]) -> None:
        self._parts.append([np.array(o) for o in outputs])

    def results(self) -> list[np.ndarray]:
        return [_join(parts) for parts in zip(*self._parts, strict=True)]


def _join(parts: tuple[np.ndarray, ...]) -> np.ndarray:
    shapes = sorted({part.shape[1:] for part in parts})
    if len(shapes) > 1:
        raise ValueError(
            "The outputs of all batches are joined into one array, so their rows must have one "
            f"shape. Received: rows of shapes {', '.join(map(str, shapes[:5]))}. Predict batches "
            "of different lengths one by one, with `predict_on_batch`, or pad them."
        )
    return np.concatenate(parts)
