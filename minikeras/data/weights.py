"""Sample weights, given by the user or through weights of classes."""

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core import tree
from .arrays import float_dtype, named_leaves

__all__ = ["class_to_sample_weights", "combine_weights", "match_weights", "weigh_classes"]


def match_weights(y: Any, sample_weight: Any) -> Any:
    """Sample weights as floats, one array for each array of `y` (one for all serves each).

    Raises ValueError when a weight is neither one per sample nor one per value of `y`.
    """
    if sample_weight is None:
        return None
    weights = tree.map_structure(_to_float, sample_weight)
    if y is None:
        return weights
    if tree.is_nested(y) and not tree.is_nested(weights):
        if weights.size != len(weights):
            raise ValueError(
                "With several outputs one `sample_weight` array must hold one weight per sample. "
                f"Received: shape {weights.shape}. Pass a nest of arrays shaped as `y` instead."
            )
        return tree.map_structure(lambda _: weights, y)
    try:
        tree.assert_same_paths(y, weights)
    except ValueError as error:
        raise ValueError(
            f"`sample_weight` must be one array, or a nest of arrays shaped as `y`. {error}"
        ) from error
    named = named_leaves(weights, "sample_weight")
    for (name, weight), target in zip(named, tree.flatten(y), strict=True):
        if weight is not None and target is not None:
            _check_shape(weight, target, name)
    return weights


def weigh_classes(
    y: Any, sample_weight: Any, class_weight: Any, num_classes: float | None = None
) -> Any:
    """`sample_weight` (None, or shaped as `y`) times the weight of each sample's class.

    For several outputs `class_weight` is a nest of dicts shaped as `y`, None for an output without;
    a dict by name may leave outputs out.
    """
    if class_weight is None or class_weight == {}:
        return sample_weight
    if y is None:
        raise ValueError("`class_weight` needs labels `y`. Received: y=None.")
    if not tree.is_nested(y):
        by_class = class_to_sample_weights(y, class_weight, num_classes=num_classes)
        return combine_weights(by_class, sample_weight)
    if sample_weight is None:
        sample_weight = tree.map_structure(lambda _: None, y)

    def weigh(target: np.ndarray, table: Any, weight: np.ndarray | None) -> np.ndarray | None:
        return weight if table is None else weigh_classes(target, weight, table, num_classes)

    tables = _for_each(y, class_weight)
    if tables is None:
        raise ValueError(
            "With several outputs `class_weight` must hold one dict per output, shaped as `y`, "
            f"such as {{'output': {{0: 1.0, 1: 5.0}}}}. Received: {class_weight!r}."
        )
    return tree.map_structure_up_to(y, weigh, y, tables, sample_weight)


def class_to_sample_weights(
    y: np.ndarray, class_weight: Any, *, num_classes: float | None = None, name: str = "y"
) -> np.ndarray:
    """The weight of each sample, from the weight of its class; shape (samples,).

    `y` holds labels, shape (samples,) or (samples, 1), or rows of class probabilities (one-hot or
    soft), shape (samples, classes). `class_weight` maps class indices to weights; classes that are
    not named weigh 1. `num_classes` tells how many classes there are when labels alone do not;
    infinite, any class may be named.
    Raises ValueError for a class that cannot occur, a weight that is not a number, or labels that
    are not classes.

    >>> class_to_sample_weights(np.array([0, 1, 1]), {1: 3.0})
    array([1., 3., 3.], dtype=float32)
    """
    keys, weights = _read_table(class_weight)
    labels, columns = _labels(y, name)
    count = columns or max(2, num_classes or int(labels.max(initial=0)) + 1)
    unknown = keys[keys >= count].tolist()
    if unknown:
        raise ValueError(
            f"`class_weight` names classes that do not exist: {unknown}. There are {count} "
            f"classes, 0 to {count - 1}. Received: weights for {keys.tolist()}."
        )
    places = np.minimum(np.searchsorted(keys, labels), len(keys) - 1)
    return np.where(keys[places] == labels, weights[places], 1.0).astype(float_dtype())


