"""What `fit` evaluates between epochs, and the pass of test steps over batches."""

from __future__ import annotations

import warnings
from collections.abc import Container, Iterator
from contextlib import closing, contextmanager
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
        for name, value in (("validation_steps", steps), ("validation_batch_size", batch_size)):
            if value is not None:
                validate.positive_int(value, name, "fit")
                self._require_data(name, value)
        if not isinstance(self._frequency, int) or self._frequency != 1:
            self._require_data("validation_freq", frequency)
        self._steps = steps
        self.arrays: Any = None  # (x, y, sample_weight), unless they come in batches
        if self.given:
            with _naming_validation():
                self._open(model, data, batch_size, default_batch_size)

    def _open(self, model: Any, data: Any, batch_size: int | None, default: int | None) -> None:
        x, y, weight = unpack_validation(data)
        if batch_size is None and data_kind(x, "validation_data") == "arrays":
            batch_size = default
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
        Batches(self._data.source, self._steps)  # refuses data without an end
        source = self._data.source
        if isinstance(source, ArrayData):
            self.arrays = (source.x, source.y, source.sample_weight)
        elif isinstance(source, WindowedData):
            self.arrays = (x, y, weight)

    def _require_data(self, name: str, value: Any) -> None:
        if not self.given:
            warnings.warn(
                f"fit: `{name}` has no effect without validation_data or validation_split. "
                f"Received: {name}={value!r}.",
                stacklevel=6,
            )

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
    if not hasattr(value, "__contains__"):
        return validate.positive_int(value, "validation_freq", "fit")
    if isinstance(value, str) or (hasattr(value, "__len__") and len(value) == 0):
        raise ValueError(
            "fit: `validation_freq` must be a positive integer, or a collection of epochs, counted "
            f"from 1. Received: {value!r}."
        )
    return value


@contextmanager
def _naming_validation() -> Iterator[None]:
    """Errors about the data say that they are those to validate on."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if "validation" in str(error) or type(error) not in (TypeError, ValueError):
            raise
        raise type(error)(f"validation_data: {error}") from error
