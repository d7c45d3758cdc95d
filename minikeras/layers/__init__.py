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
from .noise import AlphaDropout, GaussianDropout, GaussianNoise
from .normalization import BatchNormalization
from .plumbing import Lambda, Masking, Wrapper
from .regularization import Dropout
from .reshaping import Flatten, Permute, RepeatVector, Reshape
from .row_normalization import (
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from .spectral_normalization import SpectralNormalization
from .units import RBF, Maxout

__all__ = [
    "RBF",
    "Maxout",
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "Softmax",
    "SpectralNormalization",
    "Subtract",
    "UnitNormalization",
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
