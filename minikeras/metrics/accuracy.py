"""The accuracy family: how often predictions are right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import settings
from ..core.registry import register
from ..core.validate import number, positive_int
from ..losses.loss import squeeze_or_expand_to_same_rank
from ..ops import elementwise as e
from ..ops import hits, reduce
from ..ops.core import cast, convert_to_tensor, floating
from ..ops.core import ndim as _ndim
from ..ops.shapes import expand_dims, getitem, reshape, squeeze
from .counting import class_of_rows
from .metric import Metric
from .reduction import FunctionMean


def _check_same(y_true: Any, y_pred: Any, name: str, hint: str = "") -> None:
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"{name} needs targets and predictions of the same shape.{hint} Received: y_true of "
            f"shape {tuple(y_true.shape)} and y_pred of shape {tuple(y_pred.shape)}."
        )


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where targets and predictions are equal, else 0."""
    y_pred = convert_to_tensor(y_pred)
    y_true = convert_to_tensor(y_true)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    _check_same(y_true, y_pred, "accuracy")
    return cast(e.equal(y_true, y_pred), settings.floatx())


def _sides(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions of one shape and float type."""
    y_pred = floating(convert_to_tensor(y_pred))
    y_true = convert_to_tensor(y_true, np.dtype(y_pred.dtype).name)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    _check_same(y_true, y_pred, "binary_accuracy")
    return y_true, y_pred


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where a prediction is larger than `threshold` just when its target is 1, else 0."""
    y_true, y_pred = _sides(y_true, y_pred)
    single = (*y_pred.shape, 1)  # a row of its own for each element
    return hits.binary_accuracy(
        reshape(y_true, single), reshape(y_pred, single), threshold=float(threshold)
    )


def _binary_rows(y_true: Any, y_pred: Any, threshold: float) -> Any:
    """Means of `binary_accuracy` over the last axis."""
    return hits.binary_accuracy(*_sides(y_true, y_pred), threshold=float(threshold))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where one-hot targets and predictions are largest at the same class, else 0.

    Args:
        y_true: (..., classes).
        y_pred: (..., classes).
    """
    y_pred = floating(convert_to_tensor(y_pred))
    y_true = convert_to_tensor(y_true, np.dtype(y_pred.dtype).name)
    hint = " Class numbers go with sparse_categorical_accuracy."
    _check_same(y_true, y_pred, "categorical_accuracy", hint)
    return hits.categorical_accuracy(y_true, y_pred)


def _labels(y_true: Any, y_pred: Any) -> Any:
    """Class numbers of the predictions' shape without the last axis."""
    y_true = convert_to_tensor(y_true)
    if _ndim(y_true) == _ndim(y_pred) and y_true.shape[-1] == 1:
        y_true = squeeze(y_true, -1)
    if tuple(y_true.shape) != tuple(y_pred.shape)[:-1]:
        raise ValueError(
            "This metric needs class numbers of the predictions' shape without the last axis. "
            f"Received: y_true of shape {tuple(y_true.shape)} and y_pred of shape "
            f"{tuple(y_pred.shape)}. One-hot targets go with the categorical metrics."
        )
    return cast(y_true, "int64")


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the target's class, else 0.

    Args:
        y_true: Class numbers (...,), or (..., 1).
        y_pred: (..., classes).
    """
    y_pred = floating(convert_to_tensor(y_pred))
    found = hits.sparse_accuracy(_labels(y_true, y_pred), y_pred)
    return squeeze(found, -1) if _ndim(found) > 1 and found.shape[-1] == 1 else found


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the class of a one-hot target is among the `k` largest predictions, else 0."""
    y_pred = floating(convert_to_tensor(y_pred))
    y_true = convert_to_tensor(y_true)
    _check_same(y_true, y_pred, "top_k_categorical_accuracy")
    labels = class_of_rows(cast(y_true, np.dtype(y_pred.dtype).name))
    return hits.top_k_accuracy(labels, y_pred, k=k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """1 where the target's class is among the `k` largest predictions, else 0.

    Args:
        from_sorted_ids: `y_pred` holds class numbers already, the best one first.
    """
    y_pred = convert_to_tensor(y_pred)
    if not from_sorted_ids:
        y_pred = floating(y_pred)
        return hits.top_k_accuracy(_labels(y_true, y_pred), y_pred, k=k)
    labels = _labels(y_true, y_pred)
    best = getitem(y_pred, (Ellipsis, slice(0, k)))
    found = reduce.any(e.equal(expand_dims(labels, -1), best), axis=-1)
    return cast(found, settings.floatx())


@register("metrics")
class Accuracy(FunctionMean):
    """How often predictions equal targets.

    >>> Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])
    np.float32(0.75)
    """

    function = accuracy
    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics")
class BinaryAccuracy(FunctionMean):
    """How often predictions are on their target's side of a threshold.

    >>> BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]])
    np.float32(0.75)
    """

    function = binary_accuracy
    arguments = ("threshold",)
    _direction = "up"

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ):
        super().__init__(name, dtype)
        self.threshold = number(threshold, "threshold", "BinaryAccuracy")

    def _values(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        one_per_row = sample_weight is None or np.ndim(sample_weight) < 2
        if one_per_row and _ndim(y_pred) == 2:
            return _binary_rows(y_true, y_pred, self.threshold)
        return super()._values(y_true, y_pred, sample_weight)


@register("metrics")
class CategoricalAccuracy(FunctionMean):
    """How often the largest prediction is at the class of a one-hot target."""

    function = categorical_accuracy
    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics")
class SparseCategoricalAccuracy(FunctionMean):
    """How often the largest prediction is at the target's class number.

    >>> SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]])
    np.float32(0.5)
    """

    function = sparse_categorical_accuracy
    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics")
class TopKCategoricalAccuracy(FunctionMean):
    """How often the class of a one-hot target is among the `k` largest predictions."""

    function = top_k_categorical_accuracy
    arguments = ("k",)
    _direction = "up"

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ):
        super().__init__(name, dtype)
        self.k = positive_int(k, "k", type(self).__name__)


@register("metrics")
class SparseTopKCategoricalAccuracy(FunctionMean):
    """How often the target's class number is among the `k` largest predictions."""

    _config_optional = ("from_sorted_ids",)
    function = sparse_top_k_categorical_accuracy
    arguments = ("k", "from_sorted_ids")
    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(name, dtype)
        self.k = positive_int(k, "k", type(self).__name__)
        self.from_sorted_ids = from_sorted_ids

    def _config_argument(self, name: str) -> Any:
        value = super()._config_argument(name)
        return value or None if name == "from_sorted_ids" else value


def kind_of_targets(y_shape: Sequence[int | None], pred_shape: Sequence[int | None]) -> str:
    """'binary', 'sparse' or 'categorical': what targets of this shape must mean."""
    if pred_shape[-1] == 1:
        return "binary"
    if len(y_shape) < len(pred_shape) or y_shape[-1] == 1:
        return "sparse"
    return "categorical"


def accuracy_for(
    y_shape: Sequence[int | None], pred_shape: Sequence[int | None], name: str = "accuracy"
) -> Metric:
    """The metric that "accuracy" means for targets and predictions of these shapes."""
    kinds = {
        "binary": BinaryAccuracy,
        "sparse": SparseCategoricalAccuracy,
        "categorical": CategoricalAccuracy,
    }
    return kinds[kind_of_targets(y_shape, pred_shape)](name=name)
