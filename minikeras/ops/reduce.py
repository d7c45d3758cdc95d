"""Reductions and orderings along axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec, as_array, is_float
from ..core import settings
from ..graph.abstract import symbolic
from . import elementwise as e
from .core import cast, stop_gradient
from .core import ndim as _ndim
from .shapes import broadcast_to, getitem, reshape, take, take_along_axis, transpose


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(rank))
    given = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    for a in given:
        if not -rank <= a < rank:
            raise ValueError(
                f"axis must lie in [{-rank}, {rank - 1}] for {rank} dimensions. "
                f"Received: axis={axis}."
            )
    return tuple(sorted(int(a) % rank for a in given))


def _kept(shape: Any, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _reduced(x: Spec, axis: tuple[int, ...], keepdims: bool, dtype: str | None = None) -> Spec:
    shape = (
        _kept(x.shape, axis)
        if keepdims
        else tuple(n for i, n in enumerate(x.shape) if i not in axis)
    )
    return Spec(shape, dtype or x.dtype)


# what sums of small integers are counted in
WIDER = {
    **dict.fromkeys(("bool", "int8", "int16"), "int32"),
    **dict.fromkeys(("uint8", "uint16"), "uint32"),
}


def _sum_spec(x: Spec, axis: tuple[int, ...], keepdims: bool) -> Spec:
    return _reduced(x, axis, keepdims, WIDER.get(x.dtype))


def _spread(g: Any, x: Any, axis: tuple[int, ...]) -> Any:
    return broadcast_to(reshape(g, _kept(x.shape, axis)), tuple(x.shape))


_sum = Primitive(
    "sum",
    _sum_spec,
    lambda ins, outs, axis, keepdims: np.sum(
        ins[0], axis=axis, keepdims=keepdims, out=outs[0], dtype=outs[0].dtype
    ),
    lambda g, ins, outs, needed, axis, keepdims: [_spread(g, ins[0], axis)],
    host=True,
)


def _extreme_pull(g: Any, ins: Any, outs: Any, needed: Any, axis: Any, keepdims: bool) -> list:
    """The gradient is shared equally by all elements that attain the extreme."""
    x = ins[0]
    shape = _kept(x.shape, axis)
    hit = cast(e.equal(x, reshape(outs[0], shape)), np.dtype(x.dtype).name)
    share = e.divide(reshape(g, shape), _sum(hit, axis=axis, keepdims=True))
    return [e.multiply(hit, share)]


def _fill(function: Any) -> Any:
    return lambda ins, outs, axis, keepdims: function(
        ins[0], axis=axis, keepdims=keepdims, out=outs[0]
    )


_max = Primitive("max", _reduced, _fill(np.max), _extreme_pull, host=True)
_min = Primitive("min", _reduced, _fill(np.min), _extreme_pull, host=True)


def _prod_pull(g: Any, ins: Any, outs: Any, needed: Any, axis: Any, keepdims: bool) -> list:
    """The product of all others: through a division, which zeros need to be kept out of."""
    x = ins[0]
    zero = e.equal(x, 0)
    others = e.where(zero, 1.0, x)
    product = _prod(others, axis=axis, keepdims=True)
    zeros = _sum(cast(zero, np.dtype(x.dtype).name), axis=axis, keepdims=True)
    at_zero = e.where(e.equal(zeros, 1), product, 0.0)
    elsewhere = e.where(e.equal(zeros, 0), e.divide(product, others), 0.0)
    return [e.multiply(reshape(g, _kept(x.shape, axis)), e.where(zero, at_zero, elsewhere))]


_prod = Primitive("prod", _sum_spec, _fill(np.prod), _prod_pull, host=True)
_any = Primitive(
    "any", lambda x, axis, keepdims: _reduced(x, axis, keepdims, "bool"), _fill(np.any), host=True
)
_all = Primitive(
    "all", lambda x, axis, keepdims: _reduced(x, axis, keepdims, "bool"), _fill(np.all), host=True
)


def _arg(function: Any) -> Any:
    def fill(ins: list, outs: list, axis: int, keepdims: bool) -> None:
        np.copyto(outs[0], function(ins[0], axis=axis, keepdims=keepdims), casting="unsafe")

    return fill


def _arg_spec(x: Spec, axis: int, keepdims: bool) -> Spec:
    return _reduced(x, (axis % (len(x.shape) or 1),), keepdims, "int32")


_argmax = Primitive("argmax", _arg_spec, _arg(np.argmax), host=True)
_argmin = Primitive("argmin", _arg_spec, _arg(np.argmin), host=True)
_argsort = Primitive(
    "argsort",
    lambda x, axis: Spec(x.shape, "int32"),
    lambda ins, outs, axis: np.copyto(
        outs[0], np.argsort(ins[0], axis=axis, kind="stable"), casting="unsafe"
    ),
    host=True,
)
_cumsum = Primitive(
    "cumsum",
    lambda x, axis: x,
    lambda ins, outs, axis: np.cumsum(ins[0], axis=axis, out=outs[0], dtype=outs[0].dtype),
    lambda g, ins, outs, needed, axis: [_reverse(_cumsum(_reverse(g, axis), axis=axis), axis)],
    host=True,
)
_cumprod = Primitive(
    "cumprod",
    lambda x, axis: x,
    lambda ins, outs, axis: np.cumprod(ins[0], axis=axis, out=outs[0], dtype=outs[0].dtype),
    lambda g, ins, outs, needed, axis: [
        e.divide(_reverse(_cumsum(_reverse(e.multiply(g, outs[0]), axis), axis=axis), axis), ins[0])
    ],
    host=True,
)


def _reverse(x: Any, axis: int) -> Any:
    return getitem(
        x, tuple(slice(None, None, -1) if a == axis else slice(None) for a in range(len(x.shape)))
    )


def _array(x: Any) -> Any:
    return x if hasattr(x, "dtype") else as_array(x)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum over axes (all by default)."""
    x = _array(x)
    return _sum(x, axis=_axes(axis, _ndim(x)), keepdims=keepdims)


