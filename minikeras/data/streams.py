"""Batches that somebody else's iterable yields: generators, loaders, data sets of other libraries.

Nothing is known of them but that they can be iterated, some of them again and again.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..core import tree
from .packing import unpack_batch
from .source import Source

__all__ = ["StreamData"]

_END: Any = object()


class StreamData(Source):
    """Batches of an iterable; a place is `(x, y, sample_weight)`.

    An iterator (a generator) can be passed over once. What is skipped is drawn and dropped.

    Args:
        batches: The iterable. Where it has a length, a pass has that many batches at most.
        keep: Keep the batches of an iterator, so that it can be passed over again.
        name: What messages call it.
    """

    exact = False

    def __init__(self, batches: Iterable[Any], keep: bool = False, name: str = "x"):
        self._owner = f"`{name}` ({type(batches).__name__})"
        self.once = hasattr(batches, "__next__") and not keep
        self.endless = _is_endless(batches)
        self.num_batches = _length(batches)
        self._iterable = _Kept(batches) if hasattr(batches, "__next__") and keep else batches
        self._iterator: Iterator[Any] | None = None
        self._pass: int | None = None  # the pass under way; None: whichever is asked for next
        self._drawn = 0  # batches given out in it
        self._waiting: list[Any] = []  # drawn, but not given out yet
        self.advice = (
            "Let it yield at least `steps_per_epoch * epochs` batches, or pass something that can "
            "be iterated anew for each epoch, such as a PyDataset."
            if self.once
            else "Pass fewer steps, or none."
        )

    def example(self) -> tuple[Any, Any, Any]:
        if not self.has_more():
            raise ValueError(
                f"{self._owner} yielded no batch: at least one is needed. Received: an iterable "
                "that ended at once. A generator that was used before is empty; make a new one."
            )
        return unpack_batch(self._waiting[0], self._owner)

    def has_more(self, position: int = 0) -> bool:
        if self._iterator is None:
            self._begin()
        if self.once:
            self._go_to(0, max(position, self._drawn))
        if not self._waiting:
            batch = next(self._iterator, _END)  # type: ignore[arg-type]
            if batch is _END:
                return not self.once and self._drawn > 0
            self._waiting.append(batch)
        return True

    def open(self, number: int, start: int = 0, stop: int | None = None) -> Iterator[Any]:
        self._go_to(number, start)
        stop = self.num_batches if stop is None else stop
        while stop is None or self._drawn < stop:
            batch = self._draw()
            if batch is _END:
                break
            yield unpack_batch(batch, self._owner)
        if self._drawn == self.num_batches and not self.once:
            self._iterator = None

    def close(self) -> None:
        if not self.once:
            self._iterator = None

    def _go_to(self, number: int, start: int) -> None:
        """Stand before batch `start` of a pass."""
        number = 0 if self.once else number
        if self._iterator is None or self._pass not in (None, number) or self._drawn > start:
            self._begin()
        self._pass = number
        while self._drawn < start and self._draw() is not _END:
            pass

    def _begin(self) -> None:
        if self.once and self._iterator is not None:
            raise RuntimeError(f"{self._owner} can be iterated once only.")
        self._iterator, self._pass, self._drawn = iter(self._iterable), None, 0
        self._waiting.clear()

    def _draw(self) -> Any:
        batch = self._waiting.pop() if self._waiting else next(self._iterator, _END)  # type: ignore[arg-type]
        if batch is _END:
            self.num_batches = self._drawn  # now it is known
        else:
            self._drawn += 1
        return batch


class _Kept:
    """An iterator whose items are kept (copied), so that it can be iterated any number of times."""

    def __init__(self, items: Iterable[Any]):
        self._items = iter(items)
        self._kept: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        for place in itertools.count():
            if place == len(self._kept):
                item = next(self._items, _END)
                if item is _END:
                    return
                self._kept.append(tree.map_structure(_copied, item))
            yield self._kept[place]


def _copied(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _length(batches: Any) -> int | None:
    try:
        return len(batches)
    except (TypeError, NotImplementedError):  # none, or not known (loaders over iterables)
        return None


def _is_endless(batches: Any) -> bool:
    """Whether an iterable is known never to end."""
    if hasattr(batches, "cardinality"):  # of tf.data: -1 means infinite, -2 unknown
        return int(batches.cardinality()) == -1
    return isinstance(batches, itertools.count | itertools.cycle)
