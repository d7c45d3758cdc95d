"""Normalisation over groups of channels of each sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec
from ..graph.abstract import symbolic
from . import elementwise as e
from . import reduce
from .core import cast, floating
from .core import ndim as _ndim
from .normalisation import _chunk_rows, _given
from .rowwise import rows
from .shapes import moveaxis, reshape


def _rows_of(x: Spec | np.ndarray) -> int:
    """Rows of one sample of (batch, ..., channels)."""
    return math.prod(x.shape[1:-1])


def _chunks(x: Spec | np.ndarray) -> int:
    """Into how many chunks of equal size the rows of a sample are cut, for their sums."""
    whole, most = _rows_of(x), _chunk_rows(x.shape[-1])
    for chunks in range(max(1, -(-whole // most)), 1 + 8 * whole // most):
        if whole % chunks == 0:
            return chunks
    return 1


def _sums(x: Spec) -> Spec:
    """Where the kernels leave the two sums of each chunk and channel."""
    return Spec((2 * x.shape[0] * _chunks(x), x.shape[-1]), "float64")


def _for_samples(x: Spec, each: int) -> Spec:
    return Spec((each * x.shape[0], x.shape[-1]), x.dtype)


def _specs(x: Spec, gamma: Any, beta: Any, groups: int, epsilon: float) -> tuple[Spec, ...]:
    return x, _for_samples(x, 1), _for_samples(x, 1), _for_samples(x, 2), _sums(x)


def _tasks(x: np.ndarray, sums: np.ndarray) -> int:
    """Tasks of a pass that owns chunks."""
    return max(1, min(len(sums) // 2, x.size // 8192, 2 * kernels.num_threads()))


def _small_tasks(x: np.ndarray) -> int:
    """Tasks of what is done with the sums of samples."""
    return max(1, min(len(x), parts(len(x) * x.shape[-1], 4096)))


def _forward(ins: list, outs: list, groups: int, epsilon: float) -> list:
    x, gamma, beta = ins
    y, mean, factor, lines, sums = outs
    if not x.size:
        return []
    whole, matrix = _rows_of(x), rows(x)
    given = (_given(gamma, x), _given(beta, x), epsilon, mean, factor, lines)
    return [
        kernels.launch("batch_sums", matrix, whole // _chunks(x), sums, tasks=_tasks(x, sums)),
        kernels.launch("group_lines", sums, groups, whole, *given, tasks=_small_tasks(x)),
        kernels.launch("scale_shift", matrix, lines, len(x), 0, rows(y), tasks=parts(x.size)),
    ]


def _grad_specs(
    g: Spec, x: Spec, mean: Spec, factor: Spec, gamma: Any, beta: Any, groups: int
) -> tuple[Spec, ...]:
    channels = Spec(x.shape[-1:], x.dtype)
    of_samples = [Spec((0, 0), x.dtype) if w is None else mean for w in (gamma, beta)]
    return (x, channels, channels, _for_samples(x, 3), _sums(x), *of_samples)


def _grad(ins: list, outs: list, groups: int) -> list:
    g, x, mean, factor, gamma, _ = ins
    dx, dgamma, dbeta, factors, sums, *of_samples = outs
    if not x.size:
        return [lambda: (dgamma.fill(0), dbeta.fill(0))]
    whole, g, x = _rows_of(x), rows(g), rows(x)
    none = np.empty((0, 0), x.dtype)
    step = 2 * len(x) // len(sums)
    given = (factor, _given(gamma, x), factors, *of_samples)
    launches = [
        kernels.launch("batch_norm_grad_sums", g, x, mean, none, step, sums, tasks=_tasks(x, sums)),
        kernels.launch(
            "group_norm_grad_factors", sums, groups, whole, *given, tasks=_small_tasks(mean)
        ),
        kernels.launch("batch_norm_grad", g, x, mean, none, factors, rows(dx), tasks=parts(x.size)),
    ]
    for parts_of, weight in zip(of_samples, (dgamma, dbeta), strict=True):
        if len(parts_of):
            launches.append(kernels.launch("column_sum", parts_of, weight))
    return launches


_grad_primitive = Primitive("group_norm_grad", _grad_specs, _grad, outputs=3, inplace={0: (0,)})


def _pull(g: Any, ins: Any, outs: Any, needed: Any, groups: int, epsilon: float) -> list:
    x, gamma, beta = ins
    dx, dgamma, dbeta = _grad_primitive(g, x, *outs[1:3], gamma, beta, groups=groups)
    return [dx, None if gamma is None else dgamma, None if beta is None else dbeta]


def _composite(x: Any, gamma: Any, beta: Any, groups: int, epsilon: float) -> Any:
    *outer, channels = x.shape
    grouped = reshape(x, (*outer, groups, channels // groups))
    axes = (*range(1, len(outer)), len(outer) + 1)
    apart = e.subtract(grouped, reduce.mean(grouped, axes, keepdims=True))
    square = reduce.mean(e.square(apart), axes, keepdims=True)
    y = reshape(e.multiply(apart, e.rsqrt(e.add(square, epsilon))), tuple(x.shape))
    y = y if gamma is None else e.multiply(y, gamma)
    return y if beta is None else e.add(y, beta)


group_norm_primitive = Primitive("group_norm", _specs, _forward, _pull, composite=_composite)


@symbolic
def group_normalization(
    x: Any, groups: int, axis: int, gamma: Any, beta: Any, epsilon: float
) -> Any:
    """`x` (batch, ...) with mean 0 and variance 1 over groups of channels of each sample.

    Source: Wu & He 2018.

    Args:
        x: Floats of at least two dimensions.
        groups: A divisor of the number of channels.
        axis: The channel axis, not the first.
        gamma: Scale per channel, or None.
        beta: Offset per channel, or None.
        epsilon: Added to the variance.
    """
    x = floating(x)
    last = axis % _ndim(x) == _ndim(x) - 1
    gamma, beta = (None if w is None else cast(w, x.dtype) for w in (gamma, beta))
    moved = x if last else moveaxis(x, axis, -1)
    y = group_norm_primitive(moved, gamma, beta, groups=int(groups), epsilon=float(epsilon))
    return y if last else moveaxis(y, -1, axis)
