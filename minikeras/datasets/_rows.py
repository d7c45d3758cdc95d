"""Tables of numbers with a target for each row, in random order, split in two."""

from pathlib import Path
from typing import Any

import numpy as np

from minikeras.datasets._files import DataFile, read_arrays
from minikeras.datasets._word_numbers import shuffled, split_at

__all__ = ["Pair", "split_rows"]

Pair = tuple[np.ndarray, np.ndarray]


def split_rows(
    path: Path, file: DataFile, test_split: float, seed: Any, rows: int | None = None
) -> tuple[Pair, Pair]:
    """The training part and the test part of the (first) rows of a file."""
    x, y = read_arrays(path, ("x", "y"), file)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(
            f"Expected {path} to hold {file.title}: x of shape (rows, columns) and y of shape "
            f"(rows,). Received: {x.shape} and {y.shape}. Download {file.origin} anew."
        )
    ((x, y),) = shuffled(seed, (x[:rows], y[:rows]))
    end = split_at(len(x), test_split)
    return (x[:end], y[:end]), (x[end:], y[end:])
