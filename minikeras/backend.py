"""What remains of Keras's backend room (keras.backend)."""

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
from .graph.symbol import Symbol


def clear_session(free_memory: bool = True) -> None:
    """Start the numbering of automatic names anew."""
    reset_names()


def is_keras_tensor(x: object) -> bool:
    """Whether `x` is the symbol of an input or of a layer's output."""
    return isinstance(x, Symbol)


__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_keras_tensor",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
