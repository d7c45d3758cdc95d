"""Process-wide settings: default float type, small constant, image data format, verbosity."""

import os
from typing import Any

import numpy as np

from .validate import non_negative, one_of, suggest

__all__ = [
    "disable_interactive_logging",
    "enable_interactive_logging",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_interactive_logging_enabled",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_verbosity",
    "standardize_dtype",
    "verbosity",
]

FLOATS = ("float16", "bfloat16", "float32", "float64")
DTYPES = (
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *FLOATS,
    *("complex64", "complex128", "string"),
)
# Python's own types name what an array made of them holds here: nothing is silently 64 bits wide.
_PYTHON = {bool: "bool", int: "int32", "int": "int32", float: "float32", str: "string"}

DATA_FORMATS = ("channels_last", "channels_first")
VERBOSITIES = (0, 1, 2, "auto")
VERBOSITY_VARIABLE = "MINIKERAS_VERBOSITY"

_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "verbosity": None,  # not set: the environment decides
    "interactive_logging": True,
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
    _settings["image_data_format"] = data_format_of(data_format)


def data_format_of(value: Any, owner: str = "") -> str:
    """The order of axes that is meant, in capitals or not; None for the one that is set."""
    value = image_data_format() if value is None else value
    value = value.lower() if isinstance(value, str) else value
    return one_of(value, DATA_FORMATS, "data_format", owner)


def verbosity() -> int | str:
    """What ``verbose="auto"`` stands for in `fit`, `evaluate` and `predict`.

    Unless set: the environment variable ``MINIKERAS_VERBOSITY``, else "auto".

    Raises:
        ValueError: The variable holds something else than 0, 1, 2 or auto.
    """
    if _settings["verbosity"] is not None:
        return _settings["verbosity"]
    text = os.environ.get(VERBOSITY_VARIABLE, "auto").strip().lower() or "auto"
    for value in VERBOSITIES:
        if text == str(value):
            return value
    raise ValueError(
        f"The environment variable {VERBOSITY_VARIABLE} must be one of 0, 1, 2, auto. "
        f"Received: {text!r}."
    )


def set_verbosity(value: int | str) -> None:
    """Set what ``verbose="auto"``, the default of `fit`, `evaluate` and `predict`, stands for.

    Args:
        value: 0 for silence (the line about the first compilation goes too), 1 for a live bar in
            terminals and notebooks and a plain line per epoch elsewhere, 2 for the plain lines
            everywhere, "auto" for 1 with short predictions silent.

    >>> from minikeras import config
    >>> config.set_verbosity(2)
    >>> config.verbosity()
    2
    >>> config.set_verbosity("auto")
    """
    value = int(value) if isinstance(value, bool) else value
    _settings["verbosity"] = one_of(value, VERBOSITIES, "verbosity")


def is_interactive_logging_enabled() -> bool:
    """Whether text goes to standard output (the default) rather than to `logging`."""
    return _settings["interactive_logging"]


def enable_interactive_logging() -> None:
    """Write text to standard output, as is the default."""
    _settings["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Send text to the logger "minikeras" of Python's `logging`, at level INFO.

    An epoch is then one message, and there is no bar. As always with `logging`, messages of that
    level are dropped until a program asks for them.

    >>> from minikeras import config
    >>> config.disable_interactive_logging()
    >>> config.is_interactive_logging_enabled()
    False
    >>> config.enable_interactive_logging()
    """
    _settings["interactive_logging"] = False


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
