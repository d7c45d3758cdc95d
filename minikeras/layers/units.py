"""Layers of units that Keras does not have: maxout and radial basis functions."""

from __future__ import annotations

from typing import Any

from .. import constraints, initializers, ops, regularizers
from ..core.registry import register
from ..core.validate import positive_int
from .base import Layer
from .input_spec import InputSpec


@register("layers", module="minikeras.layers")
class Maxout(Layer):
    """``max over k of (x @ kernel[k] + bias[k])``: each unit the largest of several linear ones.

    Input (batch, features), output (batch, units). Source: Goodfellow et al. 2013, "Maxout
    Networks".

    Args:
        units: Number of outputs.
        pieces: Linear functions per unit.
        use_bias: Whether each has a bias.
        kernel_initializer, bias_initializer: Starting values.
        kernel_regularizer, bias_regularizer: Penalties added to the loss.
        kernel_constraint: Projection after each update.

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.Maxout(4, pieces=3)(np.ones((2, 5), "float32")).shape
    (2, 4)
    """

    def __init__(
        self,
        units: int,
        pieces: int = 2,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = positive_int(units, "units", "Maxout")
        self.pieces = positive_int(pieces, "pieces", "Maxout")
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.input_spec = InputSpec(ndim=2)
        self.bias = None

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.pieces * self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.pieces * self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                name="bias",
            )

    def call(self, inputs: Any) -> Any:
        values = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            values = values + self.bias
        return ops.max(ops.reshape(values, (-1, self.pieces, self.units)), axis=1)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0], self.units)


@register("layers", module="minikeras.layers")
class RBF(Layer):
    """``exp(-|x - center[j]|**2 / (2 width[j]**2))``: units that answer near a centre.

    Input (batch, features), output (batch, units). Source: Broomhead & Lowe 1988.

    Args:
        units: Number of centres.
        width: The starting width of all units.
        centers_initializer: Starting values of the centres.
        trainable_widths: Whether training changes the widths.

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.RBF(4)(np.ones((2, 5), "float32")).shape
    (2, 4)
    """

    def __init__(
        self,
        units: int,
        width: float = 1.0,
        centers_initializer: Any = "random_normal",
        trainable_widths: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = positive_int(units, "units", "RBF")
        if not width > 0:
            raise ValueError(f"RBF: width must be positive. Received: width={width}.")
        self.width = float(width)
        self.centers_initializer = initializers.get(centers_initializer)
        self.trainable_widths = bool(trainable_widths)
        self.input_spec = InputSpec(ndim=2)

    def build(self, input_shape: Any) -> None:
        self.centers = self.add_weight(
            shape=(self.units, input_shape[-1]),
            initializer=self.centers_initializer,
            name="centers",
        )
        self.widths = self.add_weight(
            shape=(self.units,),
            initializer=initializers.Constant(self.width),
            trainable=self.trainable_widths,
            name="widths",
        )

    def call(self, inputs: Any) -> Any:
        differences = ops.expand_dims(inputs, 1) - self.centers
        distances = ops.sum(ops.square(differences), axis=-1)
        return ops.exp(-distances / (2.0 * ops.square(self.widths)))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0], self.units)
