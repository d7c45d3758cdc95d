"""Softmax and its relatives along an axis."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..graph.abstract import symbolic
from . import elementwise as e
from . import reduce
from .core import cast, floating
from .core import ndim as _ndim
from .pointwise import same
from .shapes import moveaxis, reshape, take_along_axis


def rows(x: np.ndarray, trailing: int = 1) -> np.ndarray:
    """A contiguous array as a matrix: the last `trailing` axes are its columns."""
    cut = x.ndim - trailing
    return x.reshape(math.prod(x.shape[:cut]), math.prod(x.shape[cut:]))


def row_launch(kernel: str) -> Callable[..., list]:
    """Forward of a primitive whose kernel takes matrices, all inputs first, then the output."""

    def launches(ins: Sequence[np.ndarray], outs: Sequence[np.ndarray]) -> list:
        tasks = parts(outs[0].size, 4096)
        return [kernels.launch(kernel, *map(rows, ins), rows(outs[0]), tasks=tasks)]

    return launches


def _softmax_composite(x: Any) -> Any:
    top = reduce.max(x, axis=-1, keepdims=True)
    raised = e.exp(e.subtract(x, top))
    return e.divide(raised, reduce.sum(raised, axis=-1, keepdims=True))


def _log_softmax_composite(x: Any) -> Any:
    return e.subtract(x, reduce.logsumexp(x, axis=-1, keepdims=True))


softmax_grad = Primitive("softmax_grad", same, row_launch("softmax_grad"))
softmax_primitive = Primitive(
    "softmax",
    same,
    row_launch("softmax"),
    lambda g, ins, outs, needed: [softmax_grad(g, outs[0])],
    composite=_softmax_composite,
)
_log_softmax_grad = Primitive("log_softmax_grad", same, row_launch("log_softmax_grad"))
log_softmax_primitive = Primitive(
    "log_softmax",
    same,
    row_launch("log_softmax"),
    lambda g, ins, outs, needed: [_log_softmax_grad(g, outs[0])],
    composite=_log_softmax_composite,
)


def along(primitive: Callable[[Any], Any], x: Any, axis: Any) -> Any:
    """Apply a function of the last axis to another one, or to several (None: all) taken as one."""
    x = floating(x)
    rank = _ndim(x)
    if rank == 0:
        raise ValueError("This function works along an axis. Received: a scalar.")
    if isinstance(axis, int):
        if not -rank <= axis < rank:
            raise ValueError(
                f"axis must lie in [{-rank}, {rank - 1}] for {rank} dimensions. "
                f"Received: axis={axis}."
            )
        if axis in (-1, rank - 1):
            return primitive(x)
        return moveaxis(primitive(moveaxis(x, axis, -1)), -1, axis)
    axes = list(range(rank)) if axis is None else [a % rank for a in axis]
    last = list(range(-len(axes), 0))
    moved = moveaxis(x, axes, last)
    shape = tuple(moved.shape)
    flat = reshape(moved, (*shape[: rank - len(axes)], -1))
    return moveaxis(reshape(primitive(flat), shape), last, axes)


@symbolic
def softmax(x: Any, axis: Any = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis (or several, as one)."""
    shape = getattr(x, "shape", ())
    if isinstance(axis, int) and shape and shape[axis] == 1:
        warnings.warn(
            f"softmax over axis {axis}, which has size 1, gives 1 whatever the input. For a single "
            "output use a sigmoid.",
            stacklevel=3,
        )
    return along(softmax_primitive, x, axis)


@symbolic
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Logarithm of `softmax`, without underflow."""
    return along(log_softmax_primitive, x, axis)


def _sparsemax(x: Any) -> Any:
    """The threshold depends on how many of the largest elements stay positive."""
    width = x.shape[-1]
    order = reduce.argsort(e.negative(x), -1)
    ranked = take_along_axis(x, order, _ndim(x) - 1)
    total = reduce.cumsum(ranked, axis=-1)
    place = np.arange(1, width + 1, dtype=np.dtype(x.dtype))
    support = cast(e.greater(e.multiply(ranked, place), e.subtract(total, 1.0)), x.dtype)
    count = reduce.sum(support, axis=-1, keepdims=True)
    # the paper takes the last of the supported running sums, Keras the sum of them all
    chosen = reduce.sum(e.multiply(total, support), axis=-1, keepdims=True)
    tau = e.divide(e.subtract(chosen, 1.0), count)
    return e.where(e.greater(x, tau), e.subtract(x, tau), 0.0)


@symbolic
def sparsemax(x: Any, axis: int = -1) -> Any:
    """Like `softmax`, with zeros for small elements (after Martins & Astudillo 2016).

    The threshold is the one that Keras uses, with which rows need not sum to 1.
    """
    return along(_sparsemax, x, axis)
