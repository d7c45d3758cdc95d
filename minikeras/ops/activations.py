"""Activation functions (the part of `keras.ops.nn` that works on one number at a time)."""

from __future__ import annotations

import math
from typing import Any

from ..graph.abstract import symbolic
from . import elementwise as e
from .pointwise import Pointwise
from .shapes import split

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017
GELU_SLOPE, GELU_CUBIC = math.sqrt(2 / math.pi), 0.044715


# --- the same functions from elementary primitives: references, and for second derivatives --------


def _where_positive(x: Any, positive: Any, other: Any) -> Any:
    return e.where(e.greater(x, 0), positive, other)


def _sigmoid(x: Any) -> Any:
    small = e.exp(e.negative(e.absolute(x)))  # never overflows
    return e.divide(_where_positive(x, 1.0, small), e.add(small, 1))


def _softplus(x: Any) -> Any:
    return e.logaddexp(x, 0.0)


def _expm1_of_negative(x: Any) -> Any:
    return e.expm1(_where_positive(x, 0.0, x))


def _gelu(x: Any) -> Any:
    return e.multiply(x, e.multiply(e.add(e.erf(e.multiply(x, math.sqrt(0.5))), 1), 0.5))


def _gelu_tanh(x: Any) -> Any:
    inner = e.multiply(e.add(x, e.multiply(e.power(x, 3), GELU_CUBIC)), 2 * GELU_SLOPE)
    return e.multiply(x, _sigmoid(inner))


def _between(x: Any, low: float, high: float, below: Any, inside: Any, above: Any) -> Any:
    return e.where(e.less_equal(x, low), below, e.where(e.greater_equal(x, high), above, inside))


def _clipped_relu(x: Any, slope: float, top: float, threshold: float) -> Any:
    low = e.multiply(e.subtract(x, threshold), slope)
    return e.where(e.less_equal(x, threshold), low, e.where(e.greater_equal(x, top), top, x))


def _squareplus(x: Any, b: float) -> Any:
    return e.multiply(e.add(x, e.sqrt(e.add(e.square(x), b))), 0.5)


def _sparse_plus(x: Any) -> Any:
    return _between(x, -1, 1, 0.0, e.multiply(e.square(e.add(x, 1)), 0.25), x)


def _outside(x: Any, threshold: float, moved: Any) -> Any:
    return e.where(e.less_equal(e.absolute(x), threshold), 0.0, moved)


def _tanh(x: Any) -> Any:
    return e.subtract(e.multiply(_sigmoid(e.multiply(x, 2)), 2), 1)


# --- primitives -----------------------------------------------------------------------------------

_relu = Pointwise("relu", lambda x: e.where(e.less_equal(x, 0), 0.0, x), from_result=True)
_relu6 = Pointwise("relu6", lambda x: _between(x, 0, 6, 0.0, x, 6.0))
_leaky_relu = Pointwise(
    "leaky_relu",
    lambda x, slope: e.where(e.less(x, 0), e.multiply(x, slope), x),
    ("slope",),
)
_general_relu = Pointwise("clipped_relu", _clipped_relu, ("slope", "top", "threshold"))
_elu = Pointwise(
    "elu",
    lambda x, alpha: _where_positive(x, x, e.multiply(_expm1_of_negative(x), alpha)),
    ("alpha",),
)
_celu = Pointwise(
    "celu",
    lambda x, alpha: _where_positive(
        x, x, e.multiply(_expm1_of_negative(e.divide(x, alpha)), alpha)
    ),
    ("alpha",),
)
_selu = Pointwise(
    "selu",
    lambda x: e.multiply(
        _where_positive(x, x, e.multiply(_expm1_of_negative(x), SELU_ALPHA)), SELU_SCALE
    ),
)
_sigmoid_primitive = Pointwise("sigmoid", _sigmoid, from_result=True)
_tanh_primitive = Pointwise("tanh", _tanh, from_result=True)
_tanh_shrink = Pointwise("tanh_shrink", lambda x: e.subtract(x, _tanh(x)))
_softplus_primitive = Pointwise("softplus", _softplus)
_log_sigmoid = Pointwise("log_sigmoid", lambda x: e.negative(_softplus(e.negative(x))))
_silu = Pointwise("silu", lambda x: e.multiply(x, _sigmoid(x)))
_mish = Pointwise("mish", lambda x: e.multiply(x, _tanh(_softplus(x))))
_gelu_primitive = Pointwise("gelu", _gelu)
_gelu_tanh_primitive = Pointwise("gelu_tanh", _gelu_tanh)
_hard_sigmoid = Pointwise(
    "hard_sigmoid", lambda x: _between(x, -3, 3, 0.0, e.multiply(e.add(x, 3), 1 / 6), 1.0)
)
_hard_silu = Pointwise(
    "hard_silu",
    lambda x: _between(x, -3, 3, 0.0, e.multiply(e.multiply(x, e.add(x, 3)), 1 / 6), x),
)
_hard_tanh = Pointwise("hard_tanh", lambda x: _between(x, -1, 1, -1.0, x, 1.0))
_softsign = Pointwise("softsign", lambda x: e.divide(x, e.add(e.absolute(x), 1)))
_soft_shrink = Pointwise(
    "soft_shrink",
    lambda x, threshold: _outside(x, threshold, e.subtract(x, e.multiply(e.sign(x), threshold))),
    ("threshold",),
)
_hard_shrink = Pointwise(
    "hard_shrink", lambda x, threshold: _outside(x, threshold, x), ("threshold",)
)
_threshold = Pointwise(
    "threshold",
    lambda x, threshold, value: e.where(e.less_equal(x, threshold), value, x),
    ("threshold", "value"),
)
_squareplus_primitive = Pointwise("squareplus", _squareplus, ("b",))
_sparse_plus_primitive = Pointwise("sparse_plus", _sparse_plus)
_sparse_sigmoid = Pointwise(
    "sparse_sigmoid", lambda x: _between(x, -1, 1, 0.0, e.multiply(e.add(x, 1), 0.5), 1.0)
)


