"""Rows that lie in a file: HDF5 data sets, memory maps and their like, read a part at a time.

What is small becomes an array in memory. What is large stays where it is: `Stored` says what its
rows look like as arrays and reads ranges of them. Memory maps are read like files, so that the
pages read do not count as memory of this process.
"""

import mmap
import os
from typing import Any, BinaryIO

import numpy as np

from ..core import tree
from .arrays import is_number_list, kept_dtype, to_array, to_array_or_text, to_nest

__all__ = ["LARGE", "Stored", "has_stored", "to_lazy_nest"]

LARGE = 64 << 20  # bytes, as arrays of ours, from which on data stay in their file


class Stored:
    """Rows in a file; looks like an array as far as `len`, `shape`, `dtype` and slices of rows.

    Args:
        source: Whatever gives rows for a slice, and has a shape and a dtype.
        name: What messages call it.
        rows: Which of its rows; by default all.
    """

    def __init__(self, source: Any, name: str, rows: range | None = None):
        self._source, self.name = source, name
        self._rows = range(source.shape[0]) if rows is None else rows
        self.shape: tuple[int, ...] = (len(self._rows), *source.shape[1:])
        self.dtype = np.dtype(kept_dtype(np.dtype(source.dtype), tuple(source.shape), name))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all rows as an array in memory."""
        return self.dtype.itemsize * int(np.prod(self.shape, dtype=np.int64))

    @property
    def chunk(self) -> int:
        """How many rows the file keeps together, so that it is best to read them together."""
        chunks = getattr(self._source, "chunks", None)
        rows = chunks[0] if chunks else 1
        return max(1, rows[0] if isinstance(rows, tuple) else rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: slice) -> "Stored":
        """The same for a range of rows; nothing is read."""
        part = self._rows[rows]
        if not isinstance(rows, slice) or part.step != 1:
            raise TypeError(
                f"`{self.name}` lies in a file and is cut into ranges of rows only. "
                f"Received: {rows!r}."
            )
        return type(self)(self._source, self.name, part)

    def read(self, start: int, stop: int, out: np.ndarray) -> None:
        """Write the rows from `start` to `stop` into an array of their shape and our dtype."""
        first = self._rows.start
        self._read(first + start, first + stop, out)

    def _read(self, start: int, stop: int, out: np.ndarray) -> None:
        source = self._source
        if hasattr(source, "read_direct") and source.dtype == out.dtype:  # h5py, without a copy
            source.read_direct(out, np.s_[start:stop])
        else:
            out[...] = to_array(source[start:stop], self.name)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        out = np.empty(self.shape, self.dtype)
        self.read(0, len(self), out)
        return out if dtype is None else out.astype(dtype)

    def close(self) -> None:
        """Close what was opened to read."""

    def __repr__(self) -> str:
        return f"<stored {self.name}, shape {self.shape}, {self.dtype}>"


class _Mapped(Stored):
    """Rows of a memory map, read from its file; straight from the map where that cannot be."""

    _file: BinaryIO | None = None
    _offset = 0
    _opened = False

    def _read(self, start: int, stop: int, out: np.ndarray) -> None:
        source = self._source
        if not self._opened:
            self._opened = True
            self._file, self._offset = _file_of(source)
        if self._file is None:
            out[...] = to_array(source[start:stop], self.name)
            return
        row = source.dtype.itemsize * int(np.prod(source.shape[1:], dtype=np.int64))
        rows = out if source.dtype == out.dtype else np.empty(out.shape, source.dtype)
        _read_bytes(self._file, self._offset + start * row, rows)
        if rows is not out:
            out[...] = to_array(rows, self.name)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._opened = None, False


def has_stored(nest: Any) -> bool:
    """Whether any leaf is too large to be brought into memory from its file."""
    if type(nest) is np.ndarray and nest.base is None:
        return False
    if is_number_list(nest):
        return False
    if tree.is_nested(nest):
        return any(map(has_stored, nest.values() if isinstance(nest, dict) else nest))
    return isinstance(nest, Stored) or _kind(nest) is not None


def to_lazy_nest(value: Any, name: str, text: bool = False) -> Any:
    """As `to_nest`, but large leaves stay in their file, as `Stored`; `text` may be among them."""
    in_memory = to_array_or_text if text else to_array

    def convert(leaf: Any, leaf_name: str) -> Any:
        if isinstance(leaf, Stored):
            return leaf
        kind = _kind(leaf)
        return in_memory(leaf, leaf_name) if kind is None else kind(leaf, leaf_name)

    return to_nest(value, name, convert)


def _kind(leaf: Any) -> type[Stored] | None:
    """How a leaf is read from its file; None for what lies in memory, or is small."""
    if isinstance(leaf, np.ndarray):
        return _Mapped if leaf.nbytes >= LARGE and _map_of(leaf) is not None else None
    if type(leaf).__module__.startswith("h5py") and not leaf:
        raise ValueError(
            "The file of a data set is closed. Received: a closed HDF5 data set. Use it while its "
            "file is open, as in `with h5py.File(path) as file: model.fit(file['x'], ...)`."
        )
    if not all(hasattr(leaf, name) for name in ("chunks", "shape", "dtype", "__getitem__")):
        return None
    if not leaf.shape or np.dtype(leaf.dtype).kind not in "biuf":
        return None  # `to_array` says what is wrong with it
    return Stored if Stored(leaf, "x").nbytes >= LARGE else None


def _map_of(array: np.ndarray) -> np.memmap | None:
    """The memory map that an array shows a part of, None if it does not."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if isinstance(owner, np.memmap) and getattr(owner, "_mmap", None) is not None:
            return owner
        owner = owner.base
    return None


def _file_of(array: np.ndarray) -> tuple[BinaryIO | None, int]:
    """The open file behind a mapped array and the place of its first byte; None: read the map."""
    owner = _map_of(array)
    assert owner is not None
    path, shared = getattr(owner, "filename", None), owner.mode != "c" and os.name == "posix"
    if path is None or not shared or not array.flags.c_contiguous or not array.size:
        return None, 0
    beginning = np.frombuffer(owner._mmap, np.uint8)  # type: ignore[attr-defined]
    skipped = _address(array) - _address(beginning)
    offset = owner.offset - owner.offset % mmap.ALLOCATIONGRANULARITY + skipped
    try:
        file = open(path, "rb", buffering=0)  # noqa: SIM115
    except OSError:
        return None, 0
    if _is_same(array, file, offset):
        return file, offset
    file.close()
    return None, 0


def _is_same(array: np.ndarray, file: BinaryIO, offset: int) -> bool:
    """Whether a file (which may be another one of that name by now) holds what the array shows."""
    whole = array.reshape(-1)
    count = min(16, whole.size)
    item = array.dtype.itemsize
    for place in (0, (whole.size - count) // 2, whole.size - count):
        there = np.empty(count, array.dtype)
        try:
            _read_bytes(file, offset + place * item, there)
        except OSError:
            return False
        if there.tobytes() != whole[place : place + count].tobytes():
            return False
    return True


def _read_bytes(file: BinaryIO, offset: int, out: np.ndarray) -> None:
    """Fill a contiguous array from a place in a file. OSError: the file is too short."""
    view = memoryview(out.reshape(-1).view(np.uint8).data)
    file.seek(offset)
    while view:
        count = file.readinto(view)  # type: ignore[attr-defined]
        if not count:
            raise OSError(f"{file.name!r} ends before the data that were mapped do.")
        view = view[count:]


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]
