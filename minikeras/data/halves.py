"""A data set in two parts."""

import math
from typing import Any

import numpy as np

from ..core import seeds, tree, validate
from .arrays import count_samples, is_number_list, to_array, to_nest
from .batches import take

__all__ = ["split_dataset"]


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """Two parts of a data set: its first rows and its last ones, or random rows.

    Args:
        dataset: A nest of arrays, or a collection of samples (anything with a length and an index,
            or an iterable), whose samples are stacked to arrays.
        left_size, right_size: Number of samples (int), or share of them (float), of the parts; one
            of them may be None for the rest.
        shuffle: Whether to choose random rows.
        seed: Of this choice; by default drawn from the process-wide source.

    Returns:
        Two nests of arrays, as `dataset` is one. Keras returns data sets of other libraries.

    Raises:
        ValueError: Sizes that the data do not have.

    >>> split_dataset(np.arange(5), left_size=0.6)
    (array([0, 1, 2]), array([3, 4]))
    """
    nest = _arrays(dataset)
    count = count_samples({"dataset": nest})
    if left_size is None and right_size is None:
        raise ValueError(
            "split_dataset: `left_size` or `right_size` must be given. Received: neither."
        )
    left, right = _number(left_size, "left_size", count), _number(right_size, "right_size", count)
    left = count - (right or 0) if left is None else left
    right = count - left if right is None else right
    if left + right > count:
        raise ValueError(
            f"The parts must not be larger than the {count} samples together. Received: "
            f"left_size={left_size}, right_size={right_size}."
        )
    first, last = slice(left), slice(count - right, None)
    if not validate.boolean(shuffle, "shuffle", "split_dataset"):
        return take(nest, first), take(nest, last)
    order = np.random.default_rng(seeds.next_seed() if seed is None else seed).permutation(count)
    return take(nest, order[first]), take(nest, order[last])


def _arrays(dataset: Any) -> Any:
    if tree.is_nested(dataset) and not is_number_list(dataset) or hasattr(dataset, "__array__"):
        return to_nest(dataset, "dataset")
    indexed = hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")
    items = (dataset[i] for i in range(len(dataset))) if indexed else iter(dataset)
    samples = list(items)
    if not samples:
        raise ValueError("The data set is empty: at least one sample is needed. Received: none.")
    return tree.map_structure(_stacked, *samples)


def _stacked(*leaves: Any) -> np.ndarray:
    return to_array(np.stack([np.asarray(leaf) for leaf in leaves]), "dataset")


def _number(size: float | None, name: str, count: int) -> int | None:
    """How many samples a size means."""
    if size is None:
        return None
    number = validate.number(size, name, "split_dataset")
    is_share = isinstance(size, float | np.floating)
    if not 0 < number < (1 if is_share else count) or math.isnan(number):
        raise ValueError(
            f"split_dataset: `{name}` must be a number of samples between 1 and {count - 1}, or a "
            f"share between 0 and 1. Received: {size!r}."
        )
    return round(number * count) if is_share else int(number)
