"""Data sets of batches that can be changed, cut and kept, as those of `tf.data` can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import validate
from .dataset import PyDataset

__all__ = ["ChainedDataset"]


class ChainedDataset(PyDataset):
    """A `PyDataset` of known length with the methods of `tf.data` that scripts for Keras use.

    Attributes:
        in_order: Whether `fit` too takes the batches in order: the data set was not to be shuffled.

    >>> import numpy as np
    >>> from minikeras.utils import timeseries_dataset_from_array
    >>> windows = timeseries_dataset_from_array(np.arange(5.0), None, 3, batch_size=1)
    >>> doubled = windows.map(lambda x: 2 * x).take(2)
    >>> [batch.tolist() for batch in doubled]
    [[[0.0, 2.0, 4.0]], [[2.0, 4.0, 6.0]]]
    """

    in_order = False

    def __len__(self) -> int:
        raise NotImplementedError

    def map(
        self,
        function: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: Any = None,
    ) -> ChainedDataset:
        """The data set of what `function` makes of each batch, whose parts are its arguments.

        It is called whenever a batch is asked for, outside of what is recorded. How many calls run
        at a time (`workers` says that) and in which order changes no number.
        """
        del num_parallel_calls, deterministic
        return _Mapped(self, function)

    def take(self, count: int) -> ChainedDataset:
        """The first batches."""
        return _Part(self, 0, validate.non_negative_int(count, "count", "take"))

    def skip(self, count: int) -> ChainedDataset:
        """All batches but the first ones."""
        return _Part(self, validate.non_negative_int(count, "count", "skip"), None)

    def cache(self) -> ChainedDataset:
        """The same batches, each computed once and kept in memory."""
        return _Kept(self)

    def prefetch(self, buffer_size: Any = None) -> ChainedDataset:
        """The same data set: `workers` says how much is computed ahead."""
        del buffer_size
        return self


class _Mapped(ChainedDataset):
    def __init__(self, source: ChainedDataset, function: Callable[..., Any]):
        super().__init__()
        if not callable(function):
            raise TypeError(f"`map` takes a function. Received: {function!r}.")
        self._source, self._function = source, function
        self.in_order = source.in_order

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> Any:
        batch = self._source[index]
        return self._function(*batch) if isinstance(batch, tuple) else self._function(batch)


class _Part(ChainedDataset):
    def __init__(self, source: ChainedDataset, start: int, count: int | None):
        super().__init__()
        rest = max(0, len(source) - start)
        self._source, self._start = source, start
        self.in_order = source.in_order
        self._count = rest if count is None else min(count, rest)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Any:
        return self._source[self._start + index]


class _Kept(ChainedDataset):
    def __init__(self, source: ChainedDataset):
        super().__init__()
        self._source, self._batches = source, {}  # type: ignore[var-annotated]
        self.in_order = source.in_order

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> Any:
        if index not in self._batches:
            self._batches[index] = self._source[index]
        return self._batches[index]
