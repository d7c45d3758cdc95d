"""Results of a phase so far: the running means, or what a step of the model's own returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..autodiff.tape import unwrap
from ..core import tree
from .feeding import Feeder


class Results:
    """Runs the step of a phase batch after batch and tells the results so far.

    Args:
        model: The model.
        phase: "train" or "test".
        feeder: Runs the step on a batch.

    Attributes:
        run: Runs the step on the batch at a place.
    """

    def __init__(self, model: Any, phase: str, feeder: Feeder):
        self._model, self._phase, self._feed = model, phase, feeder.run
        self._latest: Any = None
        self._metrics: list[tuple[str, Any]] | None = None
        self.run = self._run_and_keep if model.has_own_step(phase) else feeder.run

    def _run_and_keep(self, place: Any) -> None:
        self._latest = self._feed(place)

    def __call__(self) -> dict[str, Any]:
        """Name to number."""
        if self._latest is None:
            return self._of_metrics()
        return own_results(self._model, self._phase, self._latest)

    def _of_metrics(self) -> dict[str, Any]:
        """The running means; which metrics there are is found once: callbacks ask at every step."""
        if self._model.has_own_results:
            return self._model.get_metrics_result()
        known = self._metrics
        if known is None:
            known = self._metrics = self._model.metrics_by_name()
        return {name: number(metric.result()) for name, metric in known}


def own_results(model: Any, phase: str, returned: Any) -> dict[str, Any]:
    """The results that a step of the model's own returned; those of its metrics, if they are that.

    Raises:
        TypeError: It returned anything but a dict.
    """
    structure = model.steps(phase).structure
    if isinstance(returned, list) and structure is not None:
        returned = tree.pack_sequence_as(structure, returned)
    if not isinstance(returned, Mapping):
        raise TypeError(
            f"`{phase}_step` must return a dict of results, such as "
            f"{{'loss': loss}}. Received: "
            f"{type(returned).__name__ if returned else 'None. Does it miss a `return`?'}"
        )
    if set(returned) == set(model.metrics_names) and not _ignores_trackers(model):
        return model.get_metrics_result()
    return {name: number(value) for name, value in returned.items()}


def _ignores_trackers(model: Any) -> bool:
    """Whether the step never took its loss into the running mean, which is 0 for ever then."""
    return model.compiled is not None and float(model.compiled.loss_tracker.count.value) == 0


def in_order(model: Any, logs: Mapping[str, Any]) -> list[Any]:
    """Results in the order of `metrics_names`, further ones by name."""
    names = [name for name in model.metrics_names if name in logs]
    return [logs[name] for name in [*names, *sorted(set(logs) - set(names))]]


def number(value: Any) -> Any:
    """A Python float of anything with one element and no axes; an array of the rest."""
    array = np.asarray(unwrap(value))
    return float(array) if array.ndim == 0 else array
