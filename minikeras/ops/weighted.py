"""Sums of values with weights: what a loss becomes, and what a running mean adds."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec
from . import elementwise as e
from . import reduce
from .core import cast, floating
from .shapes import broadcast_to


def _weights(x: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """What kernels take for weights: an array of size 0 stands for ones."""
    return np.empty(0, x.dtype) if weights is None else weights.reshape(-1)


def _weighted_sum(ins: list, outs: list, divisor: float) -> list:
    x, weights = ins
    arguments = (x.reshape(-1), _weights(x, weights), divisor, outs[0].reshape(-1))
    return [kernels.launch("weighted_sum", *arguments)]


def _weighted_sum_grad(ins: list, outs: list, divisor: float) -> list:
    g, x, weights = ins
    arguments = (g.reshape(-1), _weights(x, weights), divisor, outs[0].reshape(-1))
    return [kernels.launch("weighted_sum_grad", *arguments, tasks=parts(x.size))]


def _weighted_sum_pull(g: Any, ins: Any, outs: Any, needed: Any, divisor: float) -> list:
    x, weights = ins
    dx = _weighted_sum_grad_primitive(g, x, weights, divisor=divisor) if needed[0] else None
    dw = e.multiply(x, e.divide(g, divisor)) if needed[1] else None
    return [dx, dw]


_weighted_sum_grad_primitive = Primitive(
    "weighted_sum_grad",
    lambda g, x, weights, divisor: x,
    _weighted_sum_grad,
)

_weighted_sum_primitive = Primitive(
    "weighted_sum",
    lambda x, weights, divisor: Spec((), x.dtype),
    _weighted_sum,
    _weighted_sum_pull,
    composite=lambda x, weights, divisor: e.divide(
        reduce.sum(x if weights is None else e.multiply(x, weights)), divisor
    ),
)


def _mean_update(ins: list, outs: list) -> list:
    total, count, x, weights = ins
    sums = (total.reshape(-1), count.reshape(-1))
    return [kernels.launch("mean_update", x.reshape(-1), _weights(x, weights), *sums)]


_mean_update_primitive = Primitive(
    "mean_update",
    lambda total, count, x, weights: (),
    _mean_update,
    outputs=0,
    writes=(0, 1),
)


def _alike(x: Any, weights: Any) -> Any:
    """Weights of the shape and dtype of `x`."""
    if weights is None:
        return None
    weights = cast(weights, np.dtype(x.dtype).name)
    return weights if tuple(weights.shape) == tuple(x.shape) else broadcast_to(weights, x.shape)


def weighted_sum(x: Any, weights: Any = None, divisor: float = 1.0) -> Any:
    """``sum(x * weights) / divisor`` as a scalar.

    Args:
        x: Floats of any shape.
        weights: None for ones, else broadcast to the shape of `x`.
    """
    x = floating(x)
    return _weighted_sum_primitive(x, _alike(x, weights), divisor=float(divisor))


def mean_update(total: Any, count: Any, x: Any, weights: Any = None) -> None:
    """Add ``sum(x * weights)`` to the Variable `total` and ``sum(weights)`` to `count`.

    Args:
        total: Variable of shape ().
        count: Variable of shape ().
        x: Floats of any shape.
        weights: None for ones, else broadcast to the shape of `x`.
    """
    x = cast(floating(x), total.dtype)
    _mean_update_primitive(total, count, x, _alike(x, weights))
