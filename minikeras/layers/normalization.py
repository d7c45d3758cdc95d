"""Batch normalisation."""

from __future__ import annotations

from typing import Any

from .. import constraints, initializers, regularizers
from ..core.registry import register
from ..core.validate import fraction, integer, non_negative
from ..ops import nn, shapes
from .base import Layer
from .input_spec import InputSpec


@register("layers")
class BatchNormalization(Layer):
    """Zero mean and unit variance per channel, then a learned scale and offset.

    Source: Ioffe & Szegedy 2015.

    Training uses the statistics of the batch and updates moving averages,
    ``moving = moving * momentum + batch * (1 - momentum)``; inference uses the moving averages.

    Args:
        axis: The channel axis.
        momentum: Of the moving averages.
        epsilon: Added to the variance.
        center: Whether to learn an offset (beta).
        scale: Whether to learn a scale (gamma).
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if synchronized or renorm or renorm_clipping:
            raise ValueError("BatchNormalization: synchronized and renorm are not supported.")
        self.axis = integer(
            axis[0] if isinstance(axis, list | tuple) else axis, "axis", "BatchNormalization"
        )
        self.momentum = fraction(momentum, "momentum", "BatchNormalization")
        self.epsilon = non_negative(epsilon, "epsilon", "BatchNormalization")
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.synchronized, self.renorm = False, False
        self.renorm_clipping, self.renorm_momentum = None, renorm_momentum
        self.supports_masking = True
        self.gamma = self.beta = None

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"BatchNormalization: axis={self.axis} does not exist in an input of shape "
                f"{tuple(input_shape)}."
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                "BatchNormalization needs a fixed number of channels. "
                f"Received: {tuple(input_shape)}."
            )
        shape = (channels,)
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, name="gamma",
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, name="beta",
                regularizer=self.beta_regularizer, constraint=self.beta_constraint,
            )  # fmt: skip
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        rank = len(inputs.shape)
        axis = self.axis % rank
        last = axis == rank - 1
        x = inputs if last else shapes.moveaxis(inputs, axis, -1)
        if training and self.trainable:
            if mask is not None:
                raise ValueError("BatchNormalization does not support masks while training.")
            y, mean, variance = nn.batch_norm(x, self.gamma, self.beta, epsilon=self.epsilon)
            nn.moving_average(self.moving_mean, mean, momentum=self.momentum)
            nn.moving_average(self.moving_variance, variance, momentum=self.momentum)
        else:
            y = nn.normalise(
                x,
                self.moving_mean,
                self.moving_variance,
                self.gamma,
                self.beta,
                epsilon=self.epsilon,
            )
        return y if last else shapes.moveaxis(y, -1, axis)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)
