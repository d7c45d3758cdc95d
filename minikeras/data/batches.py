"""Arrays cut into batches: who comes in which batch of which epoch."""

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from ..core import seeds, tree, validate
from .arrays import count_samples, to_array_or_text, to_nest
from .source import Source
from .weights import match_weights, weigh_classes

__all__ = ["ArrayData", "Table", "batch_size_of", "number_rows"]

_CHUNK = 8192  # rows numbered at a time, so that an epoch allocates nothing large


class Table:
    """Rows in memory, in an order.

    Args:
        x, y, sample_weight: Nests of arrays, all of as many rows.
        order: Row numbers, int64; by default the rows are taken as they come.
    """

    def __init__(
        self, x: Any, y: Any = None, sample_weight: Any = None, order: np.ndarray | None = None
    ):
        self.x, self.y, self.sample_weight = x, y, sample_weight
        self.permutation, self.shuffle = order, order is not None
        self.rows = len(tree.flatten(x)[0])

    def batch(self, start: int, stop: int) -> tuple[Any, Any, Any]:
        """`(x, y, sample_weight)` of a batch in the nests given: copies if ordered, else views."""
        rows = slice(start, stop) if self.permutation is None else self.permutation[start:stop]
        return take((self.x, self.y, self.sample_weight), rows)


class ArrayData(Source):
    """Samples held in arrays, checked once, and their order in each epoch.

    `x`, `y`, `sample_weight` are array-likes or nests of them, whose first axes all count the
    samples. `shuffle` is True (a new order of all samples each epoch), False, or "batch" (batches
    stay, their rows are shuffled). `class_weight` maps class to weight (for several outputs: a nest
    of such dicts shaped as `y`); where `sample_weight` is given too the two are multiplied. `steps`
    sets the batch size when `batch_size` is None, which else is 32. The order of an epoch depends
    on `seed` (by default drawn from the process-wide source) and the epoch's number only. Raises
    ValueError or TypeError before any work starts.

    >>> data = ArrayData(np.arange(5), shuffle=False, batch_size=2)
    >>> [(start, stop) for start, stop in data]
    [(0, 2), (2, 4), (4, 5)]
    """

    advice = "Pass more data, a smaller batch_size or fewer steps."

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int | None = None,
        steps: int | None = None,
        shuffle: bool | str = False,
        class_weight: Any = None,
        num_classes: int | None = None,
        seed: int | None = None,
    ):
        if x is None:
            raise ValueError("`x` must hold the samples. Received: None.")
        self.x, self.y = to_nest(x, "x", to_array_or_text), to_nest(y, "y")
        given = {"x": self.x, "y": self.y, "sample_weight": to_nest(sample_weight, "sample_weight")}
        self.num_samples = count_samples(given)
        weights = match_weights(self.y, given["sample_weight"])
        self.sample_weight = weigh_classes(self.y, weights, class_weight, num_classes)
        self.inputs: list[np.ndarray] = tree.flatten(self.x)
        self.targets: list[np.ndarray] = [] if self.y is None else tree.flatten(self.y)
        self.weights: list[np.ndarray | None] = (
            [None] * len(self.targets)
            if self.sample_weight is None
            else tree.flatten(self.sample_weight)
        )
        self.batch_size = batch_size_of(batch_size, steps, self.num_samples)
        self.num_batches = math.ceil(self.num_samples / self.batch_size)
        self.shuffle = shuffle if shuffle == "batch" else validate.boolean(shuffle, "shuffle")
        self.seed = seeds.next_seed() if self.shuffle and seed is None else seed
        self._permutation: np.ndarray | None = None

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The sizes that occur, in order: one, or that of full batches and that of the last."""
        rest = self.num_samples % self.batch_size
        full = (self.batch_size,) if self.num_samples >= self.batch_size else ()
        return (*full, rest) if rest else full

    @property
    def permutation(self) -> np.ndarray:
        """Row numbers in the order of this epoch, int64; one buffer for life, refilled in place."""
        order = self._permutation
        if order is None:
            order = self._permutation = np.empty(self.num_samples, np.int64)
            number_rows(order)
        return order

    def start_epoch(self, epoch: int) -> None:
        """Put the rows in the order of this epoch, counted from 0; without shuffling do nothing."""
        if not self.shuffle:
            return
        order = self.permutation
        number_rows(order)
        generator = np.random.default_rng(seeds.derive(self.seed, "order", epoch))
        if self.shuffle == "batch":
            for start, stop in self:
                generator.shuffle(order[start:stop])
        else:
            generator.shuffle(order)

    def open(self, number: int, start: int = 0, stop: int | None = None) -> Iterator[Any]:
        """`(start, stop)` of each batch of a pass, places in `permutation`."""
        self.start_epoch(number)
        return islice(iter(self), start, stop)

    def example(self) -> tuple[Any, Any, Any]:
        return self.batch(0, min(self.batch_size, self.num_samples))

    def __len__(self) -> int:
        return self.num_batches

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """`(start, stop)` of each batch, places in `permutation`."""
        for start in range(0, self.num_samples, self.batch_size):
            yield start, min(start + self.batch_size, self.num_samples)

    def batch(self, start: int, stop: int) -> tuple[Any, Any, Any]:
        """`(x, y, sample_weight)` of a batch in the nests given: copies if shuffled, else views."""
        rows = self.permutation[start:stop] if self.shuffle else slice(start, stop)
        return take((self.x, self.y, self.sample_weight), rows)


def take(nest: Any, rows: Any) -> Any:
    """The same rows of all arrays of a nest."""
    return tree.map_structure(lambda leaf: None if leaf is None else leaf[rows], nest)


def number_rows(order: np.ndarray) -> None:
    """Write 0, 1, 2, ... without allocating anything large."""
    for start in range(0, len(order), _CHUNK):
        part = order[start : start + _CHUNK]
        part[:] = np.arange(start, start + len(part))


def batch_size_of(batch_size: int | None, steps: int | None, num_samples: int) -> int:
    """The batch size given; else that which makes so many steps; else 32."""
    if batch_size is not None:
        return validate.positive_int(batch_size, "batch_size")
    if steps is not None:
        return math.ceil(num_samples / validate.positive_int(steps, "steps"))
    return 32
