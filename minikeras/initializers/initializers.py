"""Initializers: functions of a shape and a dtype, with a config."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..core import settings
from ..core.configurable import Configurable
from ..core.memory import aligned_empty
from ..core.registry import register
from ..core.seeds import derive, next_seed
from ..core.validate import integer, non_negative, number, one_of
from ..random.generator import SeedGenerator

_BLOCK = 1 << 15  # numbers drawn at a time


@register("initializers")
class Initializer(Configurable):
    """Base of initializers: ``initializer(shape, dtype=None)`` gives an array."""

    def clone(self) -> Any:
        """A new one made with the same arguments."""
        return type(self).from_config(self.get_config())

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype=None).")


class _Fixed(Initializer):
    def _fill(self, shape: tuple[int, ...]) -> Any:
        raise NotImplementedError

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return np.broadcast_to(self._fill(tuple(shape)), tuple(shape)).astype(dtype_of(dtype))


class _Random(Initializer):
    """Draws with a seed: the same numbers at every call, unless the seed is a `SeedGenerator`."""

    fresh = True  # each call gives an array that nobody else holds

    def __init__(self, seed: Any = None):
        self.seed = seed
        if not isinstance(seed, SeedGenerator):
            seed = next_seed() if seed is None else integer(seed, "seed", type(self).__name__)
            self._key = derive("initializer", seed)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        raise NotImplementedError

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        key = self.seed.draw() if isinstance(self.seed, SeedGenerator) else self._key
        return self._draw(np.random.default_rng(key), tuple(shape), dtype_of(dtype))


def _in_blocks(draw: Callable[[int], Any], shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Numbers of ``draw(count)`` one after the other.

    Draws are of double precision; a block at a time they stay in the cache, and large weights cost
    no memory beyond their own.
    """
    values = aligned_empty(math.prod(shape), dtype)
    for start in range(0, values.size, _BLOCK):
        part = values[start : start + _BLOCK]
        part[...] = draw(part.size)
    return values.reshape(shape)


def dtype_of(dtype: Any) -> str:
    """The name of a dtype, that of `floatx()` for None."""
    return settings.floatx() if dtype is None else settings.standardize_dtype(dtype)


@register("initializers", "zero")
class Zeros(_Fixed):
    """All 0."""

    def _fill(self, shape: tuple[int, ...]) -> Any:
        return 0


@register("initializers", "one")
class Ones(_Fixed):
    """All 1."""

    def _fill(self, shape: tuple[int, ...]) -> Any:
        return 1


@register("initializers")
class Constant(_Fixed):
    """All `value` (a number, or an array that broadcasts to the shape)."""

    def __init__(self, value: Any = 0.0):
        self.value = value

    def _fill(self, shape: tuple[int, ...]) -> Any:
        return np.asarray(self.value)


@register("initializers", "IdentityInitializer", "identity")
class Identity(Initializer):
    """The identity matrix times `gain`."""

    def __init__(self, gain: float = 1.0):
        self.gain = number(gain, "gain", "Identity")

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity needs a matrix. Received: shape={tuple(shape)}.")
        return (self.gain * np.eye(*shape)).astype(dtype_of(dtype))


