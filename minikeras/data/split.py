"""The last fraction of the rows, put aside for validation."""

import math
import warnings
from typing import Any

import numpy as np

from ..core import tree, validate
from .arrays import count_samples, to_nest

__all__ = ["train_validation_split"]


def train_validation_split(
    x: Any, y: Any = None, sample_weight: Any = None, *, validation_split: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """`(x, y, sample_weight)` for training and for validation, the last rows going to validation.

    The rows are taken as they come, before any shuffling, so the parts are the same for each run;
    they are views of the user's arrays where those need no conversion. `validation_split` lies
    strictly between 0 and 1. Raises ValueError when one part would be empty, TypeError for data
    that cannot be split (generators). Warns when `y` is sorted by class, so that the parts hold
    different classes.

    >>> train, validation = train_validation_split(np.arange(5), validation_split=0.4)
    >>> train[0], validation[0]
    (array([0, 1, 2]), array([3, 4]))
    """
    share = validate.fraction(validation_split, "validation_split")
    if not 0 < share < 1:
        raise ValueError(
            "`validation_split`, the share of the rows that is put aside, must lie strictly "
            f"between 0 and 1. Received: {validation_split!r}."
        )
    _refuse_streams(x)
    given = {"x": x, "y": y, "sample_weight": sample_weight}
    parts = {name: to_nest(value, name) for name, value in given.items()}
    count = count_samples(parts)
    start = math.floor(count * (1.0 - share))
    if start in (0, count):
        raise ValueError(
            f"{count} rows cannot be split with validation_split={validation_split}: one part "
            "would be empty. Use more data, another `validation_split`, or `validation_data`."
        )
    for leaf in tree.flatten(parts["y"]):
        _warn_if_sorted(leaf, start)
    return _rows(parts, slice(None, start)), _rows(parts, slice(start, None))


def _rows(parts: dict[str, Any], rows: slice) -> tuple[Any, Any, Any]:
    x, y, sample_weight = (
        tree.map_structure(lambda leaf: None if leaf is None else leaf[rows], nest)
        for nest in parts.values()
    )
    return x, y, sample_weight


def _refuse_streams(x: Any) -> None:
    if hasattr(x, "__next__") or hasattr(x, "num_batches"):
        raise TypeError(
            "`validation_split` works on arrays, whose last rows it can take. "
            f"Received `x` of type {type(x).__name__}. Pass `validation_data` instead."
        )


def _warn_if_sorted(y: np.ndarray | None, start: int) -> None:
    labels = None if y is None else _classes(y)
    if labels is None or not _monotonic(labels):
        return
    known, judged = set(np.unique(labels[:start])), set(np.unique(labels[start:]))
    if known == judged or len(known | judged) > len(labels) // 2:
        return
    never_seen = sorted(int(label) for label in judged - known)
    never_judged = sorted(int(label) for label in known - judged)
    warnings.warn(
        "`validation_split` takes the last rows, before any shuffling, and `y` is sorted by class: "
        f"classes {_shorten(never_seen)} are only in the validation part, classes "
        f"{_shorten(never_judged)} only in the training part. Shuffle the data first "
        "(`order = np.random.permutation(len(y)); x, y = x[order], y[order]`) or pass "
        "`validation_data`.",
        UserWarning,
        stacklevel=4,
    )


def _classes(y: np.ndarray) -> np.ndarray | None:
    """Class of each row, or None when `y` does not look like classes."""
    if y.ndim == 2 and y.shape[1] > 1:
        one_hot = ((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all()
        return y.argmax(axis=1) if one_hot else None
    if y.ndim > 2 or y.size != len(y):
        return None
    labels = y.reshape(-1)
    return labels if np.array_equal(labels, np.rint(labels)) else None


def _monotonic(labels: np.ndarray) -> bool:
    return bool((labels[1:] >= labels[:-1]).all() or (labels[1:] <= labels[:-1]).all())


def _shorten(classes: list[int]) -> str:
    return str(classes) if len(classes) <= 6 else f"{str(classes[:5])[:-1]}, ...]"
