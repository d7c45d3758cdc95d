"""What `fit` evaluates between epochs, and the pass of test steps over batches."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from ..callbacks import CallbackList
from ..core import validate
from ..data import ArrayData
from . import preparation
from .feeding import Feeder
from .interrupts import Interrupts


def evaluate_batches(
    model: Any,
    feeder: Feeder,
    places: Iterable[Any],
    hooks: Any,
    interrupts: Interrupts | None = None,
) -> None:
    """The test step for each batch."""
    model.reset_metrics()
    quiet, results, run = not hooks.has_batch_hooks, model.get_metrics_result, feeder.run
    for batch, place in enumerate(places):
        if not quiet:
            hooks.on_test_batch_begin(batch)
        run(place)
        hooks.on_test_batch_end(batch, results)
        if interrupts is not None and interrupts.seen:
            raise KeyboardInterrupt


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
        self.arrays: Any = None  # (x, y, sample_weight)
        if self.given:
            x, y, weight = preparation.unpack(data)
            preparation.require_loss(model, y)
            x, y = preparation.prepare(model, x, y, "validation_data")
            self._data = ArrayData(x, y, weight, batch_size=batch_size)
            self.arrays = (self._data.x, self._data.y, self._data.sample_weight)
            self._feeder = Feeder(model.steps("test"), self._data, model.step_data)

    def due(self, epoch: int) -> bool:
        """Whether to validate after this epoch, counted from 0."""
        if not self.given:
            return False
        if isinstance(self._frequency, int):
            return (epoch + 1) % self._frequency == 0
        return epoch + 1 in self._frequency

    def run(self, model: Any, hooks: CallbackList, interrupts: Interrupts) -> dict[str, float]:
        """Loss and metrics, their names with "val_" in front."""
        hooks.on_test_begin()
        evaluate_batches(model, self._feeder, islice(self._data, self._steps), hooks, interrupts)
        logs = model.get_metrics_result()
        hooks.on_test_end(logs)
        return {f"val_{name}": value for name, value in logs.items()}

    def close(self) -> None:
        if self.given:
            self._feeder.close()
