"""Layers that add noise while training."""

from __future__ import annotations

from typing import Any

from ..core.registry import register
from ..core.validate import fraction
from ..random import SeedGenerator, dropout
from .base import Layer


@register("layers")
class Dropout(Layer):
    """Sets a fraction of the inputs to 0 while training and scales the others up.

    The outputs that stay are multiplied by ``1 / (1 - rate)``, so the expectation is unchanged and
    nothing happens at inference (Srivastava et al. 2014).

    Args:
        rate: Fraction dropped, in [0, 1].
        noise_shape: Shape of the mask where it is shared along an axis, such as
            (None, 1, features).
        seed: Seed of the mask.
    """

    _config_optional: tuple[str, ...] = ()

    def __init__(
        self, rate: float | None = None, noise_shape: Any = None, seed: Any = None, **kwargs: Any
    ):
        if "p" in kwargs:  # its older name
            if rate is not None:
                raise TypeError("Dropout takes `rate` or its older name `p`, not both.")
            rate = kwargs.pop("p")
        if rate is None:
            raise TypeError("Dropout needs `rate`, the fraction of inputs to drop.")
        super().__init__(**kwargs)
        self.rate = fraction(rate, "rate", type(self).__name__)
        self.seed = seed
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.supports_masking = True
        self.seed_generator = SeedGenerator(seed) if self.rate > 0 else None
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        return dropout(inputs, self.rate, self.noise_shape, self.seed_generator)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)
