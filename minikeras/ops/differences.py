"""Losses of one number per row that measure differences: kernels, and what they are made of."""

from __future__ import annotations

import math
from typing import Any

from . import activations, normalisation, reduce
from . import elementwise as e
from .cross_entropy import RowLoss

LN2 = math.log(2.0)


def _mean(x: Any) -> Any:
    return reduce.mean(x, axis=-1)


def _share(g: Any, p: Any) -> Any:
    """What one element adds to the row's mean."""
    return e.multiply(g, 1.0 / p.shape[-1])


def _steps(x: Any, limit: float) -> Any:
    """1 above a limit, 0 below, a half at it."""
    above = e.where(e.greater(x, limit), 1.0, 0.0)
    return e.where(e.equal(x, limit), 0.5, above)


def _huber(p: Any, t: Any, delta: float) -> Any:
    size = e.absolute(e.subtract(p, t))
    line = e.subtract(e.multiply(size, delta), 0.5 * delta**2)
    return _mean(e.where(e.less_equal(size, delta), e.multiply(e.square(size), 0.5), line))


def _huber_of_targets(g: Any, p: Any, t: Any, delta: float) -> Any:
    return e.multiply(_share(g, p), e.clip(e.subtract(t, p), -delta, delta))


def _log_cosh(p: Any, t: Any) -> Any:
    size = e.absolute(e.subtract(p, t))
    return _mean(e.subtract(e.add(size, activations.softplus(e.multiply(size, -2.0))), LN2))


def _log_cosh_of_targets(g: Any, p: Any, t: Any) -> Any:
    return e.multiply(_share(g, p), activations.tanh(e.subtract(t, p)))


def _percentage(p: Any, t: Any, eps: float) -> Any:
    size = e.maximum(e.absolute(t), eps)
    return e.multiply(_mean(e.absolute(e.divide(e.subtract(t, p), size))), 100.0)


def _percentage_of_targets(g: Any, p: Any, t: Any, eps: float) -> Any:
    size = e.maximum(e.absolute(t), eps)
    gap = e.subtract(t, p)
    of_size = e.multiply(e.multiply(e.sign(t), _steps(e.absolute(t), eps)), e.absolute(gap))
    slope = e.subtract(e.divide(e.sign(gap), size), e.divide(of_size, e.square(size)))
    return e.multiply(_share(g, p), e.multiply(slope, 100.0))


def _logarithm(x: Any, eps: float) -> Any:
    return e.log(e.add(e.maximum(x, eps), 1.0))


def _logarithmic(p: Any, t: Any, eps: float) -> Any:
    return _mean(e.square(e.subtract(_logarithm(p, eps), _logarithm(t, eps))))


def _logarithmic_of_targets(g: Any, p: Any, t: Any, eps: float) -> Any:
    gap = e.subtract(_logarithm(t, eps), _logarithm(p, eps))
    inside = e.divide(_steps(t, eps), e.add(e.maximum(t, eps), 1.0))
    return e.multiply(_share(g, p), e.multiply(e.multiply(gap, 2.0), inside))


def _poisson(p: Any, t: Any, eps: float) -> Any:
    return _mean(e.subtract(p, e.multiply(t, e.log(e.add(p, eps)))))


def _poisson_of_targets(g: Any, p: Any, t: Any, eps: float) -> Any:
    return e.multiply(_share(g, p), e.negative(e.log(e.add(p, eps))))


def _divergence(p: Any, t: Any, eps: float) -> Any:
    p, t = e.clip(p, eps, 1.0), e.clip(t, eps, 1.0)
    return reduce.sum(e.multiply(t, e.log(e.divide(t, p))), axis=-1)


def _divergence_of_targets(g: Any, p: Any, t: Any, eps: float) -> Any:
    inside = e.multiply(_steps(t, eps), _steps(e.negative(t), -1.0))
    p, t = e.clip(p, eps, 1.0), e.clip(t, eps, 1.0)
    return e.multiply(g, e.multiply(inside, e.add(e.log(e.divide(t, p)), 1.0)))


def _cosine(p: Any, t: Any, eps: float) -> Any:
    first, second = (normalisation.normalize(x, -1, 2, eps) for x in (p, t))
    return e.negative(reduce.sum(e.multiply(first, second), axis=-1))


def _cosine_of_targets(g: Any, p: Any, t: Any, eps: float) -> Any:
    first, second = (normalisation.normalize(x, -1, 2, eps) for x in (p, t))
    square = reduce.sum(e.square(t), axis=-1, keepdims=True)
    along = e.multiply(reduce.sum(e.multiply(first, second), axis=-1, keepdims=True), second)
    turned = e.subtract(e.multiply(along, _steps(square, eps**2)), first)
    return e.multiply(g, e.multiply(turned, e.rsqrt(e.maximum(square, eps**2))))


# each: (predictions (..., columns), targets of that shape; numbers) -> (...,)
huber = RowLoss("huber", _huber, _huber_of_targets)
log_cosh = RowLoss("log_cosh", _log_cosh, _log_cosh_of_targets)
percentage_error = RowLoss("percentage_error", _percentage, _percentage_of_targets)
logarithmic_error = RowLoss("logarithmic_error", _logarithmic, _logarithmic_of_targets)
poisson = RowLoss("poisson", _poisson, _poisson_of_targets)
divergence = RowLoss("divergence", _divergence, _divergence_of_targets)
cosine = RowLoss("cosine", _cosine, _cosine_of_targets)  # minus the cosine
