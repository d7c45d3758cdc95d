"""Batch normalisation."""

from __future__ import annotations

from typing import Any

from .. import constraints, initializers, ops, regularizers
from ..core import settings
from ..core.registry import register
from ..core.validate import fraction, integer, non_negative, number, reject_unknown
from ..ops import nn, shapes
from ..ops.core import floating
from .base import Layer
from .input_spec import InputSpec

CLIPPING = ("rmax", "rmin", "dmax")


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
        renorm: Batch renormalisation (Ioffe 2017): outputs in training are corrected towards what
            moving averages would give.
        renorm_clipping: Bounds of the correction, any of 'rmax', 'rmin', 'dmax'.
        renorm_momentum: Of the moving averages that the correction uses.
        synchronized: Statistics over several devices; not supported.

    `utils.recompute_batch_statistics` sets the averages to the exact statistics of a data set.

    A mask (one dimension less than the input, for example of padded steps) leaves positions out of
    the statistics of a batch.
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
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if synchronized:
            raise ValueError(
                "BatchNormalization: statistics over several devices are not supported. "
                "Received: synchronized=True."
            )
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
        self.synchronized, self.renorm = False, bool(renorm)
        self.renorm_clipping = _clipping(renorm_clipping, self.renorm)
        self.renorm_momentum = fraction(renorm_momentum, "renorm_momentum", "BatchNormalization")
        self.supports_masking = True
        self.gamma = self.beta = None
        self.listener: Any = None  # called on inputs at inference, channels last

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
        if self.renorm:
            self._add_renorm_weights(shape)
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})

    def _add_renorm_weights(self, shape: tuple) -> None:
        def add(initializer: Any, name: str) -> Any:
            return self.add_weight(shape, initializer, trainable=False, name=name)

        def deviation(shape: Any, dtype: Any = None) -> Any:
            return ops.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

        self.moving_stddev = add(deviation, "moving_stddev")
        self.renorm_mean = add(self.moving_mean_initializer, "renorm_mean")
        self.renorm_stddev = add(deviation, "renorm_stddev")

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        inputs = floating(inputs)
        rank = len(inputs.shape)
        axis = self.axis % rank
        last = axis == rank - 1
        if mask is not None and len(mask.shape) != rank - 1:
            raise ValueError(
                "BatchNormalization needs a mask with one dimension less than its input. "
                f"Received: a mask of shape {tuple(mask.shape)} for an input of shape "
                f"{tuple(inputs.shape)}."
            )
        x = inputs if last else shapes.moveaxis(inputs, axis, -1)
        if training and self.trainable:
            counted = None if mask is None else _spread(mask, inputs, axis)
            y = self._by_batch(x, counted)
        else:
            if self.listener is not None:
                self.listener(ops.convert_to_numpy(x))
            y = self._by(x, self.moving_mean, self.moving_variance, self.gamma, self.beta)
        return y if last else shapes.moveaxis(y, -1, axis)

    def _by(self, x: Any, mean: Any, variance: Any, gamma: Any, beta: Any) -> Any:
        return nn.normalise(x, mean, variance, gamma, beta, epsilon=self.epsilon)

    def _by_batch(self, x: Any, counted: Any) -> Any:
        """Normalised by the statistics of the batch, which are noted down."""
        if counted is None and not self.renorm:
            y, mean, variance = nn.batch_norm(x, self.gamma, self.beta, epsilon=self.epsilon)
        else:
            mean, variance = _moments(x, counted)
            gamma, beta = (
                self._corrected(mean, variance) if self.renorm else (self.gamma, self.beta)
            )
            y = self._by(x, mean, variance, gamma, beta)
        nn.moving_average(self.moving_mean, mean, momentum=self.momentum)
        if self.renorm:
            self._note_deviation(mean, variance)
        else:
            nn.moving_average(self.moving_variance, variance, momentum=self.momentum)
        return y

    def _corrected(self, mean: Any, variance: Any) -> tuple[Any, Any]:
        """Scale and offset with the correction ``x * r + d`` taken in."""
        least = self.epsilon**0.5
        moving = ops.maximum(self.renorm_stddev, least)
        r = ops.sqrt(variance + self.epsilon) / moving
        d = (mean - self.renorm_mean) / moving
        bounds = self.renorm_clipping or {}
        if bounds.get("rmin") is not None:
            r = ops.maximum(r, bounds["rmin"])
        if bounds.get("rmax") is not None:
            r = ops.minimum(r, bounds["rmax"])
        if bounds.get("dmax") is not None:
            d = ops.clip(d, -bounds["dmax"], bounds["dmax"])
        r, d = ops.stop_gradient(r), ops.stop_gradient(d)
        gamma, beta = (r, d) if self.gamma is None else (r * self.gamma, d * self.gamma)
        return gamma, beta if self.beta is None else beta + self.beta

    def _note_deviation(self, mean: Any, variance: Any) -> None:
        """The averages of batch renormalisation, from which the moving variance follows."""
        deviation = ops.sqrt(variance + self.epsilon)
        nn.moving_average(self.renorm_mean, mean, momentum=self.renorm_momentum)
        nn.moving_average(self.renorm_stddev, deviation, momentum=self.renorm_momentum)
        nn.moving_average(self.moving_stddev, deviation, momentum=self.momentum)
        self.moving_variance.assign(ops.relu(ops.square(self.moving_stddev) - self.epsilon))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)


def _clipping(bounds: Any, renorm: bool) -> dict[str, Any] | None:
    """Checked bounds of batch renormalisation."""
    if bounds is None:
        return {} if renorm else None
    reject_unknown(bounds, CLIPPING, "BatchNormalization: renorm_clipping")
    given = {k: number(v, k, "BatchNormalization") for k, v in bounds.items() if v is not None}
    if given.get("rmax", float("inf")) < given.get("rmin", -float("inf")):
        raise ValueError(
            f"BatchNormalization: rmax must be at least rmin. Received: renorm_clipping={bounds}."
        )
    if given.get("dmax", 0) < 0:
        raise ValueError(f"BatchNormalization: dmax must be at least 0. Received: {given['dmax']}.")
    return dict(bounds)


def _spread(mask: Any, x: Any, axis: int) -> Any:
    """The mask as numbers 0 and 1 of the input's shape, its channels last."""
    whole = shapes.broadcast_to(shapes.expand_dims(ops.cast(mask, x.dtype), -1), x.shape)
    return shapes.moveaxis(whole, axis, -1)


def _moments(x: Any, counted: Any) -> tuple[Any, Any]:
    """Mean and variance per channel (the last axis), of counted positions only."""
    axes = tuple(range(len(x.shape) - 1))
    if counted is None:
        return ops.moments(x, axes)
    share = ops.sum(counted, axes) + settings.epsilon()
    mean = ops.sum(ops.where(counted > 0, x, 0.0), axes) / share
    apart = ops.where(counted > 0, x - mean, 0.0)
    return mean, ops.sum(ops.square(apart), axes) / share
