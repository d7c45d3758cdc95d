"""The state of a training run in a file: what must be known to go on and end in the same bits.

Weights and optimizer lie where Keras looks for them; the rest lies in a group that Keras ignores.
"""

from __future__ import annotations

import os
import random
import shutil
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..saving import load_weights, read_extra, save_weights
from ..saving.nests import unflatten_state

VERSION = 1


def save(run: Any, path: str, previous: str | None = None) -> None:
    """Write the state of `run` to `path`, in one step; an older file is kept at `previous`."""
    run.model.saved_run = capture(run)
    try:
        if previous is not None and os.path.exists(path):
            _keep(path, previous)
        save_weights(run.model, path)
    finally:
        run.model.saved_run = None


def _keep(path: str, previous: str) -> None:
    """Make `previous` a second name of the file at `path`, in one step; or a copy."""
    if os.path.exists(previous) and os.path.samefile(path, previous):
        return
    folder, name = os.path.split(previous)
    second = os.path.join(folder, f".{name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        try:
            os.link(path, second)
        except OSError:  # file systems without links
            shutil.copyfile(path, second)
        os.replace(second, previous)
    finally:
        if os.path.lexists(second):
            os.remove(second)


def load_first(run: Any, paths: Sequence[str]) -> None:
    """Bring `run` to the state in the first file that can be read.

    Raises:
        ValueError: What is wrong with the first file, when none will do.
    """
    try:
        load(run, paths[0])
    except (OSError, ValueError) as error:
        for path in paths[1:]:
            try:
                load(run, path)
            except (OSError, ValueError):
                continue
            warnings.warn(f"The run goes on from {path!r}, because: {error}", stacklevel=2)
            return
        raise


def load(run: Any, path: str) -> None:
    """Bring `run` to the state in a file.

    Raises:
        ValueError: The file holds no run, or one of another model or other data.
    """
    state = unflatten_state(read_extra(path))
    if not isinstance(state, dict) or state.get("version") != VERSION:
        raise ValueError(
            f"{path!r} holds weights but no training run to go on with. Received: a file that was "
            "not written by BackupAndRestore. Load it with `load_weights` instead."
        )
    _check(run, state)
    load_weights(run.model, path)
    restore(run, state)


def capture(run: Any) -> dict[str, Any]:
    """The state of a run beside weights, optimizer and seeds, as a nest of plain values."""
    return {
        "version": VERSION,
        "epoch": run.epoch,
        "batch": run.batch,
        "stopped": bool(run.model.stop_training),
        "logs": dict(run.logs),
        "optimizer": _kind_of_optimizer(run.model),
        "data": run.batches.state(within_epoch=run.batch > 0),
        "metrics": [[v.numpy() for v in m.variables] for m in run.model.metrics],
        "carried": [v.numpy() for v in run.model._carried_variables],
        "own_optimizers": [_of_optimizer(run.model, o) for o in _own_optimizers(run.model)],
        "callbacks": [
            [type(callback).__name__, callback.state_dict()] for callback in run.hooks.stateful
        ],
        "python_random": random.getstate(),
        "numpy_random": np.random.get_state(legacy=True),
    }


def restore(run: Any, state: dict[str, Any]) -> None:
    """Bring a run to a captured state, given that weights, optimizer and seeds are there already.

    Raises:
        ValueError: Other data than those of the run that was saved.
    """
    run.batches.restore(state["data"])
    for callback, (_, own) in zip(run.hooks.stateful, state["callbacks"], strict=True):
        callback.load_state_dict(own)
    for metric, values in zip(run.model.metrics, state["metrics"], strict=True):
        for variable, value in zip(metric.variables, values, strict=True):
            variable.assign(value)
    for variable, value in zip(run.model._carried_variables, _carried(state), strict=True):
        variable.assign(value)
    for optimizer, own in zip(_own_optimizers(run.model), state["own_optimizers"], strict=True):
        _restore_optimizer(run.model, optimizer, own)
    run.epoch, run.batch, run.logs = state["epoch"], state["batch"], state["logs"]
    run.model.stop_training = state["stopped"]
    random.setstate(state["python_random"])
    np.random.set_state(state["numpy_random"])


def _check(run: Any, state: dict[str, Any]) -> None:
    """Refuse a state of other data, metrics, optimizer or callbacks; nothing is changed yet."""
    metrics = [len(m.variables) for m in run.model.metrics]
    if metrics != [len(values) for values in state["metrics"]]:
        raise ValueError(
            "The saved run used other metrics. Compile the model as it was. Received: "
            f"{run.model.metrics_names}."
        )
    optimizer = _kind_of_optimizer(run.model)
    if optimizer != state["optimizer"]:
        raise ValueError(
            "A run is resumed with the optimizer that it was saved with. Expected: "
            f"{_described(state['optimizer'])}. Received: {_described(optimizer)}."
        )
    names = [type(callback).__name__ for callback in run.hooks.stateful]
    saved = [name for name, _ in state["callbacks"]]
    if names != saved:
        raise ValueError(
            "A run is resumed with the callbacks that it was saved with, in the same order. "
            f"Expected: {saved}. Received: {names}."
        )
    shapes, saved = [v.shape for v in run.model._carried_variables], _shapes(_carried(state))
    if shapes != saved:
        raise ValueError(
            "A run is resumed with the stateful layers and the batch size that it was saved with. "
            f"Expected: states of shapes {saved}. Received: {shapes}."
        )
    run.batches.check(state["data"])


def _carried(state: dict[str, Any]) -> list[np.ndarray]:
    """What layers carry from batch to batch; files of runs without such layers may lack it."""
    return state.get("carried", [])


def _shapes(arrays: list[np.ndarray]) -> list[tuple[int, ...]]:
    return [tuple(array.shape) for array in arrays]


def _kind_of_optimizer(model: Any) -> list[Any]:
    """Its class and the number of its variables, which settings and the trained weights decide."""
    optimizer = model.optimizer
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    return [type(optimizer).__name__, len(optimizer.variables)]


def _described(kind: list[Any]) -> str:
    return f"{kind[0]} with {kind[1]} variables"


def _own_optimizers(model: Any) -> list[Any]:
    """Optimizers that a model with a `train_step` of its own holds in attributes."""
    return [o for o in model._optimizers() if o is not model.optimizer]


def _of_optimizer(model: Any, optimizer: Any) -> dict[str, Any]:
    """The numbers of an optimizer, and for which of the model's variables it was built."""
    places = {id(variable): place for place, variable in enumerate(model.variables)}
    built_for = optimizer._trainable_variables if optimizer.built else []
    return {
        "built_for": [places[id(variable)] for variable in built_for],
        "values": [variable.numpy() for variable in optimizer.variables],
    }


def _restore_optimizer(model: Any, optimizer: Any, state: dict[str, Any]) -> None:
    variables = model.variables
    if state["built_for"] and not optimizer.built:
        optimizer.build([variables[place] for place in state["built_for"]])
    for variable, value in zip(optimizer.variables, state["values"], strict=True):
        variable.assign(value)
