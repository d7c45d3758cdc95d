"""Sequences of different lengths as one array, and windows that slide over a series."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import seeds, validate
from .arrays import to_array
from .chained import ChainedDataset

__all__ = ["pad_sequences", "timeseries_dataset_from_array"]


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences as the rows of one array, filled up with `value` or cut to one length.

    Args:
        sequences: One sequence (of numbers, or of arrays of one shape) for each row.
        maxlen: Length of the rows; by default that of the longest sequence.
        dtype: Of the array; `object` for text.
        padding, truncating: Whether to fill up, and to cut, at the "pre" (beginning) or "post"
            (end).
        value: What to fill with.

    Returns:
        Array of shape (sequences, maxlen, ...).

    Raises:
        ValueError: No sequences, items of different shapes, or unknown arguments.

    >>> pad_sequences([[1, 2, 3], [4]], padding="post")
    array([[1, 2, 3],
           [4, 0, 0]], dtype=int32)
    """
    pre = validate.one_of(padding, ("pre", "post"), "padding", "pad_sequences") == "pre"
    cut = validate.one_of(truncating, ("pre", "post"), "truncating", "pad_sequences") == "pre"
    sequences = _listed(sequences)
    lengths = [_length(sequence, place) for place, sequence in enumerate(sequences)]
    if maxlen is None:
        maxlen = max(lengths, default=0)
    maxlen = validate.non_negative_int(maxlen, "maxlen", "pad_sequences")
    first = next((s for s, length in zip(sequences, lengths, strict=True) if length), [])
    shape = np.asarray(first).shape[1:]
    text = np.dtype(dtype).kind in "US"
    if isinstance(value, str) and not text and np.dtype(dtype) != object:
        raise ValueError(
            f"Text cannot fill an array of numbers. Received: value={value!r}, dtype={dtype}. "
            "Pass dtype=object for text."
        )
    rows = np.full((len(lengths), maxlen, *shape), value, dtype)
    for place, (row, sequence) in enumerate(zip(rows, sequences, strict=True)):
        if not lengths[place] or not maxlen:
            continue
        kept = np.asarray(sequence[-maxlen:] if cut else sequence[:maxlen], dtype)
        if kept.shape[1:] != shape:
            raise ValueError(
                f"All items must have the shape {shape}, that of the first sequence. Received: "
                f"items of shape {kept.shape[1:]} in sequence {place}."
            )
        row[slice(-len(kept), None) if pre else slice(len(kept))] = kept
    return rows


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> ChainedDataset:
    """Windows that slide over a series, as batches for `fit`.

    Args:
        data: Time steps, the first axis being time.
        targets: The target of the window that begins at each time step, or None.
        sequence_length: Time steps of a window.
        sequence_stride: Time steps from one window to the next.
        sampling_rate: Time steps from one item of a window to the next.
        batch_size: Windows of a batch; None for windows one by one, without a batch axis.
        shuffle: Whether the windows come in a random order (one for good; `fit` then shuffles the
            batches). Else they come in order, in `fit` too.
        seed: Of this order; by default drawn from the process-wide source.
        start_index, end_index: The part of the series to use.
        format: "tf" or "grain", whose batches are the same here.

    Returns:
        A `PyDataset` of windows, or of pairs of windows and targets, that can be changed by `map`.
        A batch of windows has the shape (batch, sequence_length, ...).

    Raises:
        ValueError: Numbers that leave no window, or do not lie within the series.

    >>> series = np.arange(10.0)
    >>> x, y = timeseries_dataset_from_array(series, series[3:], sequence_length=3)[0]
    >>> x[0], y[0]
    (array([0., 1., 2.], dtype=float32), np.float32(3.0))
    """
    name = "timeseries_dataset_from_array"
    validate.one_of(format, ("tf", "grain"), "format", name)
    for argument, number in (
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
        ("batch_size", 1 if batch_size is None else batch_size),
    ):
        validate.positive_int(number, argument, name)
    steps = to_array(data, "data")
    if sequence_stride >= len(steps):
        raise ValueError(
            f"{name}: `sequence_stride` must be below the number of time steps, {len(steps)}. "
            f"Received: sequence_stride={sequence_stride}."
        )
    part = _part(len(steps), start_index, end_index)
    wanted = None if targets is None else to_array(targets, "targets")[part]
    steps = steps[part]
    count = len(steps) - (sequence_length - 1) * sampling_rate
    if wanted is not None:
        count = min(count, len(wanted))
    if count < 1:
        raise ValueError(
            f"{len(steps)} time steps hold no window of {sequence_length} steps, {sampling_rate} "
            f"apart. Received: data of {len(steps)} steps"
            + ("." if wanted is None else f", {len(wanted)} targets.")
        )
    starts = np.arange(0, count, sequence_stride)
    if validate.boolean(shuffle, "shuffle", name):
        np.random.default_rng(seeds.next_seed() if seed is None else seed).shuffle(starts)
    offsets = np.arange(sequence_length) * sampling_rate
    windows = _Windows(steps, wanted, starts, offsets, batch_size)
    windows.in_order = not shuffle
    return windows


class _Windows(ChainedDataset):
    """Batches of windows over a series."""

    def __init__(
        self,
        steps: np.ndarray,
        targets: np.ndarray | None,
        starts: np.ndarray,
        offsets: np.ndarray,
        batch_size: int | None,
    ):
        super().__init__()
        self._steps, self._targets = steps, targets
        self._starts, self._offsets, self._size = starts, offsets, batch_size

    def __len__(self) -> int:
        return math.ceil(len(self._starts) / (self._size or 1))

    def __getitem__(self, index: int) -> Any:
        if self._size is None:
            starts = self._starts[index]
            windows = self._steps[starts + self._offsets]
        else:
            starts = self._starts[index * self._size : (index + 1) * self._size]
            windows = self._steps[starts[:, None] + self._offsets]
        return windows if self._targets is None else (windows, self._targets[starts])


def _listed(sequences: Any) -> Any:
    """Sequences that can be read more than once."""
    if hasattr(sequences, "__len__"):
        return sequences
    if not hasattr(sequences, "__iter__"):
        raise ValueError(
            "`sequences` must hold sequences, one for each row: a list of lists or arrays. "
            f"Received: {sequences!r} of type {type(sequences).__name__}."
        )
    return list(sequences)


def _length(sequence: Any, place: int) -> int:
    if hasattr(sequence, "__len__") and not isinstance(sequence, str | bytes):
        return len(sequence)
    raise ValueError(
        "`sequences` must hold sequences, one for each row. "
        f"Received: {sequence!r} at place {place}. For one sequence pass a list of it."
    )


def _part(count: int, start: int | None, end: int | None) -> slice:
    """The part of a series between two indices."""
    first, last = start or 0, count if end is None else end
    if not 0 <= first < last <= count:
        raise ValueError(
            f"`start_index` and `end_index` must lie within the {count} time steps, in this order. "
            f"Received: start_index={start}, end_index={end}."
        )
    return slice(first, last)
