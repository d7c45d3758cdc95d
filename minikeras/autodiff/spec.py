"""Shapes and dtypes of values that need not exist yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core import settings


class Spec(NamedTuple):
    """Shape and dtype name of one array."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        size = 1
        for extent in self.shape:
            size *= extent
        return size

    @property
    def nbytes(self) -> int:
        return self.size * np.dtype(self.dtype).itemsize


def spec_of(value: Any) -> Spec:
    """Spec of an array, or of anything with `shape` and `dtype`."""
    dtype = value.dtype
    return Spec(tuple(value.shape), dtype if isinstance(dtype, str) else dtype.name)


def broadcast(*shapes: Sequence[int]) -> tuple[int, ...]:
    """Shape that arrays of these shapes broadcast to, by numpy's rules."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        received = ", ".join(str(tuple(s)) for s in shapes)
        raise ValueError(
            f"Shapes cannot be broadcast together. Received: {received}. "
            "Reshape or expand one of them so that each dimension is equal or 1."
        ) from None


def is_float(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))


def result_dtype(*dtypes: str) -> str:
    """Dtype of an arithmetic result: floats win over integers without becoming wider.

    Unlike numpy, ``float32`` with ``int64`` gives ``float32``, as in Keras.
    """
    floats = [d for d in dtypes if is_float(d)]
    chosen = floats or list(dtypes)
    first = chosen[0]
    return first if all(d == first for d in chosen) else np.result_type(*chosen).name


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def as_array(value: Any, like: str | None = None) -> np.ndarray:
    """A numpy array of `value`.

    Python floats, and lists of them, take `like`'s float type or `floatx()`; integers become int32
    where they fit.
    """
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, bool | np.bool_):
        return np.asarray(value)
    if isinstance(value, int):
        return np.asarray(value, like or ("int32" if -(2**31) <= value < 2**31 else "int64"))
    if isinstance(value, float):
        return np.asarray(value, like if like and is_float(like) else settings.floatx())
    array = np.asarray(value)
    if hasattr(value, "dtype"):
        return array
    if array.dtype == np.float64:
        return array.astype(settings.floatx())
    if array.dtype.kind in "USO":
        raise ValueError(
            f"Numbers were expected. Received: {_shortened(value)} "
            f"(of type {type(value).__name__})."
        )
    if array.dtype == np.int64 and np.all(np.abs(array) < 2**31):
        return array.astype(np.int32)
    return array
