"""Normalisation over axes of each sample: by mean and variance, or by the mean square alone."""

from __future__ import annotations

import math
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
from .rowwise import rows
from .shapes import moveaxis, reshape

# --- over the last axes, by a kernel --------------------------------------------------------------


def _rows_of(x: Spec, trailing: int) -> tuple[int, int]:
    """Rows and columns of `x` as a matrix whose columns are its last axes."""
    cut = len(x.shape) - trailing
    return math.prod(x.shape[:cut]), math.prod(x.shape[cut:])


def _flat(weight: np.ndarray | None, x: np.ndarray) -> np.ndarray:
    """What kernels take for a weight: an array of size 0 stands for none."""
    return np.empty(0, x.dtype) if weight is None else weight.reshape(-1)


def _specs(
    x: Spec, gamma: Spec | None, beta: Spec | None, epsilon: float, centred: bool, trailing: int
) -> tuple:
    per_row = Spec((_rows_of(x, trailing)[0],), x.dtype)
    return x, per_row, per_row


def _forward(ins: list, outs: list, epsilon: float, centred: bool, trailing: int) -> list:
    x, gamma, beta = ins
    y, mean, factor = outs
    given = (rows(x, trailing), _flat(gamma, x), _flat(beta, x), epsilon, int(centred))
    launch = kernels.launch(
        "layer_norm", *given, rows(y, trailing), mean, factor, tasks=parts(x.size)
    )
    return [launch]


def _grad_specs(
    g: Spec,
    x: Spec,
    mean: Spec,
    factor: Spec,
    gamma: Spec | None,
    beta: Spec | None,
    centred: bool,
    trailing: int,
) -> tuple:
    height, width = _rows_of(x, trailing)
    chunks = -(-height // kernels.ROWS)
    weights = [Spec((0,), x.dtype) if w is None else w for w in (gamma, beta)]
    sums = [Spec((0, 0) if w is None else (chunks, width), x.dtype) for w in (gamma, beta)]
    return (x, *weights, *sums)


def _grad(ins: list, outs: list, centred: bool, trailing: int) -> list:
    g, x, mean, factor, gamma, _ = ins
    dx, dgamma, dbeta, of_gamma, of_beta = outs
    given = (rows(g, trailing), rows(x, trailing), mean, factor, _flat(gamma, x), int(centred))
    out = (rows(dx, trailing), of_gamma, of_beta)
    launches = [kernels.launch("layer_norm_grad", *given, *out, tasks=parts(x.size))]
    for sums, weight in ((of_gamma, dgamma), (of_beta, dbeta)):
        if weight.size:
            tasks = max(1, min(weight.size // 64, parts(sums.size)))
            launches.append(kernels.launch("column_sum", sums, weight.reshape(-1), tasks=tasks))
    return launches


_grad_primitive = Primitive("layer_norm_grad", _grad_specs, _grad, outputs=3)


def _pull(
    g: Any, ins: Any, outs: Any, needed: Any, epsilon: float, centred: bool, trailing: int
) -> list:
    x, gamma, beta = ins
    dx, dgamma, dbeta = _grad_primitive(
        g, x, *outs[1:], gamma, beta, centred=centred, trailing=trailing
    )
    return [dx, None if gamma is None else dgamma, None if beta is None else dbeta]


def _composite(x: Any, gamma: Any, beta: Any, epsilon: float, centred: bool, trailing: int) -> Any:
    axes = tuple(range(_ndim(x) - trailing, _ndim(x)))
    apart = e.subtract(x, reduce.mean(x, axes, keepdims=True)) if centred else x
    square = reduce.mean(e.square(apart), axes, keepdims=True)
    y = e.multiply(apart, e.rsqrt(e.add(square, epsilon)))
    y = y if gamma is None else e.multiply(y, gamma)
    return y if beta is None else e.add(y, beta)


layer_norm_primitive = Primitive("layer_norm", _specs, _forward, _pull, composite=_composite)


# --- over any axes --------------------------------------------------------------------------------


def _sorted_axes(axis: Any, rank: int) -> list[int]:
    axes = [axis] if isinstance(axis, int) else list(axis)
    for a in axes:
        if not -rank <= a < rank:
            raise ValueError(
                f"axis={axis} does not exist in an input of {rank} dimensions. "
                f"Axes lie in [{-rank}, {rank - 1}]."
            )
    return sorted({a % rank for a in axes})


def _laid_out(weight: Any, x: Any, axes: Sequence[int]) -> Any:
    """A weight in the shape and dtype of the normalised axes."""
    if weight is None:
        return None
    shape = tuple(x.shape[a] for a in axes)
    weight = cast(weight, x.dtype)
    return weight if tuple(weight.shape) == shape else reshape(weight, shape)


def _normalised(
    x: Any, gamma: Any, beta: Any, axis: Any, epsilon: float | None, centred: bool
) -> Any:
    x = floating(x)
    rank = _ndim(x)
    axes = _sorted_axes(axis, rank)
    epsilon = settings.epsilon() if epsilon is None else float(epsilon)
    gamma, beta = _laid_out(gamma, x, axes), _laid_out(beta, x, axes)
    last = list(range(rank - len(axes), rank))
    moved = x if axes == last else moveaxis(x, axes, last)
    y = layer_norm_primitive(
        moved, gamma, beta, epsilon=epsilon, centred=centred, trailing=len(axes)
    )
    return y if axes == last else moveaxis(y, last, axes)


def _by_deviation(x: Any, gamma: Any, axis: Any, epsilon: float | None) -> Any:
    """`x` divided by its standard deviation, without taking the mean away."""
    x = floating(x)
    axes = _sorted_axes(axis, _ndim(x))
    epsilon = settings.epsilon() if epsilon is None else epsilon
    variance = reduce.var(x, tuple(axes), keepdims=True)
    y = e.multiply(x, e.rsqrt(e.add(variance, epsilon)))
    if gamma is None:
        return y
    shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    return e.multiply(y, reshape(cast(gamma, x.dtype), shape))


@symbolic
def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: Any = -1,
    epsilon: float | None = None,
    rms_scaling: bool = False,
) -> Any:
    """`x` with mean 0 and variance 1 over the given axes, then scaled and shifted.

    Source: Ba, Kiros & Hinton 2016.

    Args:
        x: Floats of any shape.
        gamma: Scale of the shape of the normalised axes, or None.
        beta: Offset of that shape, or None.
        axis: One axis or several.
        epsilon: Added to the variance; `config.epsilon()` by default.
        rms_scaling: Only divide by the standard deviation (the mean stays, `beta` is not used).

    >>> import numpy as np
    >>> from minikeras import ops
    >>> ops.layer_normalization(np.float32([[1, 3], [2, 2]])).round(3)
    array([[-1.,  1.],
           [ 0.,  0.]], dtype=float32)
    """
    if rms_scaling:
        return _by_deviation(x, gamma, axis, epsilon)
    return _normalised(x, gamma, beta, axis, epsilon, centred=True)


@symbolic
def rms_normalization(
    x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """`x` divided by the root of its mean square over the given axes, then scaled.

    Source: Zhang & Sennrich 2019.

    Args:
        x: Floats of any shape.
        scale: Scale of the shape of the normalised axes, or None.
        axis: One axis or several.
        epsilon: Added to the mean square; `config.epsilon()` by default.
    """
    return _normalised(x, scale, None, axis, epsilon, centred=False)
