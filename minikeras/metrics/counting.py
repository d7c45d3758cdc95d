"""Counts that metrics keep, as primitives: each adds a batch to Variables in one kernel launch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec
from ..losses.loss import squeeze_or_expand_to_same_rank
from ..ops.core import convert_to_tensor
from ..ops.core import ndim as _ndim
from ..ops.shapes import broadcast_to, reshape

GRAIN = 4096
NO_CLASS = np.iinfo(np.int64).min
NO_THRESHOLD = math.inf


class Thresholds:
    """Thresholds that a prediction must exceed, in any order.

    Args:
        values: The thresholds.
        even: They are 0, 1/(n-1), ..., 1; the place of a prediction among them, limited to [0, 1],
            is then computed instead of searched. The ends may lie a little outside.
    """

    def __init__(self, values: Sequence[float], even: bool):
        self.values = list(values)
        self.spacing = even * (2 if even and self.values[0] < 0 else 1)  # as the kernel has it
        self.order = np.argsort(self.values, kind="stable").astype(np.int64)

    def ascending(self, dtype: str) -> np.ndarray:
        return np.asarray(self.values, dtype)[self.order]

    def __len__(self) -> int:
        return len(self.values)


def is_even(values: Sequence[float]) -> bool:
    """Whether at least three numbers are 0, 1/(n-1), ..., 1 as far as float32 can tell."""
    steps = np.arange(len(values)) / max(len(values) - 1, 1)
    return len(values) > 2 and bool(np.allclose(values, steps, atol=1e-7))


def _or_empty(array: np.ndarray | None, dtype: np.dtype, *shape: int) -> np.ndarray:
    """What kernels take for "none": an array of size 0."""
    return np.empty(shape, dtype) if array is None else array


def _first(values: Sequence[Any]) -> Any:
    return next(v for v in values if v is not None)


def _columns(state: Any) -> int:
    return state.shape[1] if len(state.shape) > 1 else 1


def _confusion(ins: list, outs: list, even: int, first: int, last: int) -> list:
    *states, t, p, w, thresholds, order = ins
    columns = outs[0].shape[2]
    found = [
        _or_empty(None, p.dtype, 0, columns) if s is None else s.reshape(-1, columns)
        for s in states
    ]
    numbers = (even, first, last)
    w = _or_empty(w, p.dtype, 0)
    return [
        kernels.launch("confusion_update", t, p, w, thresholds, order, *numbers, outs[0], *found)
    ]


def _confusion_specs(*ins: Any, **static: Any) -> Spec:
    """Counts between the thresholds, of negatives and positives, for each column of state."""
    return Spec((2, ins[7].shape[0] + 1, _columns(_first(ins[:4]))), "float64")


_confusion_update = Primitive(
    "confusion_update",
    _confusion_specs,
    _confusion,
    outputs=0,
    writes=(0, 1, 2, 3),
)


def _of_columns(name: str, states: int) -> Primitive:
    """A primitive (states, targets, predictions, weights) whose kernel sums up four columns."""

    def launches(ins: list, outs: list, **static: float) -> list:
        t, p, w = ins[states:]
        found = [s.reshape(-1) for s in ins[:states]]
        w = _or_empty(w, p.dtype, 0)
        return [kernels.launch(name, t, p, w, *static.values(), outs[0], *found)]

    return Primitive(
        name,
        lambda *ins, **static: Spec((4, ins[states].shape[1]), "float64"),
        launches,
        outputs=0,
        writes=tuple(range(states)),
    )


# (true positives, false positives, false negatives, positives, targets, predictions, weights or
# None; threshold), the states of one number per class, or of one
fbeta_update = _of_columns("fbeta_update", 4)

# (squares, sums, squared residuals and weights of the targets of each column, their number;
# targets, predictions, weights or None)
r2_update = _of_columns("r2_update", 5)


def _pairs(ins: list, outs: list, ignored: int) -> list:
    matrix, t, p, w = ins
    whole = matrix.dtype.kind == "i"
    dtype = np.dtype("float32") if whole else matrix.dtype
    none = _or_empty(None, np.dtype("int32") if not whole else dtype, 0, matrix.shape[1])
    both = (none, matrix) if whole else (matrix, none)
    w = _or_empty(w, dtype, 0)
    return [kernels.launch("pairs_update", t, p, w, ignored, outs[0], *both)]


# (matrix, classes of targets, classes of predictions, weights or None; class to leave out)
pairs_update = Primitive(
    "pairs_update",
    lambda matrix, t, p, w, ignored: Spec(matrix.shape, "float64"),
    _pairs,
    outputs=0,
    writes=(0,),
)


def _rows_of(x: np.ndarray) -> np.ndarray:
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


# numbers (..., classes) -> place of the largest along the last axis, int64
class_of_rows = Primitive(
    "class_of_rows",
    lambda x: Spec(x.shape[:-1], "int64"),
    lambda ins, outs: [
        kernels.launch(
            "class_of_rows", _rows_of(ins[0]), outs[0].reshape(-1), tasks=parts(ins[0].size, GRAIN)
        )
    ],
)

# numbers -> 1 where they are at least the threshold, else 0; whole parts for NO_THRESHOLD; int64
class_of_numbers = Primitive(
    "class_of_numbers",
    lambda x, threshold: Spec(x.shape, "int64"),
    lambda ins, outs, threshold: [
        kernels.launch(
            "class_of_numbers",
            *(ins[0].reshape(-1), threshold, outs[0].reshape(-1)),
            tasks=parts(ins[0].size, GRAIN),
        )
    ],
)

# numbers (..., classes) -> the k largest along the last axis, -1e10 in place of the others
keep_top_k = Primitive(
    "keep_top_k",
    lambda x, k: x,
    lambda ins, outs, k: [
        kernels.launch(
            "keep_top_k", _rows_of(ins[0]), k, _rows_of(outs[0]), tasks=parts(ins[0].size, GRAIN)
        )
    ],
)


def aligned(y_true: Any, y_pred: Any, dtype: str, owner: str) -> tuple[Any, Any]:
    """Targets and predictions of one dtype and one shape."""
    y_pred, y_true = convert_to_tensor(y_pred, dtype), convert_to_tensor(y_true, dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"{owner} needs targets and predictions of the same shape. Received: y_true of shape "
            f"{tuple(y_true.shape)} and y_pred of shape {tuple(y_pred.shape)}."
        )
    return y_true, y_pred


def as_rows(x: Any) -> Any:
    """A matrix of one row per sample; numbers without a last axis are rows of one."""
    return reshape(x, (-1, x.shape[-1]) if _ndim(x) > 1 else (-1, 1))


def flat_weights(sample_weight: Any, shape: Sequence[int], dtype: str, owner: str) -> Any:
    """Weights for targets of a shape: of each, or of each row along the last axis; None for ones.

    Args:
        sample_weight: Of the targets' shape, or of its first axes (one per sample, for instance),
            or with extents of 1 in the place of others.

    Raises:
        ValueError: It is of another shape.
    """
    if sample_weight is None:
        return None
    weight = convert_to_tensor(sample_weight, dtype)
    shape, given = tuple(shape), tuple(weight.shape)
    if given and given in (shape, shape[:-1], (*shape[:-1], 1), (*shape, 1)):
        return reshape(weight, (-1,))
    filled = (*given, *(1,) * (len(shape) - len(given)))
    if len(filled) != len(shape) or any(
        w not in (1, n) for w, n in zip(filled, shape, strict=True)
    ):
        raise ValueError(
            f"{owner} needs one weight per target, or per sample. Received: sample_weight of shape "
            f"{given} for targets of shape {shape}."
        )
    return reshape(broadcast_to(reshape(weight, filled), shape), (-1,))


def update_confusion(
    states: dict[str, Any],
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    thresholds: Thresholds,
    dtype: str,
    owner: str,
    class_id: int | None = None,
) -> None:
    """Add a batch to counts of decisions.

    Args:
        states: Variables of shape (thresholds,) or (thresholds, labels) under the names
            "true_positives", "false_positives", "true_negatives" and "false_negatives"; those
            that are not wanted are left out.
        y_true: Targets; what is not 0 is a positive.
        y_pred: Predictions of the same shape, positive where above a threshold.
        sample_weight: None, one per target, or one per row of targets.
        class_id: The only column to look at; all by default.
    """
    y_true, y_pred = aligned(y_true, y_pred, dtype, owner)
    first, last = _column(y_pred, class_id, owner)
    shape = tuple(y_true.shape) if class_id is None else (y_true.shape[0], 1)
    weight = flat_weights(sample_weight, shape, dtype, owner)
    names = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    _confusion_update(
        *[states.get(name) for name in names],
        as_rows(y_true),
        as_rows(y_pred),
        weight,
        thresholds.ascending(dtype),
        thresholds.order,
        even=thresholds.spacing,
        first=first,
        last=last,
    )


def _column(y_pred: Any, class_id: int | None, owner: str) -> tuple[int, int]:
    """Bounds of the columns that count."""
    width = y_pred.shape[-1] if _ndim(y_pred) > 1 else 1
    if class_id is None:
        return 0, width
    if _ndim(y_pred) != 2:
        raise ValueError(
            f"{owner} with a class_id needs predictions of shape (samples, classes). "
            f"Received: shape {tuple(y_pred.shape)}."
        )
    if not 0 <= class_id < width:
        raise ValueError(
            f"{owner}: class_id={class_id} is none of the {width} classes of the predictions. "
            f"Received: y_pred of shape {tuple(y_pred.shape)}."
        )
    return class_id, class_id + 1
