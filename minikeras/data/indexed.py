"""The batches of a `PyDataset`, in the order of each pass, computed ahead if it has workers."""

import itertools
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any

import numpy as np

from ..core import seeds, validate
from .packing import unpack_batch
from .source import Source
from .workers import Ahead

__all__ = ["IndexedData"]


class IndexedData(Source):
    """Batches of a `PyDataset` (or of an object like it); a place is `(x, y, sample_weight)`.

    Args:
        dataset: The data set.
        shuffle: Ask for the batches in a new order each pass, given that they have an end and that
            the data set does not say that it has an order (`in_order`).
        seed: What the orders are derived from; by default drawn from the process-wide source.
    """

    advice = "Pass at most as many steps as the PyDataset has batches, or none."

    def __init__(self, dataset: Any, shuffle: Any = False, seed: int | None = None):
        self._dataset = dataset
        self._name = type(dataset).__name__
        self.num_batches = _number_of_batches(dataset, self._name)
        self.endless = self.num_batches is None
        in_order = self.endless or getattr(dataset, "in_order", False)
        self._shuffle = bool(shuffle) and not in_order
        self.seed = seeds.next_seed() if self._shuffle and seed is None else seed
        self._begun = False  # whether `on_epoch_begin` was called for the pass to come

    def example(self) -> tuple[Any, Any, Any]:
        self._begin()
        return self._batch(0)

    def open(self, number: int, start: int = 0, stop: int | None = None) -> Iterator[Any]:
        self._begin()
        try:
            with closing(self._batches(self._indices(number, start, stop))) as batches:
                yield from batches
        except GeneratorExit:  # training stops within the epoch
            self._end()
            raise
        self._end()

    def _indices(self, number: int, start: int, stop: int | None) -> Iterable[int]:
        if self.num_batches is None:
            return itertools.islice(itertools.count(start), None if stop is None else stop - start)
        order = np.arange(self.num_batches)
        if self._shuffle:
            np.random.default_rng(seeds.derive(self.seed, "order", number)).shuffle(order)
        return order[start:stop].tolist()

    def _batches(self, indices: Iterable[int]) -> Generator[Any]:
        dataset = self._dataset
        workers = getattr(dataset, "workers", 1)
        if workers < 2 and not (workers and getattr(dataset, "use_multiprocessing", False)):
            yield from map(self._batch, indices)
            return
        ahead = getattr(dataset, "max_queue_size", 10)
        with Ahead(self._batch, indices, workers=workers, ahead=ahead) as batches:
            yield from batches

    def _batch(self, index: int) -> tuple[Any, Any, Any]:
        return unpack_batch(self._dataset[index], f"{self._name}.__getitem__")

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            getattr(self._dataset, "on_epoch_begin", _nothing)()

    def _end(self) -> None:
        self._begun = False
        getattr(self._dataset, "on_epoch_end", _nothing)()


def _number_of_batches(dataset: Any, name: str) -> int | None:
    count = dataset.num_batches if hasattr(dataset, "num_batches") else len(dataset)
    if count is None:
        return None
    count = validate.non_negative_int(count, "number of batches", name)
    if count == 0:
        raise ValueError(
            f"{name} is empty: at least one batch is needed. Received: a length of 0 batches. "
            "With fewer samples than a batch holds, round up: "
            "`math.ceil(samples / batch_size)`."
        )
    return count


def _nothing() -> None:
    """The hook of a data set that has none."""
