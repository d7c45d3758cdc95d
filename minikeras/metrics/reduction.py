"""Running sums and means."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff.context import context
from ..core.catalog import KINDS, public_path
from ..core.registry import register
from ..core.serialize import deserialize, serialize
from ..losses.loss import apply_mask, squeeze_or_expand_to_same_rank
from ..ops import elementwise as e
from ..ops import reduce
from ..ops.core import cast, convert_to_tensor
from ..ops.core import ndim as _ndim
from ..ops.shapes import reshape
from ..ops.weighted import mean_update
from .metric import Metric, number


def _per_sample(values: Any, rank: int = 1) -> Any:
    """Means over all axes from `rank` on."""
    axes = tuple(range(rank, _ndim(values)))
    if not axes:
        return values
    if math.prod(values.shape[a] for a in axes) == 1:
        return reshape(values, tuple(values.shape[:rank]))
    return reduce.mean(values, axis=axes)


def _weighted(values: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Values, and weights that broadcast to them and then sum to the samples' weights."""
    values, weight = squeeze_or_expand_to_same_rank(values, sample_weight)
    if _ndim(values) > _ndim(weight):
        values = _per_sample(values, _ndim(weight))
    repeats = math.prod(values.shape[1:])
    return values, weight if repeats == 1 else e.multiply(weight, 1.0 / repeats)


@register("metrics")
class Sum(Metric):
    """The (weighted) sum of all values.

    >>> Sum()([1.0, 2.0, 4.0])
    np.float32(7.0)
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add `values` (times `sample_weight`)."""
        values = convert_to_tensor(values, self._dtype)
        if sample_weight is not None:
            weight = convert_to_tensor(sample_weight, self._dtype)
            values, weight = squeeze_or_expand_to_same_rank(values, weight)
            if _ndim(values) > _ndim(weight):
                values = reduce.sum(values, axis=tuple(range(_ndim(weight), _ndim(values))))
            values = e.multiply(values, weight)
        self.total.assign_add(reduce.sum(values))

    def result(self) -> Any:
        return number(cast(self.total, self._dtype))


@register("metrics")
class Mean(Metric):
    """The (weighted) mean over all samples.

    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0]); mean.update_state([5.0])
    >>> mean.result()
    np.float32(3.0)
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self._require_floats()
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in the values of a batch; the first axis counts samples.

        Args:
            values: One number per sample (further axes are averaged).
            sample_weight: None for ones, or of a shape that broadcasts to that of `values`.
        """
        mask = getattr(values, "mask", None)
        values = convert_to_tensor(values, self._dtype)
        if sample_weight is None:
            mean_update(self.total, self.count, _per_sample(values) if _ndim(values) else values)
            return
        weight = convert_to_tensor(sample_weight, self._dtype)
        weight = apply_mask(weight, mask, self._dtype, "sum")
        mean_update(self.total, self.count, *_weighted(values, weight))

    def result(self) -> Any:
        if context.tracing:
            return number(e.divide_no_nan(self.total, self.count))
        # what callbacks look at after every step: numbers are divided in a tenth of the time
        total, count = self.total.numpy()[()], self.count.numpy()[()]
        with np.errstate(all="ignore"):
            return total / count if count else type(total)(0)


class FunctionMean(Mean):
    """The mean of a function of targets and predictions.

    A subclass names the function in `function`, and in `arguments` those arguments of its
    constructor that the function is given.
    """

    function: Callable[..., Any]
    arguments: tuple[str, ...] = ()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: Targets.
            y_pred: Predictions; a mask that they carry leaves values out.
            sample_weight: None for ones, or of a shape that broadcasts to that of the values.
        """
        mask = getattr(y_pred, "mask", None)
        values = self._values(y_true, y_pred, sample_weight)
        super().update_state(values, apply_mask(sample_weight, mask, self._dtype, "sum"))

    def _values(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        given = {name: getattr(self, name) for name in self.arguments}
        return type(self).function(y_true, y_pred, **given)


@register("metrics")
class MeanMetricWrapper(FunctionMean):
    """The mean of a function ``fn(y_true, y_pred, **kwargs)``, such as a loss.

    >>> from minikeras.losses import mean_squared_error
    >>> MeanMetricWrapper(mean_squared_error)([[0.0], [2.0]], [[1.0], [2.0]])
    np.float32(0.5)
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ):
        super().__init__(name=name, dtype=dtype)
        if not callable(fn):
            raise ValueError(
                f"MeanMetricWrapper: `fn` must be a function (y_true, y_pred). Received: {fn!r}."
            )
        self._fn = fn
        self._fn_kwargs = kwargs
        if (public_path(fn) or ("",))[0] == KINDS["losses"]:
            self._direction = "down"

    def _values(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        if values is None:
            raise ValueError(
                f"Metric '{self.name}' must return its values. Received: None. Is a `return` "
                "missing?"
            )
        return values

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dtype": self.dtype,
            "fn": serialize(self._fn),
            **serialize(self._fn_kwargs),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**deserialize(config))
