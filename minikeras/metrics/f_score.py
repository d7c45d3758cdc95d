"""F-scores: the weighted harmonic mean of precision and recall, per class."""

from __future__ import annotations

from typing import Any

from ..core import settings
from ..core.registry import register
from ..core.validate import number as checked_number
from ..core.validate import one_of
from ..ops import elementwise as e
from ..ops import reduce
from ..ops.core import convert_to_tensor
from .counting import NO_THRESHOLD, fbeta_update, flat_weights
from .metric import Metric, number

AVERAGES = (None, "micro", "macro", "weighted")
STATES = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


@register("metrics")
class FBetaScore(Metric):
    """``(1 + beta**2) precision recall / (beta**2 precision + recall)`` (van Rijsbergen 1979).

    Args:
        average: None (one score per class), 'micro' (all decisions together), 'macro' (mean over
            classes) or 'weighted' (mean over classes by their number of positives).
        beta: How much more recall counts than precision, above 0.
        threshold: What a prediction must exceed to be positive, in (0, 1]; None: the largest of
            each row (all of them where several are equal) if it is not 0.

    Example:

    >>> FBetaScore(beta=2.0, threshold=0.5)([[1, 1], [1, 0]], [[0.2, 0.6], [0.9, 0.6]])
    array([0.5555556 , 0.83333325], dtype=float32)
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self._require_floats()
        owner = type(self).__name__
        self.average = one_of(average, AVERAGES, "average", owner)
        self.beta = checked_number(beta, "beta", owner)
        if self.beta <= 0:
            raise ValueError(f"{owner}: `beta` must be positive. Received: {beta!r}.")
        self.threshold = threshold
        if threshold is not None and not 0 < checked_number(threshold, "threshold", owner) <= 1:
            raise ValueError(
                f"{owner}: `threshold` must be above 0 and at most 1. Received: {threshold!r}."
            )
        self._built = False

    def _build(self, classes: int) -> None:
        for name in STATES:
            shape = () if self.average == "micro" else (classes,)
            setattr(self, name, self.add_variable(shape, "zeros", name=name))
        self._classes, self._built = classes, True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: Targets, (samples, classes).
            y_pred: Predictions of the same shape.
            sample_weight: None for ones, or one per sample.
        """
        owner = type(self).__name__
        y_true = convert_to_tensor(y_true, self._dtype)
        y_pred = convert_to_tensor(y_pred, self._dtype)
        shape = tuple(y_pred.shape)
        if len(shape) != 2 or tuple(y_true.shape) != shape:
            raise ValueError(
                f"{owner} needs targets and predictions of shape (samples, classes). Received: "
                f"y_true of shape {tuple(y_true.shape)} and y_pred of shape {shape}."
            )
        if not self._built:
            self._build(shape[1])
        if shape[1] != self._classes:
            raise ValueError(
                f"{owner} was updated with {self._classes} classes before. Received: y_pred of "
                f"shape {shape}."
            )
        weight = flat_weights(sample_weight, shape[:1], self._dtype, owner)
        states = [getattr(self, name) for name in STATES]
        threshold = NO_THRESHOLD if self.threshold is None else float(self.threshold)
        fbeta_update(*states, y_true, y_pred, weight, threshold=threshold)

    def result(self) -> Any:
        if not self._built:
            raise RuntimeError(
                f"{type(self).__name__} '{self.name}' does not know how many classes there are "
                "before its first update."
            )
        tp, fp, fn, positives = (getattr(self, name) for name in STATES)
        precision, recall = _share(tp, e.add(tp, fp)), _share(tp, e.add(tp, fn))
        square = self.beta**2
        below = e.add(e.multiply(precision, square), recall)
        score = _share(e.multiply(e.multiply(precision, recall), 1.0 + square), below)
        if self.average == "macro":
            score = reduce.mean(score)
        elif self.average == "weighted":
            shares = _share(positives, reduce.sum(positives))
            score = reduce.sum(e.multiply(score, shares))
        return number(score)


def _share(part: Any, whole: Any) -> Any:
    return e.divide(part, e.add(whole, settings.epsilon()))


@register("metrics")
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall; arguments as for `FBetaScore`.

    >>> F1Score(threshold=0.5)([[1, 1, 1], [1, 0, 0]], [[0.2, 0.6, 0.7], [0.9, 0.6, 0.6]])
    array([0.66666657, 0.66666657, 0.66666657], dtype=float32)
    """

    _config_skip = ("beta",)

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ):
        super().__init__(average, 1.0, threshold, name, dtype)