def combine_weights(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    """Per-sample weights (samples,) times other weights (samples, ...); None weighs 1."""
    if first is None or second is None:
        return second if first is None else first
    return first.reshape(first.shape + (1,) * (second.ndim - 1)) * second


def _to_float(leaf: np.ndarray | None) -> np.ndarray | None:
    return None if leaf is None else np.require(leaf, float_dtype(), ["C_CONTIGUOUS"])


def _check_shape(weight: np.ndarray, target: np.ndarray, name: str) -> None:
    per_sample = weight.size == len(weight)
    sizes = zip(weight.shape, target.shape, strict=False)
    per_value = weight.ndim <= target.ndim and all(w in (1, t) for w, t in sizes)
    if not (per_sample or per_value):
        raise ValueError(
            f"`{name}` must hold one weight per sample, shape ({len(weight)},), or one per value "
            f"of `y`, whose shape is {target.shape}. Received: shape {weight.shape}."
        )


def _for_each(y: Any, class_weight: Any) -> Any:
    """`class_weight` with an entry for each output of `y`; None if it does not fit."""
    if isinstance(class_weight, Mapping):
        if isinstance(y, Mapping) and class_weight.keys() <= y.keys():
            return {key: class_weight.get(key) for key in y}
        is_table = not any(isinstance(value, Mapping) for value in class_weight.values())
        return tree.map_structure(lambda _: class_weight, y) if is_table and len(y) == 1 else None
    fits = isinstance(class_weight, list | tuple) and not isinstance(y, Mapping)
    return class_weight if fits and len(class_weight) == len(y) else None


def _read_table(class_weight: Any) -> tuple[np.ndarray, np.ndarray]:
    """Class indices in rising order, and their weights."""
    if not isinstance(class_weight, Mapping) or not class_weight:
        raise ValueError(
            "`class_weight` must be a dict from class index to weight, such as {0: 1.0, 1: 5.0}. "
            f"Received: {class_weight!r}."
        )
    for key, weight in class_weight.items():
        if not _is_index(key):
            raise ValueError(
                "`class_weight` must name classes by their index, an integer of at least 0. "
                f"Received: the class {key!r}. Number the classes from 0 first."
            )
        if not isinstance(weight, numbers.Real) or not 0 <= float(weight) < float("inf"):
            raise ValueError(
                "`class_weight` must give each class a finite weight of at least 0. "
                f"Received: {weight!r} for class {key!r}."
            )
    pairs = sorted((int(key), float(weight)) for key, weight in class_weight.items())
    keys, weights = zip(*pairs, strict=True)
    return np.array(keys, np.int64), np.array(weights, np.float64)


def _is_index(key: Any) -> bool:
    whole = isinstance(key, numbers.Integral) or (isinstance(key, float) and key.is_integer())
    return whole and not isinstance(key, bool) and int(key) >= 0


def _labels(y: np.ndarray, name: str) -> tuple[np.ndarray, int | None]:
    """Class of each sample, and the number of columns when `y` holds rows of classes."""
    received = f"Received: `{name}` of shape {y.shape}"
    if y.ndim > 2:
        raise ValueError(
            "`class_weight` needs one class per sample: labels of shape (samples,) or one-hot "
            f"rows. {received}. Pass `sample_weight` instead."
        )
    if y.ndim == 2 and y.shape[1] > 1:
        if not np.allclose(y.sum(axis=1), 1, atol=1e-3):
            raise ValueError(
                f"`class_weight` needs one class per sample. {received}, with rows that do not sum "
                "to 1. For several labels per sample pass `sample_weight` instead."
            )
        return y.argmax(axis=1), y.shape[1]
    labels = y.reshape(-1)
    whole = np.rint(labels)
    if not np.array_equal(whole, labels):
        raise ValueError(
            f"`class_weight` needs class labels. {received}, with values that are not whole "
            f"numbers, such as {labels[whole != labels][0]:g}. Pass `sample_weight` instead."
        )
    return whole.astype(np.int64), None
