"""Losses of numbers: squared, absolute and relative differences."""

from __future__ import annotations

import math
from typing import Any

from ..core import settings
from ..core.registry import register
from ..core.validate import number
from ..ops import cross_entropy as rows
from ..ops import elementwise as e
from ..ops import nn, reduce
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
    size = e.maximum(e.absolute(y_true), settings.epsilon())
    share = e.absolute(e.divide(e.subtract(y_true, y_pred), size))
    return e.multiply(reduce.mean(share, axis=-1), 100.0)


@register("losses", "msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of ``(log(y_true + 1) - log(y_pred + 1))**2``; negatives are 0."""
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_logarithmic_error")
    first, second = (e.log(e.add(e.maximum(y, settings.epsilon()), 1.0)) for y in (y_pred, y_true))
    return reduce.mean(e.square(e.subtract(first, second)), axis=-1)


@register("losses")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean over the last axis of a parabola that goes on as a straight line beyond `delta`."""
    y_true, y_pred = pair(y_true, y_pred, "huber")
    error = e.subtract(y_pred, y_true)
    size = e.absolute(error)
    line = e.subtract(e.multiply(size, delta), 0.5 * delta**2)
    parabola = e.multiply(e.square(error), 0.5)
    return reduce.mean(e.where(e.less_equal(size, delta), parabola, line), axis=-1)


@register("losses", "logcosh")
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of ``log(cosh(y_pred - y_true))``, without overflow."""
    y_true, y_pred = pair(y_true, y_pred, "log_cosh")
    error = e.subtract(y_pred, y_true)
    bent = e.add(error, nn.softplus(e.multiply(error, -2.0)))
    return reduce.mean(e.subtract(bent, math.log(2.0)), axis=-1)


@register("losses")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between targets and predictions along an axis."""
    y_true, y_pred = pair(y_true, y_pred, "cosine_similarity")
    product = e.multiply(nn.normalize(y_true, axis), nn.normalize(y_pred, axis))
    return e.negative(reduce.sum(product, axis=axis))


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
