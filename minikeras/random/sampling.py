"""Draws from distributions, as functions of a shape and a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec, as_array
from ..core import settings
from ..core.validate import fraction
from ..core.validate import shape as checked_shape
from ..ops import elementwise as e
from ..ops import nn, reduce, shapes
from ..ops.core import cast, floating
from .generator import key_of


def _rng(key: np.ndarray) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(int(key.view(np.uint64)[0])))


def _primitive(name: str, draw: Any) -> Primitive:
    def forward(ins: list, outs: list, shape: Any, dtype: str, **static: Any) -> None:
        draws = draw(_rng(ins[0]), shape, _working_type(dtype), **static)
        np.copyto(outs[0], draws, casting="unsafe")

    return Primitive(
        name, lambda key, shape, dtype, **static: Spec(shape, dtype), forward, host=True
    )


def _working_type(dtype: str) -> Any:
    """What numpy draws in: rounding a wider draw could give the upper bound itself."""
    return np.float64 if dtype == "float64" else np.float32


def _truncated(rng: np.random.Generator, shape: Any, dtype: Any) -> np.ndarray:
    """Standard normal within two standard deviations, by redrawing what falls outside."""
    values = rng.standard_normal(shape, dtype)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()), dtype)
    return values


_uniform = _primitive("random_uniform", lambda rng, shape, dtype: rng.random(shape, dtype))
_normal = _primitive("random_normal", lambda rng, shape, dtype: rng.standard_normal(shape, dtype))
_truncated_normal = _primitive("random_truncated_normal", _truncated)
_integers = _primitive(
    "random_integers", lambda rng, shape, dtype, low, high: rng.integers(low, high, shape)
)
_permutation = _primitive("random_permutation", lambda rng, shape, dtype: rng.permutation(shape[0]))


def _of_parameters(name: str, draw: Any) -> Primitive:
    """A number for each parameter."""

    def forward(ins: list, outs: list) -> None:
        draws = draw(_rng(ins[0]), *(np.asarray(p, np.float64) for p in ins[1:]))
        np.copyto(outs[0], draws, casting="unsafe")

    return Primitive(name, lambda key, alpha, *more: alpha, forward, host=True)


_gamma = _of_parameters("random_gamma", lambda rng, alpha: rng.standard_gamma(alpha))
_beta = _of_parameters("random_beta", lambda rng, alpha, beta: rng.beta(alpha, beta))


def _extents(shape: Any) -> tuple:
    return checked_shape(shape if isinstance(shape, int | str) else tuple(shape))


def _shaped(value: Any) -> Any:
    return value if hasattr(value, "shape") else as_array(value)


def _float(dtype: Any) -> str:
    return settings.floatx() if dtype is None else settings.standardize_dtype(dtype)


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Uniform numbers in [minval, maxval)."""
    draw = _uniform(key_of(seed), shape=_extents(shape), dtype=_float(dtype))
    return e.add(e.multiply(draw, maxval - minval), minval)


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers."""
    return e.add(
        e.multiply(_normal(key_of(seed), shape=_extents(shape), dtype=_float(dtype)), stddev), mean
    )


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers without those beyond two standard deviations."""
    draw = _truncated_normal(key_of(seed), shape=_extents(shape), dtype=_float(dtype))
    return e.add(e.multiply(draw, stddev), mean)


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Uniform integers in [minval, maxval)."""
    dtype = settings.standardize_dtype(dtype)
    if not dtype.startswith(("int", "uint")):
        raise ValueError(
            f"randint gives integers. Received: dtype={dtype!r}. Use uniform for floats."
        )
    low, high = int(minval), int(maxval)
    if low >= high:
        raise ValueError(
            f"randint needs minval < maxval. Received: minval={minval}, maxval={maxval}."
        )
    return _integers(key_of(seed), shape=_extents(shape), dtype=dtype, low=low, high=high)


def _spread(value: Any, shape: tuple, dtype: str) -> Any:
    """A parameter, for each number of a shape."""
    return e.add(cast(_shaped(value), dtype), np.zeros(shape, dtype))


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers of the gamma distribution with the shape parameter `alpha` and the scale 1."""
    shape, dtype = _extents(shape), _float(dtype)
    return _gamma(key_of(seed), _spread(alpha, shape, dtype))


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers between 0 and 1 of the beta distribution."""
    shape, dtype = _extents(shape), _float(dtype)
    return _beta(key_of(seed), _spread(alpha, shape, dtype), _spread(beta, shape, dtype))


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Class indices (batch, num_samples) drawn with the probabilities softmax(logits)."""
    logits = _shaped(logits)
    shape = (*tuple(logits.shape)[:-1], num_samples, tuple(logits.shape)[-1])
    noise = e.negative(e.log(e.negative(e.log(uniform(shape, 1e-20, 1.0, seed=seed)))))
    return cast(reduce.argmax(e.add(noise, shapes.expand_dims(logits, -2)), axis=-1), dtype)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """`x` in random order along an axis."""
    x = _shaped(x)
    order = _permutation(key_of(seed), shape=(tuple(x.shape)[axis],), dtype="int64")
    return shapes.take(x, order, axis)


def shape_of_noise(shape: Any, noise_shape: Any) -> tuple[int, ...]:
    """The shape of a mask for inputs of a shape: None stands for the size of the inputs there.

    Raises:
        ValueError: it cannot be broadcast to that of the inputs.
    """
    asked = noise_shape[: len(shape)]
    found = tuple(shape[i] if n is None else n for i, n in enumerate(asked))
    ends = zip(found[::-1], shape[::-1], strict=False)
    if len(noise_shape) > len(shape) or any(n not in (1, size) for n, size in ends):
        raise ValueError(
            "`noise_shape` must be 1, None or the size of the inputs along each axis. "
            f"Received: noise_shape={tuple(noise_shape)} and inputs of shape {tuple(shape)}."
        )
    return found


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Zeros with probability `rate`, the rest scaled by ``1 / (1 - rate)``.

    `noise_shape` (broadcast to the shape of the inputs) drops whole rows, channels...
    """
    inputs, rate = _shaped(inputs), fraction(rate, "rate")
    if rate == 0:
        return inputs
    inputs = floating(inputs)
    if rate == 1:
        return e.multiply(inputs, 0.0)  # a product, so that gradients are zeros
    if noise_shape is None:
        return nn.dropout(inputs, key_of(seed), rate=rate)
    shape = shape_of_noise(inputs.shape, noise_shape)
    ones = np.ones(shape, np.dtype(inputs.dtype))
    return e.multiply(inputs, nn.dropout(ones, key_of(seed), rate=rate))
