"""Data larger than memory: read a window at a time, in an order that is random and quick to read.

A pass puts *blocks* of neighbouring rows in random order, and cuts this sequence of rows into
*windows* of some megabytes. The rows of a window are read while the one before is being used, and
shuffled among themselves; as a window holds many blocks, from anywhere in the file, a batch is a
fair sample of the data. Blocks are made of whole chunks, where the file has any.

The order of a pass depends on the seed and its number only; what a resumed run skips is not read.
"""

import functools
import math
from collections.abc import Generator, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..core import seeds, tree, validate
from .arrays import count_samples
from .batches import Table, batch_size_of, number_rows
from .source import Source
from .stored import Stored
from .workers import Ahead

__all__ = ["Place", "WindowedData"]

SHUFFLED, IN_ORDER = 32 << 20, 8 << 20  # bytes of a window
LARGEST = 128 << 20  # bytes of a window that large chunks may cause
BLOCK = 512 << 10  # bytes of a block
BLOCKS = 4  # of a window, at the least
EXAMPLE = 32  # rows


class Place(NamedTuple):
    """The rows `start` to `stop`, in their present order, of a window."""

    window: Table
    start: int
    stop: int


class WindowedData(Source):
    """Samples that lie in files (and, some of them, in arrays); places are `Place`s.

    A window is overwritten once the second next one is asked for.

    Args:
        x, y, sample_weight: Nests of `Stored` rows, arrays and None.
        batch_size, steps, shuffle, seed: As those of `ArrayData`.
        window_bytes, block_bytes: Sizes to aim at.

    Raises:
        ValueError: Numbers of samples that differ, or a bad argument.
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
        shuffle: Any = False,
        seed: int | None = None,
        window_bytes: int | None = None,
        block_bytes: int = BLOCK,
    ):
        self._nests = (x, y, sample_weight)
        self._leaves = [leaf for leaf in tree.flatten(self._nests) if leaf is not None]
        self.num_samples = count_samples({"x": x, "y": y, "sample_weight": sample_weight})
        self.batch_size = batch_size_of(batch_size, steps, self.num_samples)
        self.num_batches = math.ceil(self.num_samples / self.batch_size)
        self.shuffle = shuffle if shuffle == "batch" else validate.boolean(shuffle, "shuffle")
        self.seed = seeds.next_seed() if self.shuffle and seed is None else seed
        aim = window_bytes or (SHUFFLED if self.shuffle else IN_ORDER)
        self.block, self.batches_per_window = self._sizes(aim, block_bytes)
        self._buffers: list[_Buffer | None] = [None, None]

    def _sizes(self, window_bytes: int, block_bytes: int) -> tuple[int, int]:
        """Rows of a block, and batches of a window."""
        row = sum(leaf.nbytes for leaf in self._leaves) // self.num_samples + 8
        stored = [leaf for leaf in self._leaves if isinstance(leaf, Stored)]
        chunk = max((leaf.chunk for leaf in stored), default=1)
        block = math.ceil(max(1, block_bytes // row) / chunk) * chunk
        rows = max(window_bytes // row, min(BLOCKS * block, LARGEST // row))
        return block, max(1, min(rows // self.batch_size, self.num_batches))

    def example(self) -> tuple[Any, Any, Any]:
        buffer = _Buffer(self._nests, min(EXAMPLE, self.num_samples), False)
        self._read([(0, buffer.rows)], buffer)
        return buffer.nests(buffer.rows)

    def open(self, number: int, start: int = 0, stop: int | None = None) -> Generator[Place]:
        per_window, size, end = self.batches_per_window, self.batch_size, self.num_batches
        if stop is not None:
            end = min(stop, end)
        order = _Order(self, number)
        indices = range(start // per_window, -(-end // per_window))
        load = functools.partial(self._window, order)
        with Ahead(load, indices, workers=1, ahead=1) as windows:
            for index, window in zip(indices, windows, strict=True):
                first = index * per_window
                for batch in range(max(start, first), min(end, first + per_window)):
                    begin = (batch - first) * size
                    yield Place(window, begin, min(begin + size, window.rows))

    def close(self) -> None:
        self._buffers = [None, None]
        for leaf in self._leaves:
            if isinstance(leaf, Stored):
                leaf.close()

    def _window(self, order: "_Order", index: int) -> Table:
        """The rows of a window, read unless they lie in its buffer still."""
        size = self.batches_per_window * self.batch_size
        begin = index * size
        rows = min(size, self.num_samples - begin)
        buffer = self._buffers[index % 2]
        if buffer is None:
            capacity = min(size, self.num_samples)
            buffer = _Buffer(self._nests, capacity, bool(self.shuffle))
            self._buffers[index % 2] = buffer
        key = (order.number, self.seed, index)
        if buffer.holds != key:
            buffer.holds = None
            self._read(order.pieces(begin, begin + rows), buffer)
            if buffer.order is not None:
                order.mix(buffer.order[:rows], index)
            buffer.holds = key
        return buffer.table(rows)

    def _read(self, pieces: list[tuple[int, int]], buffer: "_Buffer") -> None:
        for leaf, array in zip(self._leaves, buffer.arrays, strict=True):
            at = 0
            for start, stop in pieces:
                out = array[at : at + stop - start]
                if isinstance(leaf, Stored):
                    leaf.read(start, stop, out)
                else:
                    out[...] = leaf[start:stop]
                at += stop - start


class _Order:
    """Where the rows of one pass come from."""

    def __init__(self, data: WindowedData, number: int):
        self.number = number
        self._data = data
        self._starts = np.arange(0, data.num_samples, data.block)
        if data.shuffle is True:
            self._generator("order").shuffle(self._starts)
        self._ends = np.cumsum(np.minimum(data.block, data.num_samples - self._starts))

    def pieces(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Ranges of rows that are the `begin`-th to `end`-th of the pass, in the order of files."""
        first, last = np.searchsorted(self._ends, (begin, end - 1), side="right")
        starts = self._starts[first : last + 1].copy()
        stops = starts + np.diff(self._ends[first : last + 1], prepend=self._begin_of(first))
        starts[0] += begin - self._begin_of(first)
        stops[-1] -= self._ends[last] - end
        return _joined(sorted(zip(starts.tolist(), stops.tolist(), strict=True)))

    def mix(self, order: np.ndarray, index: int) -> None:
        """Write an order of the rows of a window."""
        number_rows(order)
        generator, data = self._generator("window", index), self._data
        size = data.batch_size if data.shuffle == "batch" else len(order)
        for start in range(0, len(order), size):
            generator.shuffle(order[start : start + size])

    def _begin_of(self, block: int) -> int:
        return int(self._ends[block - 1]) if block else 0

    def _generator(self, *purpose: Any) -> np.random.Generator:
        return np.random.default_rng(seeds.derive(self._data.seed, *purpose, self.number))


def _joined(pieces: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted ranges, those that touch made one."""
    result: list[tuple[int, int]] = []
    for start, stop in pieces:
        if result and result[-1][1] == start:
            start = result.pop()[0]
        result.append((start, stop))
    return result


class _Buffer:
    """Memory for the rows of one window."""

    def __init__(self, nests: tuple, rows: int, ordered: bool):
        self.rows = rows
        self.holds: Any = None  # which window of which pass

        def allocate(leaf: Any) -> np.ndarray | None:
            return None if leaf is None else np.empty((rows, *leaf.shape[1:]), leaf.dtype)

        self._nests = tree.map_structure(allocate, nests)
        self.arrays = [leaf for leaf in tree.flatten(self._nests) if leaf is not None]
        self.order = np.empty(rows, np.int64) if ordered else None

    def nests(self, rows: int) -> tuple[Any, Any, Any]:
        return tree.map_structure(lambda leaf: None if leaf is None else leaf[:rows], self._nests)

    def table(self, rows: int) -> Table:
        return Table(*self.nests(rows), None if self.order is None else self.order[:rows])
