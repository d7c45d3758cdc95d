"""Activation functions that have parameters, as layers."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from ..core.registry import register
from ..core.validate import non_negative, number
from ..ops import elementwise as e
from ..ops import nn
from ..ops.core import floating
from .base import Layer
from .input_spec import InputSpec


class _Elementwise(Layer):
    """A layer that keeps the shape of its input."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)


@register("layers")
class ReLU(_Elementwise):
    """``max(x, 0)``, with an optional ceiling, slope below the threshold, and threshold."""

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else non_negative(max_value, "max_value", "ReLU")
        self.negative_slope = non_negative(negative_slope or 0.0, "negative_slope", "ReLU")
        self.threshold = non_negative(threshold or 0.0, "threshold", "ReLU")

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@register("layers")
class LeakyReLU(_Elementwise):
    """``x`` above 0, ``negative_slope * x`` below."""

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        if "alpha" in kwargs:  # its older name
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        self.negative_slope = number(negative_slope, "negative_slope", "LeakyReLU")

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, self.negative_slope)


@register("layers")
class ELU(_Elementwise):
    """``x`` above 0, ``alpha * (exp(x) - 1)`` below (Clevert et al. 2016)."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = number(alpha, "alpha", "ELU")

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, self.alpha)


@register("layers")
class PReLU(Layer):
    """Leaky ReLU whose slopes are learned (He et al. 2015).

    Args:
        shared_axes: Axes along which one slope is shared, such as [1, 2] for images.
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else list(axes)

    def build(self, input_shape: Any) -> None:
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )
        fixed = {i: n for i, n in enumerate(input_shape) if i and i not in (self.shared_axes or ())}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=fixed)

    def call(self, inputs: Any) -> Any:
        inputs = floating(inputs)
        below = e.multiply(self.alpha, nn.relu(e.negative(inputs)))
        return e.subtract(nn.relu(inputs), below)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)


@register("layers")
class Softmax(_Elementwise):
    """``exp(x) / sum(exp(x))`` along an axis; a mask (True = use) leaves positions out."""

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return nn.softmax(inputs, axis=self.axis)
        shares = nn.softmax(e.where(mask, inputs, -1e9), axis=self.axis)
        return e.where(mask, shares, 0.0)
