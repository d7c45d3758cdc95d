"""Penalties on weights and activations."""

from __future__ import annotations

import math
from typing import Any

from .. import ops
from ..core.configurable import Configurable
from ..core.registry import register, resolve
from ..core.serialize import deserialize as _deserialize
from ..core.serialize import serialize as _serialize
from ..core.validate import non_negative

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


def get(identifier: Any) -> Any:
    """The penalty that a name, class, record or object stands for; None stays None."""
    return resolve("regularizers", identifier)


def serialize(regularizer: Any) -> Any:
    """The record of a penalty."""
    return _serialize(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The penalty of a record or a name."""
    if isinstance(config, str):
        return get(config)
    return _deserialize(config, custom_objects, kind="regularizers")


def _factor(value: Any, name: str, owner: str) -> float:
    value = non_negative(value, name, owner)
    if math.isinf(value):
        raise ValueError(f"{owner}: `{name}` must be finite. Received: {value}.")
    return value


@register("regularizers")
class Regularizer(Configurable):
    """Base of penalties: ``regularizer(x)`` gives a scalar."""

    def __call__(self, x: Any) -> Any:
        return 0.0


@register("regularizers", "l1_l2")
class L1L2(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x**2)``."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1 = _factor(0.0 if l1 is None else l1, "l1", "L1L2")
        self.l2 = _factor(0.0 if l2 is None else l2, "l2", "L1L2")

    def __call__(self, x: Any) -> Any:
        penalty = ops.multiply(ops.sum(ops.absolute(x)), self.l1) if self.l1 else 0.0
        return (
            ops.add(penalty, ops.multiply(ops.sum(ops.square(x)), self.l2)) if self.l2 else penalty
        )


@register("regularizers")
class L1(Regularizer):
    """``l1 * sum(|x|)``."""

    def __init__(self, l1: float = 0.01):
        self.l1 = _factor(0.01 if l1 is None else l1, "l1", "L1")

    def __call__(self, x: Any) -> Any:
        return ops.multiply(ops.sum(ops.absolute(x)), self.l1)


@register("regularizers")
class L2(Regularizer):
    """``l2 * sum(x**2)``."""

    def __init__(self, l2: float = 0.01):
        self.l2 = _factor(0.01 if l2 is None else l2, "l2", "L2")

    def __call__(self, x: Any) -> Any:
        return ops.multiply(ops.sum(ops.square(x)), self.l2)


@register("regularizers", "orthogonal_regularizer")
class OrthogonalRegularizer(Regularizer):
    """Penalty on rows (or columns) of a matrix that are not orthogonal to each other."""

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(f"mode must be 'rows' or 'columns'. Received: mode={mode!r}.")
        self.factor, self.mode = _factor(factor, "factor", "OrthogonalRegularizer"), mode

    def __call__(self, x: Any) -> Any:
        if len(x.shape) != 2:
            raise ValueError(
                f"OrthogonalRegularizer needs a matrix. Received: shape {tuple(x.shape)}."
            )
        rows = x if self.mode == "rows" else ops.transpose(x)
        unit = ops.divide(rows, ops.sqrt(ops.maximum(ops.sum(ops.square(rows), 1, True), 1e-12)))
        n = unit.shape[0]
        products = ops.multiply(ops.matmul(unit, ops.transpose(unit)), 1.0 - ops.eye(n))
        pairs = n * (n - 1) / 2
        return ops.multiply(ops.sum(ops.absolute(products)), 0.5 * self.factor / max(pairs, 1))


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
