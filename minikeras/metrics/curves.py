"""Metrics of a whole curve of decisions: the area under it, and its best point under a bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import settings
from ..core.registry import register
from ..core.validate import boolean, fraction, integer, non_negative_int, one_of, positive_int
from ..ops import elementwise as e
from ..ops import nn, reduce
from ..ops.core import convert_to_tensor
from ..ops.core import ndim as _ndim
from ..ops.shapes import broadcast_to, getitem, reshape
from .counting import Thresholds, flat_weights, is_even, update_confusion
from .metric import Metric, number

CURVES = ("ROC", "PR", "PRGAIN")
SUMMATIONS = ("interpolation", "minoring", "majoring")
COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def _evenly(count: int, beyond: float) -> list[float]:
    """`count` thresholds from 0 to 1, the ends a little `beyond`."""
    inner = [k / (count - 1) for k in range(1, count - 1)]
    return [0.0 - beyond, *inner, 1.0 + beyond]


def _share(part: Any, other: Any) -> Any:
    """``part / (part + other)``, 0 where both are 0."""
    return e.divide_no_nan(part, e.add(part, other))


def _at_start(x: Any) -> Any:
    return getitem(x, slice(None, -1))


def _at_end(x: Any) -> Any:
    return getitem(x, slice(1, None))


def _steps(x: Any) -> Any:
    """How much each number exceeds the next one."""
    return e.subtract(_at_start(x), _at_end(x))


class _Curve(Metric):
    """Base: the four counts of decisions at each of many thresholds."""

    _direction = "up"

    def _keep(self, *shape: int) -> None:
        self._require_floats()
        for name in COUNTS:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def _states(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in COUNTS}


@register("metrics")
class AUC(_Curve):
    """Area under a curve of decisions: true positive rate over false positive rate, for instance.

    The curve is known at `num_thresholds` points, so the area is an approximation.

    Args:
        num_thresholds: How many thresholds between 0 and 1 to use, at least 2.
        curve: 'ROC' (true over false positive rate), 'PR' (precision over recall), or 'PRGAIN'
            (precision gain over recall gain, Flach & Kull 2015).
        summation_method: 'interpolation' (trapezes; for 'PR' the exact curve between two points,
            Davis & Goadrich 2006), 'minoring' or 'majoring' (the lower or higher end of a step).
        thresholds: Thresholds to use instead, in [0, 1]; one below 0 and one above 1 are added.
        multi_label: Whether columns are labels, of which each gets a curve; areas are averaged.
        num_labels: Number of columns, if they are to be known before the first update.
        label_weights: Weight of each column in the average (`multi_label`), or in the counts.
        from_logits: Whether predictions are logits, of which the sigmoid is taken.

    Example:

    >>> AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    np.float32(0.75)
    """

    _config_optional = ("thresholds",)

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ):
        super().__init__(name=name, dtype=dtype)
        self.curve = one_of(_raised(curve), CURVES, "curve", "AUC")
        method = summation_method
        self.summation_method = one_of(_lowered(method), SUMMATIONS, "summation_method", "AUC")
        self.multi_label = boolean(multi_label, "multi_label", "AUC")
        self.num_labels = num_labels
        self.from_logits = boolean(from_logits, "from_logits", "AUC")
        self._given = thresholds is not None
        self._thresholds = _auc_thresholds(num_thresholds, thresholds)
        self.num_thresholds = len(self._thresholds)
        self.label_weights = _label_weights(label_weights)
        self._built = False
        self._check_labels(num_labels)
        if not multi_label:
            self._build()
        elif num_labels is not None:
            self._build(num_labels)

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, with those below 0 and above 1."""
        return self._thresholds.values

    def _config_argument(self, name: str) -> Any:
        if name == "thresholds":
            return self.thresholds[1:-1] if self._given else None
        return super()._config_argument(name)

    def _check_labels(self, labels: int | None) -> None:
        """Raise where the number of columns is not the one that was announced."""
        if labels is None:
            return
        if not self.multi_label and self.num_labels is not None:
            raise ValueError("AUC: `num_labels` goes with multi_label=True only.")
        positive_int(labels, "num_labels", "AUC")
        if self.label_weights is not None and len(self.label_weights) != labels:
            raise ValueError(
                f"AUC: `label_weights` must have one weight per label. Received: "
                f"{len(self.label_weights)} weights for {labels} labels."
            )

    def _build(self, *labels: int) -> None:
        self._keep(self.num_thresholds, *labels)
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: Targets; what is not 0 is a positive. (samples, labels) with `multi_label`.
            y_pred: Probabilities (logits with `from_logits`) of the same shape.
            sample_weight: None for ones, one per target, or one per row of targets.
        """
        y_pred = convert_to_tensor(y_pred, self._dtype)
        if self.multi_label or self.label_weights is not None:
            self._check_columns(y_pred)
        if not self._built:
            self._build(y_pred.shape[1])
        if self.from_logits:
            y_pred = nn.sigmoid(y_pred)
        states, weight = self._states(), self._weight(y_pred, sample_weight)
        update_confusion(states, y_true, y_pred, weight, self._thresholds, self._dtype, "AUC")

    def _check_columns(self, y_pred: Any) -> None:
        if _ndim(y_pred) != 2:
            raise ValueError(
                "AUC with multi_label=True or label_weights needs predictions of shape "
                f"(samples, labels). Received: shape {tuple(y_pred.shape)}."
            )
        columns = y_pred.shape[1]
        self._check_labels(columns)
        if self._built and self.multi_label and columns != self.true_positives.shape[1]:
            raise ValueError(
                f"AUC was made for {self.true_positives.shape[1]} labels. Received: y_pred of "
                f"shape {tuple(y_pred.shape)}."
            )

    def _weight(self, y_pred: Any, sample_weight: Any) -> Any:
        """Weights of samples, times those of labels where all labels have one curve."""
        if self.label_weights is None or self.multi_label:
            return sample_weight
        shape = tuple(y_pred.shape)
        labels = broadcast_to(np.asarray(self.label_weights, self._dtype), shape)
        flat = flat_weights(sample_weight, shape, self._dtype, "AUC")
        if flat is None:
            return labels
        return e.multiply(labels, reshape(flat, (shape[0], -1)))

    # --- areas ---

    def result(self) -> Any:
        if not self._built:
            raise RuntimeError(
                f"AUC '{self.name}' does not know how many labels there are before its first "
                "update. Pass `num_labels`, or update it first."
            )
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        x, y = self._points()
        first, second = _at_start(y), _at_end(y)
        heights = {
            "interpolation": lambda: e.multiply(e.add(first, second), 0.5),
            "minoring": lambda: e.minimum(first, second),
            "majoring": lambda: e.maximum(first, second),
        }[self.summation_method]()
        return self._averaged(reduce.sum(e.multiply(_steps(x), heights), axis=0))

    def _points(self) -> tuple[Any, Any]:
        """Horizontal and vertical places of the curve's points."""
        tp, fp, tn, fn = self._states().values()
        if self.curve == "ROC":
            return _share(fp, tn), _share(tp, fn)
        if self.curve == "PR":
            return _share(tp, fn), _share(tp, fp)
        odds = e.divide_no_nan(e.add(tp, fn), e.add(tn, fp))
        missed, extra = (e.multiply(odds, e.divide_no_nan(wrong, tp)) for wrong in (fn, fp))
        recall_gain = e.where(e.greater(tp, 0.0), e.maximum(e.subtract(1.0, missed), 0.0), 0.0)
        return recall_gain, e.subtract(1.0, extra)

    def interpolate_pr_auc(self) -> Any:
        """Area under precision over recall, with the true curve between the known points.

        Between two thresholds true positives grow linearly with predicted positives; the share of
        the two is integrated exactly (Davis & Goadrich 2006).
        """
        tp, fp, _, fn = self._states().values()
        predicted = e.add(tp, fp)
        gained = _steps(tp)
        slope = e.divide_no_nan(gained, e.maximum(_steps(predicted), 0.0))
        start, end = _at_start(predicted), _at_end(predicted)
        intercept = e.subtract(_at_end(tp), e.multiply(slope, end))
        both = e.logical_and(e.greater(start, 0.0), e.greater(end, 0.0))
        ratio = e.where(both, e.divide_no_nan(start, e.maximum(end, 0.0)), 1.0)
        area = e.multiply(slope, e.add(gained, e.multiply(intercept, e.log(ratio))))
        positives = e.maximum(e.add(_at_end(tp), _at_end(fn)), 0.0)
        return self._averaged(reduce.sum(e.divide_no_nan(area, positives), axis=0))

    def _averaged(self, areas: Any) -> Any:
        """The mean over labels, where each has an area."""
        if not self.multi_label:
            return number(areas)
        if self.label_weights is None:
            return number(reduce.mean(areas))
        weights = np.asarray(self.label_weights, self._dtype)
        total = reduce.sum(e.multiply(areas, weights))
        return number(e.divide_no_nan(total, float(weights.sum())))


