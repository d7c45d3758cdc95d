"""Which predictions are right, one number per row (no gradient flows through these)."""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec
from .rowwise import rows

GRAIN = 4096


def _per_row(y_true: Spec, y_pred: Spec, **static: Any) -> Spec:
    return Spec(y_pred.shape[:-1], y_pred.dtype)


def _of_labels(ins: list, outs: list) -> list:
    labels, p = ins
    hits = outs[0].reshape(-1)
    tasks = parts(p.size, GRAIN)
    return [kernels.launch("sparse_accuracy", rows(p), labels.reshape(-1), hits, tasks=tasks)]


def _of_classes(ins: list, outs: list) -> list:
    t, p = ins
    hits = outs[0].reshape(-1)
    tasks = parts(p.size, GRAIN)
    return [kernels.launch("categorical_accuracy", rows(t), rows(p), hits, tasks=tasks)]


def _of_sides(ins: list, outs: list, threshold: float) -> list:
    t, p = ins
    hits = outs[0].reshape(-1)
    tasks = parts(p.size, GRAIN)
    return [kernels.launch("binary_accuracy", rows(t), rows(p), threshold, hits, tasks=tasks)]


def _of_top_k(ins: list, outs: list, k: int) -> list:
    labels, p = ins
    hits = outs[0].reshape(-1)
    tasks = parts(p.size, GRAIN)
    return [kernels.launch("top_k_accuracy", rows(p), labels.reshape(-1), k, hits, tasks=tasks)]


# (labels int64 (...,), predictions (..., classes)) -> 1 where the largest prediction is the label's
sparse_accuracy = Primitive("sparse_accuracy", _per_row, _of_labels)

# (targets (..., classes), predictions (..., classes)) -> 1 where both are largest at one place
categorical_accuracy = Primitive("categorical_accuracy", _per_row, _of_classes)

# (targets (..., columns), predictions (..., columns)) -> share of predictions on the right side
binary_accuracy = Primitive("binary_accuracy", _per_row, _of_sides)

# (labels int64 (...,), predictions (..., classes)) -> 1 where the label's is among the k largest
top_k_accuracy = Primitive("top_k_accuracy", _per_row, _of_top_k)
