"""Losses of numbers: squared, absolute and relative differences."""

from __future__ import annotations

from typing import Any

from ..core import settings
from ..core.registry import register
from ..core.validate import number
from ..ops import cross_entropy as rows
from ..ops import differences
from ..ops.core import ndim as _ndim
from ..ops.shapes import moveaxis
from .loss import FunctionLoss, pair, saved_without_dtype


@register("losses", "mse", "MSE")
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``(y_true - y_pred)**2`` over the last axis.

    >>> import numpy as np
    >>> mean_squared_error(np.float32([[0, 1]]), np.float32([[2, 1]]))
    array([2.], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_error")
    return rows.squared_error(y_pred, y_true)


@register("losses", "mae", "MAE")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``abs(y_true - y_pred)`` over the last axis."""
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_error")
    return rows.absolute_error(y_pred, y_true)


@register("losses", "mape", "MAPE")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of the differences in percent of the targets."""
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_percentage_error")
    return differences.percentage_error(y_pred, y_true, eps=settings.epsilon())


@register("losses", "msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of ``(log(y_true + 1) - log(y_pred + 1))**2``; negatives are 0."""
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_logarithmic_error")
    return differences.logarithmic_error(y_pred, y_true, eps=settings.epsilon())


@register("losses")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean over the last axis of a parabola that goes on as a straight line beyond `delta`."""
    y_true, y_pred = pair(y_true, y_pred, "huber")
    return differences.huber(y_pred, y_true, delta=float(delta))


@register("losses", "logcosh")
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of ``log(cosh(y_pred - y_true))``, without overflow."""
    y_true, y_pred = pair(y_true, y_pred, "log_cosh")
    return differences.log_cosh(y_pred, y_true)


@register("losses")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between targets and predictions along an axis."""
    y_true, y_pred = pair(y_true, y_pred, "cosine_similarity")
    if axis not in (-1, _ndim(y_pred) - 1):
        y_true, y_pred = moveaxis(y_true, axis, -1), moveaxis(y_pred, axis, -1)
    return differences.cosine(y_pred, y_true, eps=settings.epsilon())


@register("losses")
@saved_without_dtype
class MeanSquaredError(FunctionLoss):
    """Mean of ``(y_true - y_pred)**2``."""

    function = mean_squared_error

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)


@register("losses")
@saved_without_dtype
class MeanAbsoluteError(FunctionLoss):
    """Mean of ``abs(y_true - y_pred)``."""

    function = mean_absolute_error

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)


@register("losses")
@saved_without_dtype
class MeanAbsolutePercentageError(FunctionLoss):
    """Mean of the differences in percent of the targets."""

    function = mean_absolute_percentage_error

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)


@register("losses")
@saved_without_dtype
class MeanSquaredLogarithmicError(FunctionLoss):
    """Mean of ``(log(y_true + 1) - log(y_pred + 1))**2``."""

    function = mean_squared_logarithmic_error

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)


@register("losses", "huber_loss")
@saved_without_dtype
class Huber(FunctionLoss):
    """Squared differences up to `delta`, absolute ones beyond."""

    function = huber
    arguments = ("delta",)

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.delta = number(delta, "delta", "Huber")


@register("losses")
@saved_without_dtype
class LogCosh(FunctionLoss):
    """Mean of ``log(cosh(y_pred - y_true))``."""

    function = log_cosh

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)


@register("losses")
@saved_without_dtype
class CosineSimilarity(FunctionLoss):
    """Minus the cosine of the angle between targets and predictions."""

    function = cosine_similarity
    arguments = ("axis",)

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.axis = axis
