"""Projections applied to weights after every update."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..core import settings
from ..core.configurable import Configurable
from ..core.registry import register, resolve
from ..core.serialize import deserialize as _deserialize
from ..core.serialize import serialize as _serialize
from ..core.validate import fraction, non_negative

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


def get(identifier: Any) -> Any:
    """The constraint that a name, class, record or object stands for; None stays None."""
    return resolve("constraints", identifier)


def serialize(constraint: Any) -> Any:
    """The record of a constraint."""
    return _serialize(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a record or a name."""
    if isinstance(config, str):
        return get(config)
    return _deserialize(config, custom_objects, kind="constraints")


def _norms(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis, keepdims=True))


@register("constraints")
class Constraint(Configurable):
    """Base of constraints: ``constraint(w)`` gives the allowed weights nearest to `w`, here `w`."""

    def __call__(self, w: Any) -> Any:
        return w


@register("constraints")
class MaxNorm(Constraint):
    """Norms along `axis` of at most `max_value` (Srivastava et al. 2014)."""

    def __init__(self, max_value: float = 2, axis: Any = 0):
        self.max_value, self.axis = non_negative(max_value, "max_value", "MaxNorm"), axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        wanted = ops.clip(norms, 0, self.max_value)
        return ops.multiply(w, ops.divide(wanted, ops.add(norms, settings.epsilon())))


@register("constraints")
class NonNeg(Constraint):
    """No negative weights."""

    def __call__(self, w: Any) -> Any:
        return ops.multiply(w, ops.cast(ops.greater_equal(w, 0.0), w.dtype))


@register("constraints")
class UnitNorm(Constraint):
    """Norms of 1 along `axis`."""

    def __init__(self, axis: Any = 0):
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return ops.divide(w, ops.add(_norms(w, self.axis), settings.epsilon()))


@register("constraints")
class MinMaxNorm(Constraint):
    """Norms along `axis` between two values; `rate` below 1 moves there only part of the way."""

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ):
        self.min_value = non_negative(min_value, "min_value", "MinMaxNorm")
        self.max_value = non_negative(max_value, "max_value", "MinMaxNorm")
        if self.min_value > self.max_value:
            raise ValueError(
                "MinMaxNorm: min_value must not be above max_value. "
                f"Received: min_value={min_value}, max_value={max_value}."
            )
        self.rate, self.axis = fraction(rate, "rate", "MinMaxNorm"), axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        wanted = ops.add(
            ops.multiply(ops.clip(norms, self.min_value, self.max_value), self.rate),
            ops.multiply(norms, 1 - self.rate),
        )
        return ops.multiply(w, ops.divide(wanted, ops.add(norms, settings.epsilon())))


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
