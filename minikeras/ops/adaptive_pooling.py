"""Adaptive pooling: as many windows as are asked for, whatever the size of the images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph.abstract import symbolic
from . import windows
from .core import floating
from .linalg import matmul
from .pooling import Pool, average_pool_primitive, max_of_windows, ordered
from .shapes import moveaxis, take


def adaptive_windows(length: int, count: int) -> list[tuple[int, int]]:
    """Where the windows begin and end that divide an axis into `count` parts of about one size."""
    return [(k * length // count, -(-(k + 1) * length // count)) for k in range(count)]


def _adaptive(x: Any, output_size: Any, order: str | None, owner: str, uneven: Any) -> Any:
    """Pooling to a size: by windows of one size where they divide it, else as `uneven` does."""
    rank = windows.check_rank(x, owner)
    counts = windows.numbers(output_size, rank, "output_size", owner)

    def last(x: Any) -> Any:
        inside = tuple(x.shape[1:-1])
        windows.check_fits(x.shape, inside, "one pixel", owner)
        if any(n % k for n, k in zip(inside, counts, strict=True)):
            return uneven(x, inside, counts)
        sizes = tuple(n // k for n, k in zip(inside, counts, strict=True))
        function = max_of_windows if uneven is _uneven_max else average_pool_primitive
        return function(x, pool=Pool(sizes, sizes, (0,) * rank, counts))

    return windows.channels_last(last, x, windows.data_format(order, owner))


def _uneven_max(x: Any, inside: Sequence[int], counts: Sequence[int]) -> Any:
    """Windows made equally long: the last pixel of a shorter one is read again."""
    sizes = []
    for axis, (length, count) in enumerate(zip(inside, counts, strict=True), 1):
        parts = adaptive_windows(length, count)
        longest = max(end - begin for begin, end in parts)
        read = [min(begin + k, end - 1) for begin, end in parts for k in range(longest)]
        x = take(x, np.array(read), axis) if read != list(range(length)) else x
        sizes.append(longest)
    pool = Pool(tuple(sizes), tuple(sizes), (0,) * len(sizes), tuple(counts))
    return max_of_windows(x, pool=pool)


def _uneven_mean(x: Any, inside: Sequence[int], counts: Sequence[int]) -> Any:
    """Axis by axis a product with the shares of the pixels in each window."""
    for axis, (length, count) in enumerate(zip(inside, counts, strict=True), 1):
        shares = np.zeros((length, count), np.dtype(x.dtype))
        for window, (begin, end) in enumerate(adaptive_windows(length, count)):
            shares[begin:end, window] = 1 / (end - begin)
        x = moveaxis(matmul(moveaxis(x, axis, -1), shares), -1, axis)
    return x


@symbolic
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """The largest number under windows that divide each axis into so many parts.

    Window `k` of `n` reads the pixels from ``k * length // n`` up to ``(k + 1) * length / n``,
    rounded up: where the length is no multiple, windows overlap by one pixel. Images may be smaller
    than the result.

    Args:
        inputs: (batch, *sizes, channels), or (batch, channels, *sizes) for 'channels_first'.
        output_size: Sizes of the result, one number or one for each axis.
        data_format: 'channels_last' or 'channels_first'; by default as configured.

    Example:

    >>> import numpy as np
    >>> adaptive_max_pool(np.arange(7, dtype="float32").reshape(1, 7, 1), 3)[0, :, 0]
    array([2., 4., 6.], dtype=float32)
    """
    inputs = ordered(inputs)
    return _adaptive(inputs, output_size, data_format, "adaptive_max_pool", _uneven_max)


@symbolic
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """The mean under windows that divide each axis into so many parts, as `adaptive_max_pool`.

    Example:

    >>> import numpy as np
    >>> adaptive_average_pool(np.arange(7, dtype="float32").reshape(1, 7, 1), 3)[0, :, 0]
    array([1., 3., 5.], dtype=float32)
    """
    inputs = floating(inputs)
    return _adaptive(inputs, output_size, data_format, "adaptive_average_pool", _uneven_mean)
