"""Batch normalisation, dropout, and other functions that rescale a whole array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec
from ..core import settings
from ..graph.abstract import symbolic
from . import elementwise as e
from . import reduce
from .core import cast, floating
from .core import ndim as _ndim
from .linalg import norm
from .rowwise import rows
from .shapes import moveaxis

# --- batch normalisation of (..., channels) -------------------------------------------------------


def _channels(x: Spec) -> Spec:
    return Spec(x.shape[-1:], x.dtype)


def _given(weight: np.ndarray | None, x: np.ndarray) -> np.ndarray:
    """What kernels take for a weight: an array of size 0 stands for none."""
    return np.empty(0, x.dtype) if weight is None else weight


def _chunk_rows(channels: int) -> int:
    """Rows whose sums are taken in one go: they fit a near cache, and depend on nothing else."""
    return 512 * (64 // channels) if 0 < channels < 64 else max(128, 32768 // max(1, channels))


def _chunk_sums(x: Spec) -> Spec:
    """Where the kernels leave the two sums of each chunk and channel."""
    channels = x.shape[-1]
    rows = x.size // max(1, channels)
    return Spec((2 * -(-rows // _chunk_rows(channels)), channels), "float64")


def _over_chunks(x: np.ndarray, sums: np.ndarray) -> int:
    """Tasks of a pass that owns chunks and groups of 64 columns: only where there is work."""
    units = sums.shape[0] // 2 * max(1, x.shape[-1] // 64)
    return max(1, min(units, x.size // 8192, 2 * kernels.num_threads()))


def _over_sums(sums: np.ndarray) -> int:
    """Tasks of a pass over the sums of all chunks that owns groups of 64 columns."""
    return max(1, min(sums.shape[-1] // 64, parts(sums.size)))


def _normalise_launch(
    x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float, y: Any
) -> Any:
    weights = (_given(gamma, x), _given(beta, x))
    arguments = (rows(x), mean, variance, *weights, epsilon, rows(y))
    return kernels.launch("normalise", *arguments, tasks=parts(x.size))


def moments_launches(x: np.ndarray, sums: Any, mean: Any, variance: Any) -> list:
    """Mean and variance of the channels of a matrix."""
    step = _chunk_rows(x.shape[-1])
    merged = (sums, x.shape[0], step, mean, variance)
    return [
        kernels.launch("batch_sums", x, step, sums, tasks=_over_chunks(x, sums)),
        kernels.launch("batch_moments", *merged, tasks=_over_sums(sums)),
    ]


def _batch_norm(ins: list, outs: list, epsilon: float) -> list:
    x, gamma, beta = ins
    y, mean, variance, sums = outs
    return [
        *moments_launches(rows(x), sums, mean, variance),
        _normalise_launch(x, mean, variance, gamma, beta, epsilon, y),
    ]


def factors_launch(
    sums: Any, variance: Any, gamma: Any, epsilon: float, rows: int, outs: Sequence[Any]
) -> Any:
    """The factors of the gradient, and the gradients of gamma and beta, from sums of chunks."""
    factors, dgamma, dbeta = outs
    weight = np.empty(0, variance.dtype) if gamma is None else gamma
    merged = (sums, variance, weight, epsilon, rows, factors, dgamma, dbeta)
    return kernels.launch("batch_norm_grad_factors", *merged, tasks=_over_sums(sums))


def grad_launches(ins: list, outs: list, lines: np.ndarray, epsilon: float, count: int) -> list:
    """The gradient of a normalisation; `count`: rows whose statistics it uses, 0 for constants.

    lines: see the kernel ``batch_norm_grad_sums``.
    """
    g, x, mean, variance, gamma = ins
    dx, dgamma, dbeta, sums, factors = outs
    g, x, step = rows(g), rows(x), _chunk_rows(x.shape[-1])
    tasks = _over_chunks(x, sums)
    return [
        kernels.launch("batch_norm_grad_sums", g, x, mean[None], lines, step, sums, tasks=tasks),
        factors_launch(sums, variance, gamma, epsilon, count, (factors, dgamma, dbeta)),
        kernels.launch(
            "batch_norm_grad", g, x, mean[None], lines, factors, rows(dx), tasks=parts(x.size)
        ),
    ]


def _batch_norm_grad(ins: list, outs: list, epsilon: float, from_batch: bool) -> list:
    x = ins[1]
    count = x.size // max(1, x.shape[-1]) if from_batch else 0
    return grad_launches(ins, outs, np.empty((0, 0), x.dtype), epsilon, count)


def _batch_norm_grad_specs(
    g: Spec, x: Spec, mean: Spec, variance: Spec, gamma: Spec | None, **static: Any
) -> tuple:
    factors = Spec((3, x.shape[-1]), x.dtype)
    return x, _channels(x), _channels(x), _chunk_sums(x), factors


_batch_norm_grad_primitive = Primitive(
    "batch_norm_grad", _batch_norm_grad_specs, _batch_norm_grad, outputs=3
)


def _batch_norm_pull(g: Any, ins: Any, outs: Any, needed: Any, epsilon: float) -> list:
    x, gamma, beta = ins
    dy, dmean, dvariance = g
    dx = dgamma = dbeta = None
    if dy is not None:
        dx, dgamma, dbeta = _batch_norm_grad_primitive(
            dy, x, *outs[1:3], gamma, epsilon=epsilon, from_batch=True
        )
    rows = x.size // max(x.shape[-1], 1)
    if dmean is not None:
        part = e.add(e.multiply(dmean, 1 / rows), e.multiply(x, 0))
        dx = part if dx is None else e.add(dx, part)
    if dvariance is not None:
        part = e.multiply(e.subtract(x, outs[1]), e.multiply(dvariance, 2 / rows))
        dx = part if dx is None else e.add(dx, part)
    return [dx, dgamma, dbeta]


def _batch_norm_composite(x: Any, gamma: Any, beta: Any, epsilon: float) -> tuple:
    axes = tuple(range(_ndim(x) - 1))
    mean, variance = reduce.moments(x, axes)
    return _normalise_composite(x, mean, variance, gamma, beta, epsilon), mean, variance


def _normalise_composite(
    x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float
) -> Any:
    scale = e.rsqrt(e.add(variance, epsilon))
    scale = scale if gamma is None else e.multiply(scale, gamma)
    y = e.multiply(e.subtract(x, mean), scale)
    return y if beta is None else e.add(y, beta)


batch_norm_primitive = Primitive(
    "batch_norm",
    lambda x, gamma, beta, epsilon: (x, _channels(x), _channels(x), _chunk_sums(x)),
    _batch_norm,
    _batch_norm_pull,
    composite=_batch_norm_composite,
    outputs=3,
)


def _normalise_pull(g: Any, ins: Any, outs: Any, needed: Any, epsilon: float) -> list:
    """Statistics are constants to the layer; where they are not, by the chain rule."""
    x, mean, variance, gamma, beta = ins
    dx, dgamma, dbeta = _batch_norm_grad_primitive(
        g, x, mean, variance, gamma, epsilon=epsilon, from_batch=False
    )
    dmean = dvariance = None
    if needed[1] or needed[2]:
        scale = e.rsqrt(e.add(variance, epsilon))
        factor = scale if gamma is None else e.multiply(scale, gamma)
        dmean = e.negative(e.multiply(dbeta, factor))
        dvariance = e.multiply(e.multiply(dgamma, e.multiply(scale, factor)), -0.5)
    return [dx, dmean, dvariance, dgamma, dbeta]


def _normalise(ins: list, outs: list, epsilon: float) -> list:
    x, mean, variance, gamma, beta = ins
    return [_normalise_launch(x, mean, variance, gamma, beta, epsilon, outs[0])]


normalise_primitive = Primitive(
    "normalise",
    lambda x, mean, variance, gamma, beta, epsilon: x,
    _normalise,
    _normalise_pull,
    composite=_normalise_composite,
)


def _moving_average(ins: list, outs: list, momentum: float) -> list:
    moving, batch = ins
    return [kernels.launch("moving_average", moving.reshape(-1), batch.reshape(-1), momentum)]


_moving_average_primitive = Primitive(
    "moving_average",
    lambda moving, batch, momentum: (),
    _moving_average,
    outputs=0,
    writes=(0,),
)


def batch_norm(x: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """`x` normalised by its own mean and variance per channel, then scaled and shifted.

    Args:
        x: (..., channels).
        gamma: Scale (channels,), or None.
        beta: Offset (channels,), or None.
        epsilon: Added to the variance.

    Returns:
        The normalised array, and the means and (biased) variances, each (channels,).
    """
    return batch_norm_primitive(x, gamma, beta, epsilon=epsilon)


def normalise(x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` per channel (the last axis)."""
    return normalise_primitive(x, mean, variance, gamma, beta, epsilon=epsilon)


