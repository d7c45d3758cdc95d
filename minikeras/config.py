"""Global settings (keras.config)."""

from .core.settings import (
    disable_interactive_logging,
    enable_interactive_logging,
    epsilon,
    floatx,
    image_data_format,
    is_interactive_logging_enabled,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_verbosity,
    verbosity,
)
from .kernels import num_threads, set_num_threads
from .ops.winograd import set_winograd


def backend() -> str:
    """The name of the only backend."""
    return "minikeras"


__all__ = [
    "backend",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_interactive_logging_enabled",
    "num_threads",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_num_threads",
    "set_verbosity",
    "set_winograd",
    "verbosity",
]
