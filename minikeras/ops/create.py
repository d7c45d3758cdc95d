"""New arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import settings
from ..graph.abstract import symbolic
from .core import convert_to_tensor
from .core import shape as _shape


def _float(dtype: Any) -> str:
    return settings.floatx() if dtype is None else settings.standardize_dtype(dtype)


def zeros(shape: Any, dtype: Any = None) -> np.ndarray:
    return np.zeros(shape, _float(dtype))


def ones(shape: Any, dtype: Any = None) -> np.ndarray:
    return np.ones(shape, _float(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> np.ndarray:
    return np.full(shape, fill_value, _float(dtype))


def empty(shape: Any, dtype: Any = None) -> np.ndarray:
    return np.empty(shape, _float(dtype))


def _like(x: Any, dtype: Any) -> str:
    if dtype is None and hasattr(x, "dtype"):
        return np.dtype(x.dtype).name
    return _float(dtype)


@symbolic
def zeros_like(x: Any, dtype: Any = None) -> np.ndarray:
    return np.zeros(_shape(x), _like(x, dtype))


@symbolic
def ones_like(x: Any, dtype: Any = None) -> np.ndarray:
    return np.ones(_shape(x), _like(x, dtype))


@symbolic
def empty_like(x: Any, dtype: Any = None) -> np.ndarray:
    return np.empty(_shape(x), _like(x, dtype))


@symbolic
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> np.ndarray:
    return np.full(_shape(x), fill_value, _like(x, dtype))


def array(x: Any, dtype: Any = None) -> Any:
    """An array (or tensor) of `x`."""
    return convert_to_tensor(x, dtype)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> np.ndarray:
    """Evenly spaced numbers of [start, stop): int32 from integers, else `floatx()`."""
    given = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = "int32" if all(isinstance(v, int) for v in given) else settings.floatx()
    if stop is None:
        start, stop = 0, start
    return np.arange(start, stop, 1 if step is None else step, dtype=dtype)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    values, step = np.linspace(start, stop, num, endpoint, retstep=True, axis=axis)
    values = np.asarray(values).astype(_float(dtype))
    return (values, step) if retstep else values


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> np.ndarray:
    return np.eye(N, M, k, _float(dtype))


def identity(n: int, dtype: Any = None) -> np.ndarray:
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> np.ndarray:
    """Ones at and below diagonal `k`, zeros above."""
    return np.tri(N, M, k, _float(dtype))


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> np.ndarray:
    """Powers of `base` with evenly spaced exponents."""
    return np.logspace(start, stop, num, endpoint, base, axis=axis).astype(_float(dtype))