def _truncated(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers within two standard deviations."""
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return values


@register("initializers", "normal")
class RandomNormal(_Random):
    """Normal with the given mean and standard deviation."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean = number(mean, "mean", "RandomNormal")
        self.stddev = non_negative(stddev, "stddev", "RandomNormal")

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        def draw(count: int) -> np.ndarray:
            return self.mean + self.stddev * rng.standard_normal(count)

        return _in_blocks(draw, shape, dtype)


@register("initializers")
class TruncatedNormal(_Random):
    """Normal, redrawn beyond two standard deviations."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean = number(mean, "mean", "TruncatedNormal")
        self.stddev = non_negative(stddev, "stddev", "TruncatedNormal")

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        return (self.mean + self.stddev * _truncated(rng, shape)).astype(dtype)


@register("initializers", "uniform")
class RandomUniform(_Random):
    """Uniform in [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.minval = number(minval, "minval", "RandomUniform")
        self.maxval = number(maxval, "maxval", "RandomUniform")
        if self.minval > self.maxval:
            raise ValueError(
                "RandomUniform: minval must not be above maxval. "
                f"Received: minval={minval}, maxval={maxval}."
            )

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        return _in_blocks(partial(rng.uniform, self.minval, self.maxval), shape, dtype)


def fans(
    shape: tuple[int, ...], input_axes: Any = None, output_axes: Any = None
) -> tuple[int, int]:
    """(fan in, fan out) of a kernel: its last two axes, times the window in front of them."""
    if input_axes is not None or output_axes is not None:
        rank = len(shape)
        inner = {a % rank for a in input_axes or ()}
        outer = {a % rank for a in output_axes or ()}
        window = math.prod(n for i, n in enumerate(shape) if i not in inner | outer)
        return (
            window * math.prod(shape[a] for a in inner),
            window * math.prod(shape[a] for a in outer),
        )
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return n, n
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


@register("initializers")
class VarianceScaling(_Random):
    """Zero mean, variance ``scale / n`` with n the fan in, the fan out or their mean.

    Source: Glorot & Bengio 2010, He et al. 2015.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ):
        super().__init__(seed)
        self.scale = number(scale, "scale", "VarianceScaling")
        if self.scale <= 0:
            raise ValueError(f"VarianceScaling: scale must be positive. Received: scale={scale}.")
        self.mode = one_of(mode, ("fan_in", "fan_out", "fan_avg"), "mode", "VarianceScaling")
        distribution = "truncated_normal" if distribution == "normal" else distribution
        allowed = ("truncated_normal", "untruncated_normal", "uniform")
        self.distribution = one_of(distribution, allowed, "distribution", "VarianceScaling")
        self.input_axes, self.output_axes = input_axes, output_axes

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return _in_blocks(partial(rng.uniform, -limit, limit), shape, dtype)
        if self.distribution == "untruncated_normal":
            return (math.sqrt(variance) * rng.standard_normal(shape)).astype(dtype)
        # dividing by the standard deviation of a normal cut off at two of its own
        values = math.sqrt(variance) / 0.87962566103423978 * _truncated(rng, shape)
        return values.astype(dtype)


class _Named(VarianceScaling):
    """A `VarianceScaling` with its first three arguments fixed."""

    _config_skip = ("scale", "mode", "distribution")
    settings: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None):
        VarianceScaling.__init__(self, *self.settings, seed, input_axes, output_axes)


@register("initializers")
class GlorotUniform(_Named):
    """Uniform with variance 2 / (fan in + fan out) (Glorot & Bengio 2010)."""

    settings = (1.0, "fan_avg", "uniform")


@register("initializers")
class GlorotNormal(_Named):
    """Truncated normal with variance 2 / (fan in + fan out) (Glorot & Bengio 2010)."""

    settings = (1.0, "fan_avg", "truncated_normal")


@register("initializers")
class HeUniform(_Named):
    """Uniform with variance 2 / fan in (He et al. 2015)."""

    settings = (2.0, "fan_in", "uniform")


@register("initializers")
class HeNormal(_Named):
    """Truncated normal with variance 2 / fan in (He et al. 2015)."""

    settings = (2.0, "fan_in", "truncated_normal")


@register("initializers")
class LecunUniform(_Named):
    """Uniform with variance 1 / fan in (Klambauer et al. 2017)."""

    settings = (1.0, "fan_in", "uniform")


@register("initializers")
class LecunNormal(_Named):
    """Truncated normal with variance 1 / fan in (Klambauer et al. 2017)."""

    settings = (1.0, "fan_in", "truncated_normal")


@register("initializers", "OrthogonalInitializer")
class Orthogonal(_Random):
    """A random matrix with orthonormal rows or columns (Saxe et al. 2014), times `gain`."""

    def __init__(self, gain: float = 1.0, seed: Any = None):
        super().__init__(seed)
        self.gain = number(gain, "gain", "Orthogonal")

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal needs at least two dimensions. Received: shape={shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # makes the distribution uniform
        return (self.gain * (q if rows >= columns else q.T).reshape(shape)).astype(dtype)
