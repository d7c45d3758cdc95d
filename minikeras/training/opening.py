"""From what the user passed as data to a source of batches and the feeder that goes with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..data import (
    ArrayData,
    IndexedData,
    Source,
    StreamData,
    WindowedData,
    count_samples,
    data_kind,
    has_stored,
    match_weights,
    to_lazy_nest,
    to_nest,
    weigh_classes,
)
from . import preparation
from .feeding import BatchFeeder, Feeder, RowFeeder, WindowFeeder
from .outputs import output_names, shared_out


class Opened(NamedTuple):
    """Data ready to be worked on."""

    source: Source
    feeder: Feeder

    def close(self) -> None:
        self.feeder.close()
        self.source.close()


class Preparer:
    """Brings (x, y, sample_weight) to the form in which a step takes them, checking all of it.

    Args:
        model: The model.
        phase: "train", "test" or "predict", which has no use for targets.
        class_weight: Weights of classes, multiplied into the sample weights.
        name: What messages call x.
        whole: Whether all samples come at once, so that all classes are among them.
    """

    def __init__(
        self,
        model: Any,
        phase: str,
        class_weight: Any = None,
        name: str = "x",
        whole: bool = True,
    ):
        self._model, self._phase, self._name = model, phase, name
        self._class_weight, self._whole = class_weight, whole

    def __call__(self, x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        """Of one batch, or of all samples."""
        model, name = self._model, self._name
        if self._phase == "predict":
            return preparation.prepare(model, x, None, name)[0], None, None
        preparation.require_loss(model, y)
        x, y = preparation.prepare(model, x, y, name)
        weights = to_nest(sample_weight, "sample_weight")
        count_samples({"x": x, "y": y, "sample_weight": weights})
        weights = match_weights(y, self._by_output(x, y, weights, "sample_weight", tree.is_nested))
        if not self._class_weight:
            return x, y, weights
        tables = self._by_output(x, y, self._class_weight, "class_weight", _names_outputs)
        classes = preparation.number_of_classes(model, x) if self._whole else math.inf
        return x, y, weigh_classes(y, weights, tables, classes)

    def _by_output(
        self, x: Any, y: Any, given: Any, argument: str, is_nest: Callable[[Any], bool]
    ) -> Any:
        """Weights said of each output, in order or by name, as a nest shaped as `y`."""
        if not tree.is_nested(y) or not is_nest(given) or not self._model.has_call:
            return given
        names = output_names(self._model.output_for(x), self._model.output_names)
        if isinstance(y, dict) == isinstance(given, dict) or len(names) == 1:
            return given
        parts = shared_out(given, names, argument, lambda value: not is_nest(value))
        if not isinstance(y, dict):
            return parts
        by_name = dict(zip(names, parts, strict=True))
        return {key: by_name.get(key) for key in y}


def _names_outputs(class_weight: Any) -> bool:
    """Whether weights of classes are told for each output, rather than as one table for all."""
    if isinstance(class_weight, dict):
        return any(isinstance(value, dict) for value in class_weight.values())
    return tree.is_nested(class_weight)


def open_data(
    model: Any,
    phase: str,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    name: str = "x",
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: Any = False,
    class_weight: Any = None,
    keep: bool = False,
) -> Opened:
    """Open what the user passed for a phase of a model ("train", "test" or "predict").

    Args:
        batch_size, steps: Samples per batch; for arrays `steps` sets it where it is not given.
        keep: The data will be passed over several times, even if they come from an iterator.

    Raises:
        ValueError, TypeError: The data fit neither the model nor each other, or arguments that
            have no meaning for this kind of data.
    """
    kind = data_kind(x, name)
    whole = kind == "arrays" and not has_stored((x, y, sample_weight))
    prepare = Preparer(model, phase, class_weight, name, whole)
    data_of = _only_x if phase == "predict" else model.step_data
    step = model.steps(phase)
    if whole:
        x, y, sample_weight = prepare(x, y, sample_weight)
        sizes = {"batch_size": batch_size, "steps": steps, "shuffle": shuffle}
        data = ArrayData(x, y, sample_weight, **sizes)
        return Opened(data, RowFeeder(step, data, data_of))
    if kind != "arrays":
        _refuse_extras(x, name, y=y, sample_weight=sample_weight, batch_size=batch_size)
        return _open_batches(kind, x, name, shuffle, keep, prepare, step, data_of)
    if phase != "predict":
        preparation.require_loss(model, y)
    nests = _lazy_nests({name: x, "y": y, "sample_weight": sample_weight})
    windows = WindowedData(*nests, batch_size=batch_size, steps=steps, shuffle=shuffle)
    with _closing_on_error(windows):
        _check_whole(model, phase, prepare(*windows.example())[0], *nests[1:])
    return Opened(windows, WindowFeeder(step, prepare, data_of))


def _lazy_nests(given: dict[str, Any]) -> list[Any]:
    """Each value, by its name, as a nest of arrays and of rows that stay in their file."""
    return [to_lazy_nest(value, name) for name, value in given.items()]


def _check_whole(model: Any, phase: str, x: Any, y: Any, sample_weight: Any) -> None:
    """Targets that lie in memory are checked all at once, though x is read bit by bit.

    Args:
        x: Some of the inputs, as the model takes them.
    """
    if phase == "predict" or y is None or has_stored((y, sample_weight)):
        return
    rows = len(tree.flatten(y)[0])
    repeated = tree.map_structure(lambda a: np.broadcast_to(a[:1], (rows, *a.shape[1:])), x)
    match_weights(preparation.prepare_targets(model, repeated, y), sample_weight)


def _open_batches(
    kind: str,
    x: Any,
    name: str,
    shuffle: Any,
    keep: bool,
    prepare: Preparer,
    step: Any,
    data_of: Callable[..., tuple],
) -> Opened:
    """Of data that come in batches; the first one is checked now."""
    if kind == "indexed":
        source: Source = IndexedData(x, shuffle)
    else:
        if shuffle == "batch":
            raise ValueError(
                f"shuffle='batch' needs data that can be indexed. Received: `{name}` of type "
                f"{type(x).__name__}, whose batches come in an order of their own."
            )
        source = StreamData(x, keep, name)
    with _closing_on_error(source):
        prepare(*source.example())
    return Opened(source, BatchFeeder(step, prepare, data_of))


@contextmanager
def _closing_on_error(source: Source) -> Iterator[None]:
    try:
        yield
    except BaseException:
        source.close()
        raise


def _refuse_extras(x: Any, name: str, **given: Any) -> None:
    """Arguments that arrays need beside them, and batches bring with them."""
    for argument, value in given.items():
        if value is not None:
            what = "makes batches of its own" if argument == "batch_size" else "brings it along"
            raise ValueError(
                f"`{argument}` cannot be given together with `{name}` of type "
                f"{type(x).__name__}, which {what} as `(x, y)` or `(x, y, sample_weight)`. "
                f"Received: {argument} of type {type(value).__name__}. Leave it out."
            )


def _only_x(x: Any, y: Any, sample_weight: Any) -> tuple:
    return (x,)
