"""Means of losses, as metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import losses
from ..core.registry import register
from ..ops import elementwise as e
from .accuracy import kind_of_targets
from .metric import Metric, number
from .reduction import FunctionMean


@register("metrics", "mse", "MSE")
class MeanSquaredError(FunctionMean):
    """Mean of ``(y_true - y_pred)**2``."""

    function = losses.mean_squared_error
    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics", "rmse", "RMSE")
class RootMeanSquaredError(FunctionMean):
    """Root of the mean of ``(y_true - y_pred)**2``.

    >>> RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [4.0]])
    np.float32(3.535534)
    """

    function = losses.mean_squared_error
    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None):
        super().__init__(name, dtype)

    def result(self) -> Any:
        return number(e.sqrt(e.divide_no_nan(self.total, self.count)))


@register("metrics", "mae", "MAE")
class MeanAbsoluteError(FunctionMean):
    """Mean of ``abs(y_true - y_pred)``."""

    function = losses.mean_absolute_error
    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics", "mape", "MAPE")
class MeanAbsolutePercentageError(FunctionMean):
    """Mean of the differences in percent of the targets."""

    function = losses.mean_absolute_percentage_error
    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics", "msle", "MSLE")
class MeanSquaredLogarithmicError(FunctionMean):
    """Mean of ``(log(y_true + 1) - log(y_pred + 1))**2``."""

    function = losses.mean_squared_logarithmic_error
    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None):
        super().__init__(name, dtype)


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine itself; the loss is its negative."""
    return e.negative(losses.cosine_similarity(y_true, y_pred, axis))


@register("metrics")
class CosineSimilarity(FunctionMean):
    """Mean cosine of the angle between targets and predictions."""

    function = _cosine
    arguments = ("axis",)
    _direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1):
        super().__init__(name, dtype)
        self.axis = axis


@register("metrics", "logcosh")
class LogCoshError(FunctionMean):
    """Mean of ``log(cosh(y_pred - y_true))``."""

    function = losses.log_cosh
    _direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics", "bce", "BCE")
class BinaryCrossentropy(FunctionMean):
    """Mean cross entropy of yes-or-no targets."""

    function = losses.binary_crossentropy
    arguments = ("from_logits", "label_smoothing")
    _direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        super().__init__(name, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


@register("metrics")
class CategoricalCrossentropy(FunctionMean):
    """Mean cross entropy between one-hot targets and predicted probabilities."""

    function = losses.categorical_crossentropy
    arguments = ("from_logits", "label_smoothing", "axis")
    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        super().__init__(name, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@register("metrics")
class SparseCategoricalCrossentropy(FunctionMean):
    """Mean cross entropy with class numbers as targets."""

    function = losses.sparse_categorical_crossentropy
    arguments = ("from_logits", "ignore_class", "axis")
    _direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        super().__init__(name, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis


@register("metrics")
class KLDivergence(FunctionMean):
    """Mean divergence of predicted from target probabilities."""

    function = losses.kl_divergence
    _direction = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics")
class Poisson(FunctionMean):
    """Mean of ``y_pred - y_true * log(y_pred)``."""

    function = losses.poisson
    _direction = "down"

    def __init__(self, name: str | None = "poisson", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics")
class Hinge(FunctionMean):
    """Mean of ``max(1 - y_true * y_pred, 0)``."""

    function = losses.hinge
    _direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics")
class SquaredHinge(FunctionMean):
    """Mean of ``max(1 - y_true * y_pred, 0)**2``."""

    function = losses.squared_hinge
    _direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None):
        super().__init__(name, dtype)


@register("metrics")
class CategoricalHinge(FunctionMean):
    """Mean shortfall of the truth's prediction against the best other one plus 1."""

    function = losses.categorical_hinge
    _direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None):
        super().__init__(name, dtype)


def crossentropy_for(
    y_shape: Sequence[int | None], pred_shape: Sequence[int | None], name: str = "crossentropy"
) -> Metric:
    """The metric that "crossentropy" means for targets and predictions of these shapes."""
    kinds = {
        "binary": BinaryCrossentropy,
        "sparse": SparseCategoricalCrossentropy,
        "categorical": CategoricalCrossentropy,
    }
    return kinds[kind_of_targets(y_shape, pred_shape)](name=name)
