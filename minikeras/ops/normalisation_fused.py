"""Batch normalisation in one pass with a relu, a pooling, or the convolution before it.

Programs put these primitives in the place of what was recorded (``program/fusion``); they have no
gradients of their own, but the gradients that were recorded have their fused forms here too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec
from .normalisation import (
    _batch_norm_grad_specs,
    _channels,
    _chunk_sums,
    _given,
    factors_launch,
    grad_launches,
    moments_launches,
)
from .rowwise import rows


def _lines(x: Spec) -> Spec:
    """Scale and shift of each channel."""
    return Spec((2, x.shape[-1]), x.dtype)


def _lines_launch(
    mean: Any, variance: Any, gamma: Any, beta: Any, bias: Any, epsilon: float, lines: Any
) -> Any:
    weights = [_given(w, mean) for w in (gamma, beta, bias)]
    return kernels.launch("norm_lines", mean, variance, *weights, epsilon, lines)


def _scale_launch(x: np.ndarray, lines: np.ndarray, act: int, y: np.ndarray) -> Any:
    return kernels.launch("scale_shift", rows(x), lines, 1, act, rows(y), tasks=parts(x.size))


# --- in training: with a relu behind --------------------------------------------------------------


def _with_relu(ins: list, outs: list, epsilon: float) -> list:
    x, gamma, beta = ins
    y, mean, variance, sums, lines = outs
    return [
        *moments_launches(rows(x), sums, mean, variance),
        _lines_launch(mean, variance, gamma, beta, None, epsilon, lines),
        _scale_launch(x, lines, 1, y),
    ]


batch_norm_relu = Primitive(
    "batch_norm_relu",
    lambda x, gamma, beta, epsilon: (x, _channels(x), _channels(x), _chunk_sums(x), _lines(x)),
    _with_relu,
    outputs=3,
)


def _relu_grad(ins: list, outs: list, epsilon: float) -> list:
    *given, lines = ins
    count = given[1].size // max(1, given[1].shape[-1])
    return grad_launches(given, outs, lines, epsilon, count)


batch_norm_relu_grad = Primitive(
    "batch_norm_relu_grad",
    lambda g, x, mean, variance, gamma, lines, epsilon: _batch_norm_grad_specs(
        g, x, mean, variance, gamma
    ),
    _relu_grad,
    outputs=3,
    inplace={0: (0,)},
)


# --- in training: with a relu and a pooling behind ------------------------------------------------


def _halved(x: Spec) -> tuple[int, ...]:
    """The shape of images after windows of 2 x 2."""
    *outer, height, width, channels = x.shape
    return (*outer, height // 2, width // 2, channels)


def _pool_specs(x: Spec, gamma: Any, beta: Any, epsilon: float) -> tuple[Spec, ...]:
    pooled = Spec(_halved(x), x.dtype)
    moments = _channels(x), _channels(x), _chunk_sums(x)
    return (pooled, *moments[:2], Spec(pooled.shape, "uint8"), moments[2], _lines(x))


def _with_pool(ins: list, outs: list, epsilon: float) -> list:
    x, gamma, beta = ins
    y, mean, variance, index, sums, lines = outs
    flat = y.reshape(-1), index.reshape(-1)
    return [
        *moments_launches(rows(x), sums, mean, variance),
        _lines_launch(mean, variance, gamma, beta, None, epsilon, lines),
        kernels.launch(
            "scale_relu_pool", x.reshape(-1), lines, y.shape[-2], *flat, tasks=parts(x.size)
        ),
    ]


batch_norm_relu_pool = Primitive("batch_norm_relu_pool", _pool_specs, _with_pool, outputs=3)


def _step(channels: int) -> int:
    """Windows whose sums are taken in one go."""
    return max(32, 8192 // max(1, channels))


def _pool_grad_specs(
    g: Spec, index: Spec, x: Spec, mean: Spec, variance: Spec, gamma: Spec | None, epsilon: float
) -> tuple[Spec, ...]:
    channels = x.shape[-1]
    windows = g.size // max(1, channels)
    sums = Spec((2 * -(-windows // _step(channels)), channels), "float64")
    return x, _channels(x), _channels(x), sums, Spec((3, channels), x.dtype)


def _pool_grad(ins: list, outs: list, epsilon: float) -> list:
    g, index, x, mean, variance, gamma = ins
    dx, dgamma, dbeta, sums, factors = outs
    width, channels = g.shape[-2:]
    given = g.reshape(-1), index.reshape(-1), x.reshape(-1), mean
    tasks = max(1, min(len(sums) // 2, parts(x.size)))
    return [
        kernels.launch("pool_norm_grad_sums", *given, width, _step(channels), sums, tasks=tasks),
        factors_launch(
            sums, variance, gamma, epsilon, x.size // max(1, channels), (factors, dgamma, dbeta)
        ),
        kernels.launch(
            "pool_norm_grad", *given, factors, width, dx.reshape(-1), tasks=parts(x.size)
        ),
    ]


batch_norm_relu_pool_grad = Primitive(
    "batch_norm_relu_pool_grad", _pool_grad_specs, _pool_grad, outputs=3
)


# --- at inference ---------------------------------------------------------------------------------


def _normalise_relu(ins: list, outs: list, epsilon: float) -> list:
    x, mean, variance, gamma, beta = ins
    y, lines = outs
    return [
        _lines_launch(mean, variance, gamma, beta, None, epsilon, lines),
        _scale_launch(x, lines, 1, y),
    ]


normalise_relu = Primitive(
    "normalise_relu",
    lambda x, mean, variance, gamma, beta, epsilon: (x, _lines(x)),
    _normalise_relu,
    inplace={0: (0,)},
)


def _fold(ins: list, outs: list, epsilon: float) -> list:
    kernel, bias, mean, variance, gamma, beta = ins
    scaled, shift, lines = outs
    return [
        _lines_launch(mean, variance, gamma, beta, bias, epsilon, lines),
        _scale_launch(kernel, lines[:1], 0, scaled),
        kernels.launch("scale", lines[1], 1.0, shift),
    ]


fold_norm = Primitive(
    "fold_norm",
    lambda kernel, bias, mean, variance, gamma, beta, epsilon: (
        kernel, _channels(kernel), _lines(kernel),
    ),
    _fold,
    outputs=2,
)  # fmt: skip
"""Kernel and bias of a linear map followed by a normalisation with known statistics."""