def _raised(word: Any) -> Any:
    return word.upper() if isinstance(word, str) else word


def _lowered(word: Any) -> Any:
    return word.lower() if isinstance(word, str) else word


def _auc_thresholds(count: Any, thresholds: Any) -> Thresholds:
    """The thresholds given, with one on either side of [0, 1], else `count` even ones."""
    if thresholds is None:
        if integer(count, "num_thresholds", "AUC") < 2:
            raise ValueError(f"AUC: `num_thresholds` must be at least 2. Received: {count}.")
        return Thresholds(_evenly(count, settings.epsilon()), True)
    if np.ndim(thresholds) != 1 or any(not 0 <= t <= 1 for t in thresholds):
        raise ValueError(
            f"AUC: `thresholds` must be a list of numbers between 0 and 1. Received: "
            f"{thresholds!r}."
        )
    inner = sorted(float(t) for t in thresholds)
    even = is_even([0.0, *inner, 1.0])
    epsilon = settings.epsilon()
    return Thresholds([-epsilon, *inner, 1.0 + epsilon], even)


def _label_weights(weights: Any) -> list[float] | None:
    if weights is None:
        return None
    found = [float(w) for w in np.ravel(weights)]
    if any(not w >= 0 for w in found):
        raise ValueError(f"AUC: `label_weights` must be at least 0. Received: {weights!r}.")
    return found


