"""Process-wide settings: the default float type, the small constant, the image data format."""

from typing import Any

import numpy as np

from .validate import non_negative, one_of, suggest

__all__ = [
    "epsilon",
    "floatx",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]

FLOATS = ("float16", "bfloat16", "float32", "float64")
DTYPES = (
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *FLOATS,
    *("complex64", "complex128", "string"),
)
# Python's own types name what an array made of them holds here: nothing is silently 64 bits wide.
_PYTHON = {bool: "bool", int: "int32", "int": "int32", float: "float32", str: "string"}

_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
}


def floatx() -> str:
    """The default float type of weights and computations, "float32" unless set.

    >>> floatx()
    'float32'
    """
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Set the default float type: "float16", "bfloat16", "float32" or "float64"."""
    _settings["floatx"] = one_of(value, FLOATS, "floatx")


def epsilon() -> float:
    """The small constant that keeps logarithms and quotients finite, 1e-7 unless set."""
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Set the small constant that keeps logarithms and quotients finite."""
    _settings["epsilon"] = non_negative(value, "epsilon")


def image_data_format() -> str:
    """Where images keep their channels: "channels_last" (default) or "channels_first"."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set where images keep their channels: "channels_last" or "channels_first"."""
    _settings["image_data_format"] = one_of(
        data_format, ("channels_last", "channels_first"), "data_format"
    )


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given as name, numpy dtype, Python type, or None (the default float).

    >>> standardize_dtype(np.int64), standardize_dtype(None), standardize_dtype(int)
    ('int64', 'float32', 'int32')
    """
    if dtype is None:
        return floatx()
    name = _PYTHON.get(dtype) if isinstance(dtype, str | type) else None
    if name is None:
        name = dtype if isinstance(dtype, str) else _numpy_name(dtype)
    if name in DTYPES:
        return name
    raise ValueError(
        f"Unknown dtype.{suggest(name, DTYPES)} Expected one of {', '.join(DTYPES)}. "
        f"Received: {dtype!r}."
    )


def _numpy_name(dtype: Any) -> Any:
    if isinstance(getattr(dtype, "name", None), str):
        return dtype.name
    try:
        return np.dtype(dtype).name
    except TypeError:
        return None
