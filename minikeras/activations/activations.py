"""The activation functions of Keras under their names, with its default arguments."""

from __future__ import annotations

from typing import Any

from ..core.registry import register
from ..ops import nn
from ..ops.elementwise import exp


@register("activations")
def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """`x` above `threshold`, at most `max_value`; below it ``negative_slope * (x - threshold)``.

    >>> import numpy as np
    >>> relu(np.float32([-2, 0, 3]))
    array([0., 0., 3.], dtype=float32)
    """
    if threshold == 0 and max_value is None:
        return nn.relu(x) if negative_slope == 0 else nn.leaky_relu(x, negative_slope)
    if threshold == 0 and negative_slope == 0 and max_value == 6:
        return nn.relu6(x)
    return nn.clipped_relu(x, negative_slope, max_value, threshold)


@register("activations")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, `negative_slope` times `x` elsewhere."""
    return nn.leaky_relu(x, negative_slope)


@register("activations")
def relu6(x: Any) -> Any:
    """``min(max(x, 0), 6)``."""
    return nn.relu6(x)


@register("activations")
def softmax(x: Any, axis: Any = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis."""
    return nn.softmax(x, axis)


@register("activations")
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Logarithm of the softmax."""
    return nn.log_softmax(x, axis)


@register("activations")
def sparsemax(x: Any, axis: int = -1) -> Any:
    """Like softmax, with zeros for small inputs (Martins & Astudillo 2016)."""
    return nn.sparsemax(x, axis)


@register("activations")
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return nn.elu(x, alpha)


@register("activations")
def celu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere."""
    return nn.celu(x, alpha)


@register("activations")
def selu(x: Any) -> Any:
    """Scaled `elu` that keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    return nn.selu(x)


@register("activations")
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``."""
    return nn.softplus(x)


@register("activations")
def softsign(x: Any) -> Any:
    """``x / (1 + abs(x))``."""
    return nn.softsign(x)


@register("activations")
def squareplus(x: Any, b: float = 4) -> Any:
    """``(x + sqrt(x**2 + b)) / 2``."""
    return nn.squareplus(x, b)


@register("activations")
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by `threshold`, 0 within it."""
    return nn.soft_shrink(x, threshold)


@register("activations")
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` outside [-threshold, threshold], 0 within."""
    return nn.hard_shrink(x, threshold)


@register("activations")
def sparse_plus(x: Any) -> Any:
    """0 below -1, `x` above 1, ``(x + 1)**2 / 4`` between."""
    return nn.sparse_plus(x)


@register("activations")
def sparse_sigmoid(x: Any) -> Any:
    """0 below -1, 1 above 1, a straight line between."""
    return nn.sparse_sigmoid(x)


@register("activations", "swish")
def silu(x: Any) -> Any:
    """``x * sigmoid(x)``, also called swish."""
    return nn.silu(x)


@register("activations")
def gelu(x: Any, approximate: bool = False) -> Any:
    """`x` times the normal distribution function of `x`, or its approximation with tanh."""
    return nn.gelu(x, approximate)


@register("activations")
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of `x` along an axis, times the sigmoid of the second half."""
    return nn.glu(x, axis)


@register("activations")
def mish(x: Any) -> Any:
    """``x * tanh(softplus(x))``."""
    return nn.mish(x)


@register("activations")
def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return nn.tanh(x)


@register("activations")
def tanh_shrink(x: Any) -> Any:
    """``x - tanh(x)``."""
    return nn.tanh_shrink(x)


@register("activations")
def hard_tanh(x: Any) -> Any:
    """`x` limited to [-1, 1]."""
    return nn.hard_tanh(x)


@register("activations")
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where it is larger than `threshold`, `default_value` elsewhere."""
    return nn.threshold(x, threshold, default_value)


@register("activations")
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    return nn.sigmoid(x)


@register("activations")
def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x))``."""
    return nn.log_sigmoid(x)


@register("activations")
def hard_sigmoid(x: Any) -> Any:
    """``relu6(x + 3) / 6``."""
    return nn.hard_sigmoid(x)


@register("activations", "hard_swish")
def hard_silu(x: Any) -> Any:
    """``x * hard_sigmoid(x)``."""
    return nn.hard_silu(x)


@register("activations")
def exponential(x: Any) -> Any:
    """``exp(x)``."""
    return exp(x)


@register("activations")
def linear(x: Any) -> Any:
    """`x` itself."""
    return x