def moving_average(moving: Any, batch: Any, momentum: float) -> None:
    """Update a Variable: ``moving = moving * momentum + batch * (1 - momentum)``."""
    _moving_average_primitive(moving, batch, momentum=momentum)


@symbolic
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    """`x` normalised by given statistics of the channels in `axis`."""
    x = floating(x)
    last = axis in (-1, _ndim(x) - 1)
    moved = x if last else moveaxis(x, axis, -1)
    mean, variance, scale, offset = (
        None if row is None else cast(row, x.dtype) for row in (mean, variance, scale, offset)
    )
    y = normalise(moved, mean, variance, scale, offset, epsilon)
    return y if last else moveaxis(y, -1, axis)


# --- dropout --------------------------------------------------------------------------------------


def _dropout(ins: list, outs: list, rate: float) -> list:
    x, key = ins
    arguments = (x.reshape(-1), key.reshape(-1), 0, rate, outs[0].reshape(-1))
    return [kernels.launch("dropout", *arguments, tasks=parts(x.size))]


_dropout_primitive = Primitive(
    "dropout",
    lambda x, key, rate: x,
    _dropout,
    lambda g, ins, outs, needed, rate: [dropout(g, ins[1], rate), None],
)


def dropout(x: Any, key: Any, rate: float) -> Any:
    """Each element zero with probability `rate`, else divided by ``1 - rate``.

    Args:
        x: Floats of any shape.
        key: int64 array of one element; with it and the element's position all is decided.
        rate: At least 0, less than 1.
    """
    return _dropout_primitive(x, key, rate=float(rate))


# --- other normalisations -------------------------------------------------------------------------


def normalize(x: Any, axis: Any = -1, order: float = 2, epsilon: float | None = None) -> Any:
    """`x` divided by its norm of the given order along an axis (by epsilon if that is larger)."""
    x = floating(x)
    epsilon = settings.epsilon() if epsilon is None else epsilon
    if order == 2:  # the gradient stays finite at zero
        square = reduce.sum(e.square(x), axis, keepdims=True)
        return e.multiply(x, e.rsqrt(e.maximum(square, epsilon**2)))
    return e.divide(x, e.maximum(norm(x, order, axis, keepdims=True), epsilon))


def l2_normalize(x: Any, axis: int = -1, epsilon: float | None = None) -> Any:
    """`x` divided by its Euclidean norm along an axis."""
    return normalize(x, axis, 2, epsilon)
