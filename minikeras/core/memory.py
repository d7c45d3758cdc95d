"""Memory that begins at a cache line.

Reading or writing a vector that crosses a cache line costs two accesses, and a row of a table takes
a cache line more than it fills. numpy's own arrays begin anywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

CACHE_LINE = 64  # bytes, or a divisor of what it is


def aligned_empty(size: int, dtype: Any) -> np.ndarray:
    """A flat array of any numbers."""
    return _aligned(np.empty, size, np.dtype(dtype))


def aligned_zeros(size: int, dtype: Any) -> np.ndarray:
    """A flat array of zeros, which takes no memory where nothing is written."""
    return _aligned(np.zeros, size, np.dtype(dtype))


def _aligned(make: Any, size: int, dtype: np.dtype) -> np.ndarray:
    raw = make(size + -(-CACHE_LINE // dtype.itemsize), dtype)
    start = -raw.__array_interface__["data"][0] % CACHE_LINE // dtype.itemsize
    return raw[start : start + size]
