"""Class numbers, bins and segments: functions of integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec, as_array
from ..autodiff.tensor import Tensor
from ..core import settings
from ..graph.abstract import symbolic
from . import elementwise as e
from . import reduce
from .core import cast
from .core import ndim as _ndim
from .linalg import matmul
from .shapes import expand_dims, reshape


def _one_hot_fill(ins: list, outs: list, num_classes: int, axis: int, dtype: str) -> None:
    classes = np.arange(num_classes).reshape([-1] + [1] * (ins[0].ndim - axis))
    np.copyto(outs[0], np.expand_dims(ins[0], axis) == classes, casting="unsafe")


_one_hot = Primitive(
    "one_hot",
    lambda x, num_classes, axis, dtype: Spec(
        (*x.shape[:axis], num_classes, *x.shape[axis:]), dtype
    ),
    _one_hot_fill,
    host=True,
)


def _dense_only(sparse: bool) -> None:
    if sparse:
        raise ValueError("Sparse tensors are not supported. Leave out `sparse`.")


@symbolic
def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """1 at the class that each integer names, 0 elsewhere, along a new axis.

    A number outside [0, num_classes) gives zeros only.
    """
    _dense_only(sparse)
    x = x if hasattr(x, "dtype") else as_array(x)
    rank = _ndim(x) + 1
    if not -rank <= axis < rank:
        raise ValueError(f"axis must lie in [{-rank}, {rank - 1}]. Received: axis={axis}.")
    return _one_hot(
        x,
        num_classes=int(num_classes),
        axis=axis % rank,
        dtype=settings.standardize_dtype(dtype),
    )


@symbolic
def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **old: Any,
) -> Any:
    """1 at each of the classes that the integers of a row name, 0 elsewhere."""
    _dense_only(sparse)
    num_classes = old.pop("num_tokens", num_classes)
    if num_classes is None or old:
        raise ValueError(f"multi_hot needs `num_classes`. Received also: {sorted(old)}.")
    coded = one_hot(cast(inputs, "int32"), num_classes, axis, dtype)
    return reduce.max(coded, axis=1 if _ndim(inputs) > 1 else 0)


def _searchsorted_fill(ins: list, outs: list, side: str) -> None:
    edges, values = ins
    found = edges.searchsorted(values, "right" if side == "right" else "left")
    np.copyto(outs[0], found, casting="unsafe")


_searchsorted = Primitive(
    "searchsorted",
    lambda edges, values, side: Spec(values.shape, "int32"),
    _searchsorted_fill,
    host=True,
)


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Places at which `values` would be inserted into a sorted sequence."""
    edges = sorted_sequence if hasattr(sorted_sequence, "dtype") else as_array(sorted_sequence)
    values = values if hasattr(values, "dtype") else as_array(values)
    return _searchsorted(edges, values, side=side)


def digitize(x: Any, bins: Any) -> Any:
    """Index of the bin that holds each element; `bins` are ascending edges."""
    return searchsorted(bins, x, side="right")


def _segment_sum_fill(ins: list, outs: list, num_segments: int) -> None:
    data, ids = ins
    outs[0][...] = 0
    inside = (ids >= 0) & (ids < num_segments)
    np.add.at(outs[0], ids[inside].astype(np.int64), data[inside])


def _segment_sum_pull(g: Any, ins: Any, outs: Any, needed: Any, num_segments: int) -> list:
    data, ids = ins
    if not needed[0]:
        return [None, None]
    chosen = one_hot(ids, num_segments, dtype=np.dtype(data.dtype).name)
    width = int(np.prod(data.shape[1:], dtype=np.int64))
    spread = matmul(chosen, reshape(g, (num_segments, width)))
    return [reshape(spread, tuple(data.shape)), None]


_segment_sum = Primitive(
    "segment_sum",
    lambda data, ids, num_segments: Spec((num_segments, *data.shape[1:]), data.dtype),
    _segment_sum_fill,
    _segment_sum_pull,
    host=True,
)


def _segments(segment_ids: Any, num_segments: int | None) -> tuple[Any, int]:
    ids = segment_ids if hasattr(segment_ids, "dtype") else np.asarray(segment_ids)
    if num_segments is None:
        num_segments = int(np.max(np.asarray(ids))) + 1
    return ids, int(num_segments)


def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """Sums of the rows of `data` that carry the same number in `segment_ids`."""
    ids, count = _segments(segment_ids, num_segments)
    return _segment_sum(data if hasattr(data, "dtype") else as_array(data), ids, num_segments=count)


@symbolic
def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """Largest rows, element by element, among those of the same segment (-inf for none)."""
    ids, count = _segments(segment_ids, num_segments)
    own = one_hot(ids, count, dtype="bool")
    own = reshape(own, (*own.shape, *[1] * (_ndim(data) - 1)))
    return reduce.max(e.where(own, expand_dims(data, 1), float("-inf")), axis=0)


@symbolic
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each number occurs (the sum of its weights), along the last axis.

    Without `minlength` the extent depends on the values, so it must be given inside a program.
    """
    _dense_only(sparse)
    x = x if hasattr(x, "dtype") else as_array(x)
    known = not isinstance(x, Tensor) or x.known
    bins = int(np.max(np.asarray(x))) + 1 if known and math.prod(x.shape) else 0
    if weights is None:
        return reduce.sum(one_hot(x, max(bins, minlength), dtype="int32"), axis=-2)
    weights = weights if hasattr(weights, "dtype") else as_array(weights)
    coded = one_hot(x, max(bins, minlength), dtype=np.dtype(weights.dtype).name)
    coded = e.multiply(coded, expand_dims(weights, -1))
    return reduce.sum(coded, axis=-2)
