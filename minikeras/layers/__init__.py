"""Layers."""

from .activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from .base import Layer
from .core import Activation, ActivityRegularization, Dense, Identity, Input, InputLayer
from .input_spec import InputSpec
from .normalization import BatchNormalization
from .regularization import Dropout
from .reshaping import Flatten, Reshape

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "LeakyReLU",
    "PReLU",
    "ReLU",
    "Reshape",
    "Softmax",
]
