"""Intersection over union, for segmentation: from a matrix of (true class, predicted class)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import settings
from ..core.registry import register
from ..core.validate import boolean, integer, number, positive_int
from ..ops import elementwise as e
from ..ops import reduce
from ..ops.core import cast, convert_to_tensor, floating
from ..ops.core import ndim as _ndim
from ..ops.shapes import diagonal, getitem, moveaxis, reshape
from . import metric
from .counting import (
    NO_CLASS,
    NO_THRESHOLD,
    class_of_numbers,
    class_of_rows,
    flat_weights,
    pairs_update,
)
from .metric import Metric

DTYPES = ("int32", "float32", "float64")


class _IoUBase(Metric):
    """Counts pairs of classes; the result is the mean over some classes of
    ``pairs of equal class / (targets + predictions of the class - pairs of equal class)``."""

    _direction = "up"

    def _prepare(
        self,
        num_classes: int,
        target_class_ids: Sequence[int] | None,
        ignore_class: int | None,
        sparse_y_true: bool,
        sparse_y_pred: bool,
        axis: int,
    ) -> None:
        owner = type(self).__name__
        if self._dtype not in DTYPES:
            raise ValueError(f"{owner}: `dtype` must be one of {DTYPES}. Received: {self._dtype}.")
        self.num_classes = positive_int(num_classes, "num_classes", owner)
        ids = list(range(num_classes)) if target_class_ids is None else list(target_class_ids)
        self.target_class_ids = [integer(i, "target_class_ids", owner) for i in ids]
        if not ids or min(ids) < 0 or max(ids) >= num_classes:
            raise ValueError(
                f"{owner}: `target_class_ids` must be classes from 0 to {num_classes - 1}. "
                f"Received: {target_class_ids!r}."
            )
        self.ignore_class = (
            None if ignore_class is None else integer(ignore_class, "ignore_class", owner)
        )
        self.sparse_y_true = boolean(sparse_y_true, "sparse_y_true", owner)
        self.sparse_y_pred = boolean(sparse_y_pred, "sparse_y_pred", owner)
        self.axis = integer(axis, "axis", owner)
        shape = (num_classes, num_classes)
        self.total_confusion_matrix = self.add_variable(
            shape, "zeros", name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Pairs with a class that is not known count nothing. In the default dtype of integers,
        weights count with their whole part only (which is told).

        Args:
            y_true: Classes; scores of classes along `axis` where `sparse_y_true` is False.
            y_pred: Classes; scores of classes along `axis` where `sparse_y_pred` is False.
            sample_weight: None for ones, or one per target.
        """
        owner = type(self).__name__
        y_true = self._classes(y_true, self.sparse_y_true)
        y_pred = self._classes(y_pred, self.sparse_y_pred)
        shape = _without_ones(y_true.shape)
        if shape != _without_ones(y_pred.shape):
            raise ValueError(
                f"{owner} needs one predicted class per target. Received: classes of shape "
                f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}."
            )
        dtype = self._dtype if self._dtype != "int32" else "float32"
        weight = flat_weights(sample_weight, (*shape, 1), dtype, owner)
        if weight is not None and self._dtype == "int32" and not _whole(sample_weight):
            warnings.warn(
                f"{owner} counts in integers: only the whole part of each weight counts. Make it "
                "with dtype='float32' to count fractions of weights.",
                stacklevel=2,
            )
        ignored = NO_CLASS if self.ignore_class is None else self.ignore_class
        pairs = (reshape(y_true, (-1,)), reshape(y_pred, (-1,)), weight)
        pairs_update(self.total_confusion_matrix, *pairs, ignored=ignored)

    def _classes(self, y: Any, sparse: bool) -> Any:
        """Classes as int64."""
        y = convert_to_tensor(y)
        if not sparse:
            y = floating(y)
            last = self.axis in (-1, _ndim(y) - 1)
            return class_of_rows(y if last else moveaxis(y, self.axis, -1))
        if np.dtype(y.dtype).name in ("float32", "float64"):
            return class_of_numbers(y, threshold=NO_THRESHOLD)
        return cast(y, "int64")

    def result(self) -> Any:
        matrix = cast(self.total_confusion_matrix, self._result_dtype())
        own = diagonal(matrix)
        others = e.add(reduce.sum(matrix, axis=0), reduce.sum(matrix, axis=1))
        ids = np.asarray(self.target_class_ids)
        own, union = getitem(own, ids), getitem(e.subtract(others, own), ids)
        total = reduce.sum(e.divide(own, e.add(union, settings.epsilon())))
        count = reduce.sum(cast(e.not_equal(union, 0.0), self._result_dtype()))
        return metric.number(e.divide(total, e.add(count, settings.epsilon())))

    def _result_dtype(self) -> str:
        return "float64" if self._dtype == "float64" else "float32"


def _whole(weight: Any) -> bool:
    """Whether weights are of a type of whole numbers."""
    dtype = weight.dtype if hasattr(weight, "dtype") else np.asarray(weight).dtype
    return np.dtype(dtype).kind in "biu"


def _without_ones(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape without last axes of extent 1."""
    shape = tuple(shape)
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


@register("metrics")
class IoU(_IoUBase):
    """Mean intersection over union of some classes.

    Args:
        num_classes: How many classes there are.
        target_class_ids: Those to average over.
        dtype: int32 by default; weights that are no whole numbers need float32.
        ignore_class: A target class that counts nothing (255 for void, for instance).
        sparse_y_true: Whether targets are classes rather than scores of classes.
        sparse_y_pred: Whether predictions are classes rather than scores of classes.
        axis: Of the scores.

    Example:

    >>> IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])
    np.float32(0.3333333)
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        self._prepare(
            *(num_classes, target_class_ids, ignore_class, sparse_y_true, sparse_y_pred, axis)
        )


@register("metrics")
class MeanIoU(_IoUBase):
    """Mean intersection over union of all classes that occur; arguments as for `IoU`.

    >>> MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])
    np.float32(0.33333334)
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        self._prepare(num_classes, None, ignore_class, sparse_y_true, sparse_y_pred, axis)


@register("metrics")
class BinaryIoU(_IoUBase):
    """Mean intersection over union of two classes, 1 where predictions reach a threshold.

    Args:
        target_class_ids: 0, 1 or both.
        threshold: What a prediction of class 1 must reach.

    Example:

    >>> BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
    np.float32(0.33333334)
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        self.threshold = number(threshold, "threshold", "BinaryIoU")
        self._prepare(2, target_class_ids, None, True, True, -1)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """As for `IoU`, with predictions between 0 and 1."""
        y_pred = class_of_numbers(floating(convert_to_tensor(y_pred)), threshold=self.threshold)
        super().update_state(y_true, y_pred, sample_weight)


@register("metrics")
class OneHotIoU(_IoUBase):
    """Mean intersection over union of some classes, targets being one-hot; see `IoU`.

    >>> OneHotIoU(2, [1])([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])
    np.float32(0.49999994)
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        self._prepare(num_classes, target_class_ids, ignore_class, False, sparse_y_pred, axis)


@register("metrics")
class OneHotMeanIoU(_IoUBase):
    """Mean intersection over union of all classes, targets being one-hot; see `IoU`."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        self._prepare(num_classes, None, ignore_class, False, sparse_y_pred, axis)
