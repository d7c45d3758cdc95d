"""Right and wrong decisions against thresholds: counts, precision, recall."""

from __future__ import annotations

from typing import Any

from ..core.registry import register
from ..core.validate import non_negative_int, positive_int
from ..ops import elementwise as e
from ..ops.core import cast, convert_to_tensor
from ..ops.core import ndim as _ndim
from ..ops.shapes import getitem
from .counting import Thresholds, is_even, keep_top_k, update_confusion
from .metric import Metric, number

NOTHING = -1e10  # threshold that all of the largest predictions exceed, and the others do not


def checked(thresholds: Any, default: float, owner: str) -> list[float]:
    """Thresholds as a list of numbers in [0, 1]."""
    if thresholds is None:
        return [default]
    given = [thresholds] if _ndim(thresholds) == 0 else list(thresholds)
    if not given or any(t is None or not 0 <= t <= 1 for t in given):
        raise ValueError(
            f"{owner}: `thresholds` must be a number between 0 and 1, or a list of some. "
            f"Received: {thresholds!r}."
        )
    return [float(t) for t in given]


class Decisions(Metric):
    """Base of metrics that count decisions at thresholds given by the user.

    `parts` names the counts that a subclass keeps, `state_names` their variables.
    """

    parts: tuple[str, ...]
    state_names: tuple[str, ...]

    def _keep(self, thresholds: Any, default: float) -> None:
        """Check the thresholds and make the state."""
        self._require_floats()
        self.init_thresholds = thresholds
        self.thresholds = checked(thresholds, default, type(self).__name__)
        self._thresholds = Thresholds(self.thresholds, is_even(self.thresholds))
        for name in self.state_names:
            setattr(self, name, self.add_variable((len(self.thresholds),), "zeros", name=name))

    def _config_argument(self, name: str) -> Any:
        return self.init_thresholds if name == "thresholds" else super()._config_argument(name)

    def _count(self, y_true: Any, y_pred: Any, sample_weight: Any, class_id: Any = None) -> None:
        states = {
            part: getattr(self, name)
            for part, name in zip(self.parts, self.state_names, strict=True)
        }
        update_confusion(
            *(states, y_true, y_pred, sample_weight),
            *(self._thresholds, self._dtype, type(self).__name__, class_id),
        )

    def _of_thresholds(self, values: Any) -> Any:
        """A number for a single threshold, else an array of one per threshold."""
        return number(getitem(values, 0)) if len(self.thresholds) == 1 else values


class _Count(Decisions):
    """Base of the four counts."""

    state_names = ("accumulator",)

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self._keep(thresholds, 0.5)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: Targets; what is not 0 is a positive.
            y_pred: Predictions of the same shape.
            sample_weight: None for ones, one per target, or one per row of targets.
        """
        self._count(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        return self._of_thresholds(cast(self.accumulator, self._dtype))


@register("metrics")
class TruePositives(_Count):
    """How many (or with what weight) positives are predicted.

    Args:
        thresholds: What a prediction must exceed to be positive, in [0, 1]; 0.5 by default. A list
            gives one result per threshold.

    >>> TruePositives()([0, 1, 1, 1], [1, 0, 1, 1])
    np.float32(2.0)
    """

    parts = ("true_positives",)


@register("metrics")
class TrueNegatives(_Count):
    """How many negatives are predicted as such; see `TruePositives`.

    >>> TrueNegatives(thresholds=[0.3, 0.6])([0, 0, 1], [0.2, 0.5, 0.9])
    array([1., 2.], dtype=float32)
    """

    parts = ("true_negatives",)


@register("metrics")
class FalsePositives(_Count):
    """How many negatives are predicted as positive; see `TruePositives`."""

    parts = ("false_positives",)


@register("metrics")
class FalseNegatives(_Count):
    """How many positives are predicted as negative; see `TruePositives`."""

    parts = ("false_negatives",)


class _Share(Decisions):
    """True positives over themselves and what else a subclass counts."""

    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        owner = type(self).__name__
        self.top_k = None if top_k is None else positive_int(top_k, "top_k", owner)
        self.class_id = None if class_id is None else non_negative_int(class_id, "class_id", owner)
        self._keep(thresholds, 0.5 if top_k is None else NOTHING)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: Targets; what is not 0 is a positive.
            y_pred: Predictions of the same shape, (samples, classes) for `class_id`.
            sample_weight: None for ones, one per target, or one per row of targets.
        """
        if self.top_k is not None:
            y_pred = self._largest(convert_to_tensor(y_pred, self._dtype))
        self._count(y_true, y_pred, sample_weight, self.class_id)

    def _largest(self, y_pred: Any) -> Any:
        if _ndim(y_pred) == 0 or self.top_k > y_pred.shape[-1]:
            raise ValueError(
                f"{type(self).__name__}: top_k={self.top_k} asks for more than there are "
                f"predictions in a row. Received: y_pred of shape {tuple(y_pred.shape)}."
            )
        return keep_top_k(y_pred, k=self.top_k)

    def result(self) -> Any:
        right, other = (getattr(self, name) for name in self.state_names)
        return self._of_thresholds(e.divide_no_nan(right, e.add(right, other)))


@register("metrics")
class Precision(_Share):
    """The share of true positives among predicted positives.

    Args:
        thresholds: What a prediction must exceed to be positive, in [0, 1]; 0.5 by default, none
            with `top_k`. A list gives one result per threshold.
        top_k: Only the `top_k` largest predictions of a row can be positive.
        class_id: The only column to look at.

    >>> Precision()([0, 1, 1, 1], [1, 0, 1, 1])
    np.float32(0.6666667)
    """

    parts = state_names = ("true_positives", "false_positives")


@register("metrics")
class Recall(_Share):
    """The share of true positives among positives; arguments as for `Precision`.

    >>> Recall(top_k=1)([[0, 1, 1]], [[0.2, 0.1, 0.9]])
    np.float32(0.5)
    """

    parts = state_names = ("true_positives", "false_negatives")