@symbolic
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean over axes (all by default)."""
    x = _array(x)
    axes = _axes(axis, _ndim(x))
    if not is_float(np.dtype(x.dtype).name):
        x = cast(x, settings.floatx())
    count = math.prod(x.shape[a] for a in axes)
    return e.multiply(_sum(x, axis=axes, keepdims=keepdims), 1.0 / count if count else float("nan"))


def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Largest element over axes; NaN wins."""
    x = _array(x)
    result = _max(x, axis=_axes(axis, _ndim(x)), keepdims=keepdims)
    return result if initial is None else e.maximum(result, initial)


def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Smallest element over axes; NaN wins."""
    x = _array(x)
    result = _min(x, axis=_axes(axis, _ndim(x)), keepdims=keepdims)
    return result if initial is None else e.minimum(result, initial)


amax, amin = max, min


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _array(x)
    return _prod(x, axis=_axes(axis, _ndim(x)), keepdims=keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _any(_array(x), axis=_axes(axis, _ndim(x)), keepdims=keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _all(_array(x), axis=_axes(axis, _ndim(x)), keepdims=keepdims)


@symbolic
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index (int32) of the largest element along an axis, or of the flattened array."""
    return (
        _argmax(reshape(x, (-1,)), axis=0, keepdims=False)
        if axis is None
        else _argmax(_array(x), axis=axis, keepdims=keepdims)
    )


@symbolic
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    return (
        _argmin(reshape(x, (-1,)), axis=0, keepdims=False)
        if axis is None
        else _argmin(_array(x), axis=axis, keepdims=keepdims)
    )


@symbolic
def argsort(x: Any, axis: int | None = -1) -> Any:
    return _argsort(reshape(x, (-1,)), axis=0) if axis is None else _argsort(_array(x), axis=axis)


def sort(x: Any, axis: int = -1) -> Any:
    """Elements in ascending order along an axis (the gradient follows them)."""
    x = _array(x)
    axis = axis % _ndim(x)
    return take_along_axis(x, _argsort(x, axis=axis), axis)


@symbolic
def cumsum(x: Any, axis: int | None = None) -> Any:
    return (
        _cumsum(reshape(x, (-1,)), axis=0)
        if axis is None
        else _cumsum(_array(x), axis=axis % _ndim(x))
    )