class _Bound(_Curve):
    """Base: the best value of one share among the thresholds where another reaches a bound."""

    def _prepare(self, num_thresholds: int, class_id: int | None) -> None:
        owner = type(self).__name__
        self.num_thresholds = positive_int(num_thresholds, "num_thresholds", owner)
        self.class_id = None if class_id is None else non_negative_int(class_id, "class_id", owner)
        one = self.num_thresholds == 1
        self.thresholds = [0.5] if one else _evenly(self.num_thresholds, 0.0)
        self._thresholds = Thresholds(self.thresholds, not one)
        self._keep(self.num_thresholds)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: Targets; what is not 0 is a positive.
            y_pred: Probabilities of the same shape, (samples, classes) for `class_id`.
            sample_weight: None for ones, one per target, or one per row of targets.
        """
        update_confusion(
            *(self._states(), y_true, y_pred, sample_weight),
            *(self._thresholds, self._dtype, type(self).__name__, self.class_id),
        )

    def _best(self, value: Any, bounded: Any, bound: float) -> Any:
        """The largest value where `bounded` is at least `bound`, 0 if that is nowhere."""
        return number(reduce.max(e.where(e.greater_equal(bounded, bound), value, 0.0)))


@register("metrics")
class SensitivityAtSpecificity(_Bound):
    """The best share of positives found while at least `specificity` of the negatives are.

    Args:
        specificity: In [0, 1].
        num_thresholds: How many thresholds between 0 and 1 to look at; 1 means 0.5.
        class_id: The only column to look at.

    Example:

    >>> SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    np.float32(0.5)
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.specificity = fraction(specificity, "specificity", "SensitivityAtSpecificity")
        self._prepare(num_thresholds, class_id)

    def result(self) -> Any:
        tp, fp, tn, fn = self._states().values()
        return self._best(_share(tp, fn), _share(tn, fp), self.specificity)


@register("metrics")
class SpecificityAtSensitivity(_Bound):
    """The best share of negatives found while at least `sensitivity` of the positives are.

    >>> SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    np.float32(0.6666667)
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.sensitivity = fraction(sensitivity, "sensitivity", "SpecificityAtSensitivity")
        self._prepare(num_thresholds, class_id)

    def result(self) -> Any:
        tp, fp, tn, fn = self._states().values()
        return self._best(_share(tn, fp), _share(tp, fn), self.sensitivity)


@register("metrics")
class PrecisionAtRecall(_Bound):
    """The best precision while recall is at least `recall`.

    >>> PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    np.float32(0.5)
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.recall = fraction(recall, "recall", "PrecisionAtRecall")
        self._prepare(num_thresholds, class_id)

    def result(self) -> Any:
        tp, fp, _, fn = self._states().values()
        return self._best(_share(tp, fp), _share(tp, fn), self.recall)


@register("metrics")
class RecallAtPrecision(_Bound):
    """The best recall while precision is at least `precision`.

    >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    np.float32(0.5)
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.precision = fraction(precision, "precision", "RecallAtPrecision")
        self._prepare(num_thresholds, class_id)

    def result(self) -> Any:
        tp, fp, _, fn = self._states().values()
        return self._best(_share(tp, fn), _share(tp, fp), self.precision)
