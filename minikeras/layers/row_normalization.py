"""Normalisation of each sample by numbers of its own: the same in training and at inference."""

from __future__ import annotations

import warnings
from typing import Any

from .. import constraints, initializers, regularizers
from ..core.registry import register
from ..core.validate import integer, non_negative, positive_int
from ..ops import nn
from .base import Layer
from .input_spec import InputSpec


def checked_axes(axis: Any, owner: str) -> Any:
    """An axis, or a list of axes."""
    if isinstance(axis, list | tuple):
        return [integer(a, "axis", owner) for a in axis]
    return integer(axis, "axis", owner)


def extents(input_shape: Any, axis: Any, owner: str) -> tuple:
    """The extents of the axes that are normalised together.

    Raises ValueError for an axis that does not exist, and for an extent that is not known.
    """
    rank = len(input_shape)
    axes = axis if isinstance(axis, list) else [axis]
    for a in axes:
        if not -rank <= a < rank:
            raise ValueError(
                f"{owner}: axis={a} does not exist in an input of shape {tuple(input_shape)}."
            )
    found = tuple(input_shape[a] for a in axes)
    if None in found:
        raise ValueError(
            f"{owner} needs fixed extents along axis={axis}. Received: {tuple(input_shape)}."
        )
    return found


class Normalizing(Layer):
    """Base of the layers that scale by `gamma` and shift by `beta`."""

    axis: Any
    beta_initializer: Any
    beta_regularizer: Any
    beta_constraint: Any
    gamma_initializer: Any
    gamma_regularizer: Any
    gamma_constraint: Any

    def _keep_options(self, options: dict[str, Any]) -> None:
        self.epsilon = non_negative(options["epsilon"], "epsilon", type(self).__name__)
        self.center, self.scale = bool(options["center"]), bool(options["scale"])
        for weight in ("beta", "gamma"):
            for kind in (initializers, regularizers, constraints):
                name = f"{weight}_{kind.__name__.rpartition('.')[2][:-1]}"
                setattr(self, name, kind.get(options[name]))
        self.supports_masking = True
        self.gamma = self.beta = None

    def _add_scale_and_offset(self, shape: tuple, scale: bool, center: bool) -> None:
        if scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, name="gamma",
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
            )  # fmt: skip
        if center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, name="beta",
                regularizer=self.beta_regularizer, constraint=self.beta_constraint,
            )  # fmt: skip

    def compute_output_shape(self, input_shape: Any) -> tuple:
        extents([n or 1 for n in input_shape], self.axis, type(self).__name__)
        return tuple(input_shape)


@register("layers")
class LayerNormalization(Normalizing):
    """Mean 0 and variance 1 over the given axes of each sample, then a learned scale and offset.

    Source: Ba, Kiros & Hinton 2016.

    Args:
        axis: The axis, or axes, that are normalised together.
        epsilon: Added to the variance.
        center: Whether to learn an offset (beta), of the shape of the axes.
        scale: Whether to learn a scale (gamma).
        rms_scaling: Older option: only divide by the standard deviation; the mean stays and there
            is no beta. See `RMSNormalization`.

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.LayerNormalization(epsilon=0.0)(np.float32([[1, 3], [2, 6]])).round(3)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        *,
        rms_scaling: bool = False,
        **kwargs: Any,
    ):
        options = dict(locals())
        super().__init__(**kwargs)
        if rms_scaling:
            warnings.warn(
                "rms_scaling=True divides by the standard deviation, not by the root mean square. "
                "Use RMSNormalization for the latter.",
                stacklevel=2,
            )
        self.axis = checked_axes(axis, "LayerNormalization")
        self.rms_scaling = bool(rms_scaling)
        self._keep_options(options)

    def build(self, input_shape: Any) -> None:
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        self.axis = sorted(axes)
        shape = extents(input_shape, self.axis, "LayerNormalization")
        self._add_scale_and_offset(
            shape, self.scale or self.rms_scaling, self.center and not self.rms_scaling
        )

    def call(self, inputs: Any) -> Any:
        return nn.layer_normalization(
            inputs, self.gamma, self.beta, self.axis, self.epsilon, self.rms_scaling
        )


@register("layers")
class RMSNormalization(Normalizing):
    """Division by the root mean square over the given axes, then a learned scale.

    Source: Zhang & Sennrich 2019.

    Args:
        axis: The axis, or axes, that are normalised together.
        epsilon: Added to the mean square.

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.RMSNormalization()(np.float32([[3, 4, 0, 0]])).round(3)
    array([[1.2, 1.6, 0. , 0. ]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = checked_axes(axis, "RMSNormalization")
        self.epsilon = non_negative(epsilon, "epsilon", "RMSNormalization")

    def build(self, input_shape: Any) -> None:
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        self.axis = sorted(axes)
        shape = extents(input_shape, self.axis, "RMSNormalization")
        self.scale = self.add_weight(shape, "ones", name="scale")

    def call(self, inputs: Any) -> Any:
        return nn.rms_normalization(inputs, self.scale, self.axis, self.epsilon)


@register("layers")
class GroupNormalization(Normalizing):
    """Mean 0 and variance 1 over groups of channels of each sample, then a scale and an offset.

    Source: Wu & He 2018. One group is layer normalisation over all axes, as many groups as
    channels are instance normalisation.

    Args:
        groups: Number of groups, a divisor of the number of channels; -1: as many as channels.
        axis: The channel axis, not that of the batch.
        epsilon: Added to the variance.
        center: Whether to learn an offset (beta) per channel.
        scale: Whether to learn a scale (gamma) per channel.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        options = dict(locals())
        super().__init__(**kwargs)
        whole = -1 if groups == -1 else positive_int(groups, "groups", "GroupNormalization")
        self.groups = whole
        self.axis = integer(axis, "axis", "GroupNormalization")
        self._keep_options(options)

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        (channels,) = extents(input_shape, self.axis, "GroupNormalization")
        if self.axis % rank == 0:
            raise ValueError(
                f"GroupNormalization: axis={self.axis} is that of the batch. "
                f"Received: an input of shape {tuple(input_shape)}."
            )
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f"GroupNormalization: the number of channels ({channels}) must be a multiple of "
                f"the number of groups. Received: groups={self.groups}."
            )
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})
        self._add_scale_and_offset((channels,), self.scale, self.center)

    def call(self, inputs: Any) -> Any:
        return nn.group_normalization(
            inputs, self.groups, self.axis, self.gamma, self.beta, self.epsilon
        )


@register("layers")
class UnitNormalization(Layer):
    """Division by the Euclidean norm over the given axes.

    Args:
        axis: The axis, or axes, whose norm becomes 1.

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.UnitNormalization()(np.float32([[3, 4]])).round(3)
    array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = checked_axes(axis, "UnitNormalization")
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return nn.normalize(inputs, axis=axis, order=2, epsilon=1e-12)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        extents([n or 1 for n in input_shape], self.axis, "UnitNormalization")
        return tuple(input_shape)
