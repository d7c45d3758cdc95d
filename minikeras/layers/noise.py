"""Layers that add or multiply random numbers while training, and do nothing at inference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.registry import register
from ..core.validate import fraction
from ..graph.abstract import symbolic
from ..ops import cast, greater_equal, noise
from ..ops.core import floating
from ..random import SeedGenerator
from ..random.sampling import shape_of_noise
from .base import Layer

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@symbolic
def _kept(inputs: Any, noise_shape: Any, rate: float, generator: SeedGenerator) -> Any:
    """1 with probability ``1 - rate``, else 0, in the shape of the inputs or of the noise."""
    like = inputs
    if noise_shape is not None:
        like = np.empty(shape_of_noise(inputs.shape, noise_shape), np.dtype(inputs.dtype))
    return cast(greater_equal(noise.uniform_like(like, generator.next()), rate), inputs.dtype)


@register("layers")
class GaussianNoise(Layer):
    """Adds normal noise with mean 0 while training.

    Args:
        stddev: Standard deviation of the noise, between 0 and 1.
        seed: Seed of the noise.

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.GaussianNoise(0.1, seed=1)
    >>> bool((layer(np.zeros((2, 3), "float32")) == 0).all())
    True
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.stddev = fraction(stddev, "stddev", "GaussianNoise")
        self.seed = seed
        self.supports_masking = True
        self.seed_generator: Any = SeedGenerator(seed) if self.stddev > 0 else None
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.stddev == 0:
            return inputs
        key, inputs = self.seed_generator.next(), floating(inputs)
        return inputs + noise.normal_like(inputs, key, deviation=self.stddev)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)


@register("layers")
class GaussianDropout(Layer):
    """Multiplies by normal noise with mean 1 while training (Srivastava et al. 2014, section 10).

    Args:
        rate: As of `Dropout`, at least 0 and below 1: the noise has standard deviation
            ``sqrt(rate / (1 - rate))``, that of dropping this fraction.
        seed: Seed of the noise.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = _rate(rate, "GaussianDropout")
        self.seed = seed
        self.supports_masking = True
        self.seed_generator: Any = SeedGenerator(seed) if self.rate > 0 else None
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        inputs, deviation = floating(inputs), math.sqrt(self.rate / (1 - self.rate))
        return inputs * noise.normal_like(inputs, self.seed_generator.next(), 1.0, deviation)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)


@register("layers")
class AlphaDropout(Layer):
    """Dropout for networks of `selu`: what is dropped takes the value that selu tends to.

    A linear map afterwards keeps mean 0 and variance 1 (Klambauer et al. 2017).

    Args:
        rate: Fraction dropped, at least 0 and below 1.
        noise_shape: Shape of the mask where it is shared along an axis, such as
            (None, 1, features).
        seed: Seed of the mask.
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.rate = _rate(rate, "AlphaDropout")
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self.supports_masking = True
        self.seed_generator: Any = SeedGenerator(seed) if self.rate > 0 else None
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        inputs = floating(inputs)
        kept = _kept(inputs, self.noise_shape, self.rate, self.seed_generator)
        bottom = -SELU_ALPHA * SELU_SCALE
        scale = ((1 - self.rate) * (1 + self.rate * bottom**2)) ** -0.5
        shift = -scale * bottom * self.rate
        return (inputs * kept + bottom * (1 - kept)) * scale + shift

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)


def _rate(rate: Any, owner: str) -> float:
    """A fraction below 1."""
    value = fraction(rate, "rate", owner)
    if value == 1:
        raise ValueError(f"{owner}: rate must be below 1, or nothing is left. Received: rate=1.")
    return value
