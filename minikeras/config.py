"""Global settings (keras.config)."""

from .core.settings import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from .kernels import num_threads, set_num_threads


def backend() -> str:
    """The name of the only backend."""
    return "minikeras"


__all__ = [
    "backend",
    "epsilon",
    "floatx",
    "image_data_format",
    "num_threads",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_num_threads",
]
