"""Part of the rows, put aside for validation."""

import math
import warnings
from typing import Any

import numpy as np

from ..core import seeds, tree, validate
from .arrays import count_samples
from .dataset import PyDataset
from .kinds import data_kind
from .stored import Stored, to_lazy_nest

__all__ = ["split_batches", "train_validation_split"]

Parts = tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]


def train_validation_split(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    validation_split: float,
    shuffle: bool | int = False,
    stratify: bool = False,
) -> Parts:
    """`(x, y, sample_weight)` for training and for validation, the last rows going to validation.

    The rows are taken as they come, before any shuffling; they are views of the user's arrays where
    those need no conversion, and stay in their file where they are large. With `shuffle`, random
    rows are taken instead: the same for each run, and others for each integer given instead of
    True. With `stratify` the same share of each class of `y` is taken (the last of each, or random
    ones). Both keep the order of rows, and copy them. `validation_split` lies strictly between 0
    and 1. Raises ValueError when one part would be empty, TypeError for data that cannot be split
    (generators). Warns when `y` is sorted by class, so that the parts hold different classes.

    >>> train, validation = train_validation_split(np.arange(5), validation_split=0.4)
    >>> train[0], validation[0]
    (array([0, 1, 2]), array([3, 4]))
    """
    share = _share(validation_split)
    given = {"x": x, "y": y, "sample_weight": sample_weight}
    if data_kind(x) != "arrays":
        _refuse_streams(x)
    parts = {name: to_lazy_nest(value, name, name == "x") for name, value in given.items()}
    count = count_samples(parts)
    start = math.floor(count * (1.0 - share))
    if start in (0, count):
        raise ValueError(
            f"{count} rows cannot be split with validation_split={validation_split}: one part "
            "would be empty. Use more data, another `validation_split`, or `validation_data`."
        )
    if shuffle is not False or stratify:
        _refuse_stored(parts)
        aside = _choose(parts["y"], count, start, shuffle, validate.boolean(stratify, "stratify"))
        return _rows(parts, np.flatnonzero(~aside)), _rows(parts, np.flatnonzero(aside))
    for leaf in tree.flatten(parts["y"]):
        _warn_if_sorted(leaf, start)
    return _rows(parts, slice(None, start)), _rows(parts, slice(start, None))


def split_batches(dataset: PyDataset, *, validation_split: float) -> tuple[PyDataset, PyDataset]:
    """The first batches of a `PyDataset` for training, the last ones for validation.

    Raises ValueError for a data set that may change between epochs: as soon as samples move from
    one batch to another, training sees what it is judged by.
    """
    share = _share(validation_split)
    name = type(dataset).__name__
    for hook in ("on_epoch_begin", "on_epoch_end"):
        if getattr(type(dataset), hook, None) is not getattr(PyDataset, hook):
            raise ValueError(
                f"`validation_split` puts aside the last batches of a PyDataset, and {name} could "
                f"move samples between batches in its `{hook}`. Make a data set for validation, "
                f"and pass it as `validation_data`. Received: validation_split={validation_split}."
            )
    count = dataset.num_batches
    start = 0 if count is None else math.floor(count * (1.0 - share))
    if count is None or start in (0, count):
        raise ValueError(
            f"The {count or 'endless'} batches of {name} cannot be split with "
            f"validation_split={validation_split}. Pass `validation_data`."
        )
    return _Part(dataset, range(start)), _Part(dataset, range(start, count))


class _Part(PyDataset):
    """Some of the batches of a data set."""

    def __init__(self, dataset: PyDataset, indices: range):
        super().__init__(dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size)
        self._dataset, self._indices = dataset, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Any:
        return self._dataset[self._indices[index]]


def _share(validation_split: float) -> float:
    share = validate.fraction(validation_split, "validation_split")
    if not 0 < share < 1:
        raise ValueError(
            "`validation_split`, the share of the rows that is put aside, must lie strictly "
            f"between 0 and 1. Received: {validation_split!r}."
        )
    return share


def _choose(y: Any, count: int, start: int, shuffle: bool | int, stratify: bool) -> np.ndarray:
    """Which rows are put aside, as one boolean for each."""
    order = np.arange(count)
    if shuffle is not False:
        seed = 0 if shuffle is True else validate.integer(shuffle, "validation_shuffle")
        np.random.default_rng(seeds.derive("validation", seed)).shuffle(order)
    aside = np.zeros(count, bool)
    if not stratify:
        aside[order[start:]] = True
        return aside
    labels = _labels(y)[order]
    for label, wanted in _quotas(labels, count - start).items():
        rows = np.flatnonzero(labels == label)
        aside[order[rows[len(rows) - wanted :]]] = True
    return aside


def _quotas(labels: np.ndarray, total: int) -> dict[Any, int]:
    """How many rows of each class make `total` rows in the proportions of all."""
    classes, sizes = np.unique(labels, return_counts=True)
    exact = sizes * (total / len(labels))
    quotas = np.floor(exact).astype(int)
    most = np.argsort(quotas - exact, kind="stable")  # the largest remainders first
    quotas[most[: total - quotas.sum()]] += 1
    return dict(zip(classes.tolist(), quotas.tolist(), strict=True))


def _labels(y: Any) -> np.ndarray:
    leaves = [leaf for leaf in tree.flatten(y) if leaf is not None]
    labels = _classes(leaves[0]) if len(leaves) == 1 else None
    if labels is None:
        shapes = [leaf.shape for leaf in leaves]
        raise ValueError(
            "`validation_stratify` takes the same share of each class, so it needs `y` as class "
            f"labels or one-hot rows. Received: {len(leaves)} arrays of targets, of shapes "
            f"{shapes}. Use `validation_shuffle=True` instead."
        )
    return labels


def _rows(parts: dict[str, Any], rows: Any) -> tuple[Any, Any, Any]:
    x, y, sample_weight = (
        tree.map_structure(lambda leaf: None if leaf is None else leaf[rows], nest)
        for nest in parts.values()
    )
    return x, y, sample_weight


def _refuse_streams(x: Any) -> None:
    raise TypeError(
        "`validation_split` works on arrays, whose last rows it can take. "
        f"Received `x` of type {type(x).__name__}. Pass `validation_data` instead."
    )


def _refuse_stored(parts: dict[str, Any]) -> None:
    for leaf in tree.flatten(list(parts.values())):
        if isinstance(leaf, Stored):
            raise ValueError(
                f"`{leaf.name}` lies in a file and is too large to pick single rows of it, as "
                "`validation_shuffle` and `validation_stratify` do. Leave them out: the last rows "
                "are put aside then. Or pass `validation_data`."
            )


def _warn_if_sorted(y: Any, start: int) -> None:
    labels = _classes(y) if isinstance(y, np.ndarray) else None
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
        f"{_shorten(never_judged)} only in the training part. Pass `validation_shuffle=True` or "
        "`validation_stratify=True`, or `validation_data`.",
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
