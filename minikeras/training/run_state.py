"""The state of a training run in a file: what must be known to go on and end in the same bits.

Weights and optimizer lie where Keras looks for them; the rest lies in a group that Keras ignores.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress
from typing import Any

import numpy as np

from .. import saving
from ..saving.nests import unflatten_state

VERSION = 1


def save(run: Any, path: str, previous: str | None = None) -> None:
    """Write the state of `run` to `path`, in one step; an older file goes to `previous`."""
    run.model.saved_run = capture(run)
    try:
        if previous is not None:
            with suppress(FileNotFoundError):
                os.replace(path, previous)
        saving.save_weights(run.model, path)
    finally:
        run.model.saved_run = None


def load(run: Any, path: str) -> None:
    """Bring `run` to the state in a file.

    Raises:
        ValueError: The file holds no run, or one of another model or other data.
    """
    state = unflatten_state(saving.read_extra(path))
    if not isinstance(state, dict) or state.get("version") != VERSION:
        raise ValueError(
            f"{path!r} holds weights but no training run to go on with. Received: a file that was "
            "not written by BackupAndRestore. Load it with `load_weights` instead."
        )
    _check(run, state)
    saving.load_weights(run.model, path)
    restore(run, state)


def capture(run: Any) -> dict[str, Any]:
    """The state of a run beside weights, optimizer and seeds, as a nest of plain values."""
    return {
        "version": VERSION,
        "epoch": run.epoch,
        "batch": run.batch,
        "stopped": bool(run.model.stop_training),
        "data": run.batches.state(within_epoch=run.batch > 0),
        "metrics": [[v.numpy() for v in m.variables] for m in run.model.metrics],
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
    run.epoch, run.batch = state["epoch"], state["batch"]
    run.model.stop_training = state["stopped"]
    random.setstate(state["python_random"])
    np.random.set_state(state["numpy_random"])


def _check(run: Any, state: dict[str, Any]) -> None:
    """Refuse a state of other metrics or callbacks, before anything is changed."""
    metrics = [len(m.variables) for m in run.model.metrics]
    if metrics != [len(values) for values in state["metrics"]]:
        raise ValueError(
            "The saved run used other metrics. Compile the model as it was. Received: "
            f"{run.model.metrics_names}."
        )
    names = [type(callback).__name__ for callback in run.hooks.stateful]
    saved = [name for name, _ in state["callbacks"]]
    if names != saved:
        raise ValueError(
            "A run is resumed with the callbacks that it was saved with, in the same order. "
            f"Expected: {saved}. Received: {names}."
        )