@symbolic
def cumprod(x: Any, axis: int | None = None) -> Any:
    return (
        _cumprod(reshape(x, (-1,)), axis=0)
        if axis is None
        else _cumprod(_array(x), axis=axis % _ndim(x))
    )


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean squared deviation from the mean, over axes."""
    x = _array(x)
    centred = e.subtract(x, mean(x, axis, keepdims=True))
    return mean(e.square(centred), axis, keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return e.sqrt(var(x, axis, keepdims))


def moments(
    x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[Any, Any]:
    """Mean and variance over `axes`."""
    if synchronized:
        raise ValueError("Synchronized statistics need several devices. Leave out `synchronized`.")
    return mean(x, axes, keepdims), var(x, axes, keepdims)


@symbolic
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` without overflow."""
    top = max(x, axis, keepdims=True)
    safe = stop_gradient(e.where(e.isfinite(top), top, 0.0))
    result = e.add(e.log(sum(e.exp(e.subtract(x, safe)), axis, keepdims=True)), safe)
    if keepdims:
        return result
    axes = _axes(axis, _ndim(x))
    return reshape(result, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """The `k` largest elements of the last axis, and their indices."""
    x = _array(x)
    order = _argsort(e.negative(x), axis=_ndim(x) - 1)
    indices = getitem(order, (Ellipsis, slice(0, k)))
    return take_along_axis(x, indices, _ndim(x) - 1), indices


@symbolic
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether each target class is among the `k` largest predictions of its row.

    A class is in when fewer than `k` others are strictly larger; NaN counts as the smallest.

    Args:
        targets: (rows,) integers.
        predictions: (rows, classes).
    """
    picked = take_along_axis(predictions, reshape(cast(targets, "int32"), (-1, 1)), 1)
    picked = e.where(e.isnan(picked), float("-inf"), picked)
    above = sum(cast(e.greater(predictions, picked), "int32"), axis=1)
    return e.less(above, k)


def count_nonzero(x: Any, axis: Any = None) -> Any:
    return sum(cast(e.not_equal(x, 0), "int32"), axis)


@symbolic
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Mean over axes, weighted by an array of the same shape or of one axis."""
    if weights is None:
        return mean(x, axis)
    x, weights = _array(x), _array(weights)
    if _ndim(weights) == 1 and _ndim(x) > 1 and isinstance(axis, int):
        shape = [1] * _ndim(x)
        shape[axis] = -1
        weights = reshape(weights, shape)
    weights = broadcast_to(cast(weights, np.dtype(x.dtype).name), tuple(x.shape))
    return e.divide(sum(e.multiply(x, weights), axis), sum(weights, axis))


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest minus smallest element over axes."""
    return e.subtract(max(x, axis, keepdims), min(x, axis, keepdims))


@symbolic
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Middle element over axes (the mean of the two middle ones)."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


@symbolic
def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The value below which a fraction `q` of the elements over axes lies."""
    if method != "linear":
        raise ValueError(f"quantile interpolates with method='linear'. Received: {method!r}.")
    x = _array(x)
    axes = _axes(axis, _ndim(x))
    rest = [a for a in range(_ndim(x)) if a not in axes]
    n = math.prod(x.shape[a] for a in axes)
    flat = sort(reshape(transpose(x, rest + list(axes)), (*[x.shape[a] for a in rest], n)), -1)
    place = np.asarray(q, np.float64) * (n - 1)
    low = np.floor(place).astype(np.int64)
    dtype = np.dtype(flat.dtype).name
    share = (place - low).astype(dtype if is_float(dtype) else settings.floatx())
    below = take(flat, low, len(rest))
    above = take(flat, np.minimum(low + 1, n - 1), len(rest))
    result = e.add(below, e.multiply(e.subtract(above, below), share))
    if place.ndim:
        result = transpose(result, [len(rest), *range(len(rest))])
    return reshape(result, (*place.shape, *_kept(x.shape, axes))) if keepdims else result


def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """As `quantile`, with `q` between 0 and 100."""
    return quantile(x, np.asarray(q) / 100, axis, method, keepdims)