# --- public functions -----------------------------------------------------------------------------


def relu(x: Any) -> Any:
    """``max(x, 0)``."""
    return _relu(x)


def relu6(x: Any) -> Any:
    """``min(max(x, 0), 6)``."""
    return _relu6(x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, `negative_slope` times `x` elsewhere."""
    return _leaky_relu(x, slope=negative_slope)


def clipped_relu(x: Any, slope: float, top: float | None, threshold: float) -> Any:
    """`x` from `threshold` on, at most `top`; below it ``slope * (x - threshold)``."""
    return _general_relu(x, slope=slope, top=math.inf if top is None else top, threshold=threshold)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return _elu(x, alpha=alpha)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere."""
    return _celu(x, alpha=alpha)


def selu(x: Any) -> Any:
    """Scaled `elu` that keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    return _selu(x)


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    return _sigmoid_primitive(x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return _tanh_primitive(x)


def tanh_shrink(x: Any) -> Any:
    """``x - tanh(x)``."""
    return _tanh_shrink(x)


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``."""
    return _softplus_primitive(x)


def softsign(x: Any) -> Any:
    """``x / (1 + abs(x))``."""
    return _softsign(x)


def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x))`` without underflow."""
    return _log_sigmoid(x)


def silu(x: Any) -> Any:
    """``x * sigmoid(x)``, also called swish."""
    return _silu(x)


swish = silu


def mish(x: Any) -> Any:
    """``x * tanh(softplus(x))``."""
    return _mish(x)


def gelu(x: Any, approximate: bool = True) -> Any:
    """`x` times the normal distribution function of `x`, or its approximation with tanh."""
    return _gelu_tanh_primitive(x) if approximate else _gelu_primitive(x)


def hard_sigmoid(x: Any) -> Any:
    """``relu6(x + 3) / 6``."""
    return _hard_sigmoid(x)


def hard_silu(x: Any) -> Any:
    """``x * hard_sigmoid(x)``."""
    return _hard_silu(x)


hard_swish = hard_silu


def hard_tanh(x: Any) -> Any:
    """`x` limited to [-1, 1]."""
    return _hard_tanh(x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by `threshold`, 0 within it."""
    return _soft_shrink(x, threshold=threshold)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` outside [-threshold, threshold], 0 within."""
    return _hard_shrink(x, threshold=threshold)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where it is larger than `threshold`, `default_value` elsewhere."""
    return _threshold(x, threshold=threshold, value=default_value)


def squareplus(x: Any, b: float = 4) -> Any:
    """``(x + sqrt(x**2 + b)) / 2``."""
    return _squareplus_primitive(x, b=b)


def sparse_plus(x: Any) -> Any:
    """0 below -1, `x` above 1, ``(x + 1)**2 / 4`` between."""
    return _sparse_plus_primitive(x)


def sparse_sigmoid(x: Any) -> Any:
    """0 below -1, 1 above 1, a straight line between."""
    return _sparse_sigmoid(x)


@symbolic
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of `x` along an axis, times the sigmoid of the second half."""
    if x.shape[axis] % 2:
        raise ValueError(
            f"glu halves an axis, so its extent must be even. Received: shape {tuple(x.shape)}, "
            f"axis={axis}."
        )
    value, gate = split(x, 2, axis)
    return e.multiply(value, sigmoid(gate))
