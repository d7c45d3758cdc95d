"""What `fit` evaluates between epochs, and the pass of test steps over batches."""

from __future__ import annotations

from collections.abc import Container
from contextlib import closing
from typing import Any

from ..callbacks import CallbackList
from ..core import validate
from ..data import ArrayData, WindowedData, data_kind, unpack_x_y_sample_weight
from .batches import Batches
from .interrupts import Interrupts
from .opening import Opened, open_data
from .results import Results


def evaluate_batches(
    model: Any,
    data: Opened,
    steps: int | None,
    hooks: Any,
    interrupts: Interrupts | None = None,
) -> dict[str, Any]:
    """The test step for each batch of a pass, or for the first `steps`; the results by name."""
    model.reset_metrics()
    results = Results(model, "test", data.feeder)
    quiet, run = not hooks.has_batch_hooks, results.run
    with closing(Batches(data.source, steps)) as batches:
        for batch, place in enumerate(batches.epoch(0)):
            if not quiet:
                hooks.on_test_batch_begin(batch)
            run(place)
            hooks.on_test_batch_end(batch, results)
            if interrupts is not None and interrupts.seen:
                raise KeyboardInterrupt
    return results()


class Validation:
    """What `fit` evaluates between epochs.

    Each time the same samples are evaluated: of a generator, the batches are kept in memory.

    Args:
        model: The model.
        data: (x, y) or (x, y, sample_weight), or batches as `fit` takes them; None for no
            validation.
        batch_size: Samples per step, where `data` are arrays; None where they have batches.
        default_batch_size: The same, where it was not said.
        steps: Batches to evaluate; all by default.
        frequency: Every so many epochs, or a collection of epochs, counted from 1.
    """

    def __init__(
        self,
        model: Any,
        data: Any,
        batch_size: int | None,
        default_batch_size: int | None,
        steps: int | None,
        frequency: Any,
    ):
        self.given = data is not None
        self._frequency = _frequency(frequency)
        if steps is not None:
            validate.positive_int(steps, "validation_steps", "fit")
        self._steps = steps
        self.arrays: Any = None  # (x, y, sample_weight), unless they come in batches
        if self.given:
            x, y, weight = unpack_validation(data)
            if batch_size is None and data_kind(x, "validation_data") == "arrays":
                batch_size = default_batch_size
            self._data = open_data(
                model,
                "test",
                x,
                y,
                weight,
                name="validation_data",
                batch_size=batch_size,
                keep=True,
            )
            Batches(self._data.source, steps)  # refuses data without an end
            source = self._data.source
            if isinstance(source, ArrayData):
                self.arrays = (source.x, source.y, source.sample_weight)
            elif isinstance(source, WindowedData):
                self.arrays = (x, y, weight)

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
        logs = evaluate_batches(model, self._data, self._steps, hooks, interrupts)
        hooks.on_test_end(logs)
        return {f"val_{name}": value for name, value in logs.items()}

    def close(self) -> None:
        if self.given:
            self._data.close()


def unpack_validation(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of validation data: a tuple of them, or batches, which hold them."""
    nested = isinstance(data, list | tuple)
    wrong_length = nested and not 1 <= len(data) <= 3
    if wrong_length or (hasattr(data, "__array__") and not nested):
        raise ValueError(
            "validation_data must be a tuple (x, y) or (x, y, sample_weight), or batches such as a "
            f"PyDataset. Received: {type(data).__name__}"
            + (f" of length {len(data)}." if wrong_length else ".")
        )
    return unpack_x_y_sample_weight(data)


def _frequency(value: Any) -> int | Container[int]:
    if isinstance(value, list | tuple | set | frozenset | range) or hasattr(value, "__contains__"):
        return value
    return validate.positive_int(value, "validation_freq", "fit")
