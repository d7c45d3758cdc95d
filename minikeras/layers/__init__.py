"""Layers."""

from .activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from .base import Layer
from .core import Activation, ActivityRegularization, Dense, Identity, Input, InputLayer
from .einsum_dense import EinsumDense
from .input_spec import InputSpec
from .merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from .normalization import BatchNormalization
from .plumbing import Lambda, Masking, Wrapper
from .regularization import Dropout
from .reshaping import Flatten, Permute, RepeatVector, Reshape
from .units import RBF, Maxout

__all__ = [
    "RBF",
    "Maxout",
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "Average",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Flatten",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LeakyReLU",
    "Masking",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "Softmax",
    "Subtract",
    "Wrapper",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
