"""Reverse-mode differentiation: primitives, tensors, tapes and variables."""

from .check import check_gradients
from .gradient_tape import GradientTape
from .primitive import PRIMITIVES, Elementwise, Primitive
from .spec import Spec
from .tape import Tape, grad, value_and_grad
from .tensor import Tensor
from .variable import Variable

__all__ = [
    "PRIMITIVES",
    "Elementwise",
    "GradientTape",
    "Primitive",
    "Spec",
    "Tape",
    "Tensor",
    "Variable",
    "check_gradients",
    "grad",
    "value_and_grad",
]
