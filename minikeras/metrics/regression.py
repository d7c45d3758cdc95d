"""How well predictions follow targets: R2, and the correlations of Pearson and of Lin."""

from __future__ import annotations

import warnings
from typing import Any

from ..autodiff.context import context
from ..core import settings
from ..core.registry import register
from ..core.validate import non_negative_int, one_of
from ..losses.loss import pair
from ..ops import elementwise as e
from ..ops import reduce
from .counting import aligned, flat_weights, r2_update
from .metric import Metric, number
from .reduction import FunctionMean

AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


@register("metrics")
class R2Score(Metric):
    """Coefficient of determination: the share of the targets' variance that is explained.

    ``1 - sum((y - p)**2) / sum((y - mean(y))**2)``: 1 for right predictions, 0 for always
    predicting the mean.

    Args:
        class_aggregation: 'uniform_average' (mean over columns), 'variance_weighted_average', or
            None for one score per column.
        num_regressors: Number of independent variables, for the adjusted score
            ``1 - (1 - R2) (n - 1) / (n - num_regressors - 1)``, n being the number of targets (of
            all columns); 0 for the plain one.

    Example:

    >>> R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
    np.float32(0.57142854)
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self._require_floats()
        self.class_aggregation = one_of(
            class_aggregation, AGGREGATIONS, "class_aggregation", "R2Score"
        )
        self.num_regressors = non_negative_int(num_regressors, "num_regressors", "R2Score")
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, columns: int) -> None:
        for name in ("squared_sum", "sum", "residual", "count"):
            attribute = "total_mse" if name == "residual" else name
            setattr(self, attribute, self.add_variable((columns,), "zeros", name=name))
        self._columns, self._built = columns, True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: Targets, (samples, columns).
            y_pred: Predictions of the same shape.
            sample_weight: None for ones, one per sample, or one per target.
        """
        y_true, y_pred = aligned(y_true, y_pred, self._dtype, "R2Score")
        shape = tuple(y_pred.shape)
        if len(shape) != 2 or (self._built and shape[1] != self._columns):
            columns = self._columns if self._built else "columns"
            raise ValueError(
                f"R2Score needs targets and predictions of shape (samples, {columns}). Received: "
                f"shape {shape}."
            )
        if not self._built:
            self._build(shape[1])
        weight = flat_weights(sample_weight, shape, self._dtype, "R2Score")
        states = (self.squared_sum, self.sum, self.total_mse, self.count, self.num_samples)
        r2_update(*states, y_true, y_pred, weight)

    def result(self) -> Any:
        if not self._built:
            raise RuntimeError(
                f"R2Score '{self.name}' does not know how many columns there are before its first "
                "update."
            )
        mean = e.divide(self.sum, self.count)
        total = e.subtract(self.squared_sum, e.multiply(self.sum, mean))
        score = e.subtract(1.0, e.divide(self.total_mse, total))
        score = e.where(e.isinf(score), 0.0, score)
        if self.class_aggregation == "uniform_average":
            score = reduce.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = e.divide(reduce.sum(e.multiply(total, score)), reduce.sum(total))
        return number(self._adjusted(score) if self.num_regressors else score)

    def _adjusted(self, score: Any) -> Any:
        """The score adjusted for the number of regressors, where there are samples enough."""
        samples, regressors = self.num_samples, self.num_regressors
        if context.recorder is None and float(samples) <= regressors + 1:
            warnings.warn(
                f"The adjusted R2 score needs more than num_regressors + 1 = {regressors + 1} "
                f"targets. Received: {float(samples):g}. The plain score is returned.",
                stacklevel=4,
            )
        spare = e.subtract(samples, regressors + 1.0)
        unexplained = e.multiply(e.subtract(1.0, score), e.subtract(samples, 1.0))
        adjusted = e.subtract(1.0, e.divide(unexplained, spare))
        return e.where(e.greater(spare, 0.0), adjusted, score)


def _centred(y: Any, axis: Any) -> tuple[Any, Any]:
    """Means along an axis, and the differences from them."""
    mean = reduce.mean(y, axis=axis, keepdims=True)
    return mean, e.subtract(y, mean)


def pearson_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Pearson's correlation of targets and predictions along an axis (or several).

    1 where one is a rising straight line of the other, -1 for a falling one; NaN where one is
    constant.

    >>> import numpy as np
    >>> pearson_correlation(np.float32([[0, 1, 0.5]]), np.float32([[0.1, 0.9, 0.5]]))
    array([1.], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred, "pearson_correlation")
    (_, first), (_, second) = _centred(y_true, axis), _centred(y_pred, axis)
    lengths = [e.sqrt(reduce.sum(e.square(y), axis=axis, keepdims=True)) for y in (first, second)]
    product = e.multiply(e.divide(first, lengths[0]), e.divide(second, lengths[1]))
    return reduce.sum(product, axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Lin's concordance: as Pearson's correlation, less where means or variances differ.

    ``2 cov(y, p) / (var(y) + var(p) + (mean(y) - mean(p))**2)``, along an axis (or several).

    >>> import numpy as np
    >>> concordance_correlation(np.float32([[0, 1, 2]]), np.float32([[1, 2, 3]]))
    array([0.57142854], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred, "concordance_correlation")
    (mean_1, first), (mean_2, second) = _centred(y_true, axis), _centred(y_pred, axis)
    variances = [reduce.mean(e.square(y), axis=axis) for y in (first, second)]
    covariance = reduce.mean(e.multiply(first, second), axis=axis)
    shift = reduce.mean(e.square(e.subtract(mean_1, mean_2)), axis=axis)
    whole = e.add(e.add(variances[0], variances[1]), shift)
    return e.divide(e.multiply(covariance, 2.0), e.add(whole, settings.epsilon()))


@register("metrics")
class PearsonCorrelation(FunctionMean):
    """Mean of Pearson's correlation of targets and predictions along an axis.

    >>> PearsonCorrelation()([[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]])
    np.float32(0.9966997)
    """

    function = pearson_correlation
    arguments = ("axis",)
    _direction = "up"

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: Any = -1):
        super().__init__(name, dtype)
        self.axis = axis


@register("metrics")
class ConcordanceCorrelation(FunctionMean):
    """Mean of Lin's concordance of targets and predictions along an axis."""

    function = concordance_correlation
    arguments = ("axis",)
    _direction = "up"

    def __init__(
        self, name: str | None = "concordance_correlation", dtype: Any = None, axis: Any = -1
    ):
        super().__init__(name, dtype)
        self.axis = axis
