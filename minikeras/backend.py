"""What remains of Keras's backend room (keras.backend)."""

from typing import Any

from .config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from .core.names import reset_names
from .core.settings import FLOATS, standardize_dtype
from .graph.symbol import Symbol


def clear_session(free_memory: bool = True) -> None:
    """Start the numbering of automatic names anew."""
    reset_names()


def is_keras_tensor(x: object) -> bool:
    """Whether `x` is the symbol of an input or of a layer's output."""
    return isinstance(x, Symbol)


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype, given as name, numpy dtype or Python type, is one of floats.

    >>> is_float_dtype("float16"), is_float_dtype(bool)
    (True, False)
    """
    return standardize_dtype(dtype) in FLOATS


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype, given likewise, is one of whole numbers, with or without sign.

    >>> is_int_dtype("uint8"), is_int_dtype(bool)
    (True, False)
    """
    return standardize_dtype(dtype).startswith(("int", "uint"))


__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]
