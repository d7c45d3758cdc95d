"""PyDataset: batches that a user's class computes, by index."""

import itertools
from collections.abc import Iterator, Sized
from typing import Any

from ..core import validate

__all__ = ["PyDataset"]


class PyDataset:
    """Base of data sets whose batches are computed by Python code, one at a time.

    Define `__getitem__(index)`, which returns a whole batch (`(x, y)`, `(x, y, sample_weight)` or
    `x`), and `__len__`, the number of batches. For data without an end define the property
    `num_batches` to return None instead, and pass `steps_per_epoch` to `fit`.

    With `shuffle=True`, `fit` asks for the batches of each epoch in a new order, derived from the
    seed of `set_random_seed`; what a batch consists of is yours. `on_epoch_begin` and
    `on_epoch_end` are called around each pass. A resumed run asks for the same batches in the same
    order as the one that was interrupted; it ends in the same bits if a batch depends on nothing
    but its index.

    Args:
        workers: Threads that compute batches ahead; with 1 (or 0) each is computed when it is
            needed. The order, and so the result, is the same for any number. More than one may
            call `__getitem__` at the same time.
        use_multiprocessing: Compute ahead even with one worker. Workers are always threads, never
            processes (numpy and file reading release the interpreter); no number depends on it.
        max_queue_size: Batches that may be ready or under way ahead of training; bounds memory.

    >>> import numpy as np
    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         x = np.arange(4.0)[:, None] + index
    ...         return x, x**2
    >>> len(Squares(workers=2)), Squares()[1][0].shape
    (3, (4, 1))
    """

    # here too, for subclasses whose constructor does not call this one
    _workers = 1
    _use_multiprocessing = False
    _max_queue_size = 10

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """Threads that compute batches ahead."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = validate.non_negative_int(value, "workers", type(self).__name__)

    @property
    def use_multiprocessing(self) -> bool:
        """Whether to compute ahead even with one worker."""
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        name = type(self).__name__
        self._use_multiprocessing = validate.boolean(value, "use_multiprocessing", name)

    @property
    def max_queue_size(self) -> int:
        """Batches that may be ready or under way ahead of training."""
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = validate.positive_int(value, "max_queue_size", type(self).__name__)

    @property
    def num_batches(self) -> int | None:
        """Batches of a pass, `len(self)` unless overridden; None: there is no end."""
        if isinstance(self, Sized):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__} must define `__len__`, the number of its batches, or the "
            "property `num_batches` (None for data without an end)."
        )

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} must define `__getitem__(index)`, which returns a batch."
        )

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Called before the first batch of each epoch."""

    def on_epoch_end(self) -> None:
        """Called after the last batch of each epoch."""
