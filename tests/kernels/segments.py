"""Tables of segments, as the kernels on flat vectors take them."""

from collections.abc import Sequence

import numpy as np


def table(
    sizes: Sequence[int], starts: Sequence[int], weights: Sequence[np.ndarray] | None = None
) -> np.ndarray:
    """Rows (address of the weights or 0, start, size, 1 for every second one, which decays)."""
    addresses = [0] * len(sizes)
    if weights is not None:
        addresses = [w.__array_interface__["data"][0] for w in weights]
    rows = zip(addresses, starts, sizes, strict=True)
    return np.array([[*row, k % 2] for k, row in enumerate(rows)], np.int64)


def layout(sizes: Sequence[int], gap: int) -> list[int]:
    """Where segments start that have a gap behind each of them."""
    return np.cumsum([0, *[size + gap for size in sizes[:-1]]]).tolist()
