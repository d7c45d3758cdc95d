"""Dtypes, conversion, and the boundary between tensors and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec, as_array, is_float
from ..autodiff.tensor import Tensor
from ..autodiff.variable import Variable
from ..core import settings


def _cast(ins: list, outs: list, dtype: str) -> None:
    np.copyto(outs[0], ins[0], casting="unsafe")


def _cast_pull(g: Any, ins: Any, outs: Any, needed: Any, dtype: str) -> list:
    source = np.dtype(ins[0].dtype).name
    return [cast(g, source) if is_float(source) and is_float(dtype) else None]


_cast_primitive = Primitive(
    "cast", lambda x, dtype: Spec(x.shape, dtype), _cast, _cast_pull, host=True
)

_copy = Primitive(
    "copy",
    lambda x: x,
    lambda ins, outs: np.copyto(outs[0], ins[0]),
    lambda g, ins, outs, needed: [g],
    host=True,
)


def _saturate_fill(ins: list, outs: list, dtype: str) -> None:
    limits = np.iinfo(dtype)
    np.copyto(outs[0], np.clip(ins[0], limits.min, limits.max), casting="unsafe")


_saturate = Primitive(
    "saturate_cast", lambda x, dtype: Spec(x.shape, dtype), _saturate_fill, host=True
)

_stop_gradient = Primitive(
    "stop_gradient", lambda x: x, lambda ins, outs: np.copyto(outs[0], ins[0]), host=True
)


def cast(x: Any, dtype: Any) -> Any:
    """`x` converted to `dtype`."""
    dtype = settings.standardize_dtype(dtype)
    if hasattr(x, "dtype") and np.dtype(x.dtype).name == dtype and not isinstance(x, Variable):
        return x
    return _cast_primitive(x if hasattr(x, "dtype") else as_array(x), dtype=dtype)


def floating(x: Any) -> Any:
    """`x` as a value of a type that kernels compute in: float32 and float64 stay what they are.

    Integers become `floatx()`, narrower floats float32.
    """
    if not hasattr(x, "dtype"):
        x = as_array(x)
    name = np.dtype(x.dtype).name
    if name in ("float32", "float64"):
        return x
    default = settings.floatx() if not is_float(name) else "float32"
    return cast(x, default if default in ("float32", "float64") else "float32")


def copy(x: Any) -> Any:
    """The same numbers in new memory."""
    x = convert_to_tensor(x)
    return np.array(x) if isinstance(x, np.ndarray) else _copy(x)


def saturate_cast(x: Any, dtype: Any) -> Any:
    """As `cast`, where numbers outside the range of an integer type become its nearest end."""
    dtype = settings.standardize_dtype(dtype)
    if np.dtype(dtype).kind not in "iu":
        return cast(x, dtype)
    x = convert_to_tensor(x)
    return _saturate(x, dtype=dtype)


def stop_gradient(variable: Any) -> Any:
    """The same value, through which no gradient flows."""
    return _stop_gradient(variable if hasattr(variable, "dtype") else as_array(variable))


def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """An array (or tensor) of `x`. Sparse and ragged tensors do not exist here."""
    if sparse or ragged:
        raise ValueError("Sparse and ragged tensors are not supported. Pass a dense array.")
    if isinstance(x, Variable):
        x = x.value
    if not hasattr(x, "dtype"):
        x = as_array(x, settings.standardize_dtype(dtype) if dtype is not None else None)
    elif not isinstance(x, np.ndarray | Tensor) and not hasattr(type(x), "__primitive__"):
        x = np.asarray(x)
    return x if dtype is None else cast(x, dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """The numbers of `x` as a numpy array."""
    if isinstance(x, Tensor):
        return x.value
    return x.numpy() if isinstance(x, Variable) else np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Whether `x` is an array, a tensor or a symbol."""
    return isinstance(x, np.ndarray) or hasattr(type(x), "__primitive__")


def shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x: Any) -> int:
    return len(shape(x))


def size(x: Any) -> int:
    return int(np.prod(shape(x), dtype=np.int64))


def dtype(x: Any) -> str:
    return settings.standardize_dtype(x.dtype)
