"""Optimizers: update rules, and learning-rate schedules."""

from functools import partial

from ..core.registry import resolve
from ..core.serialize import deserialize, serialize
from . import schedules
from .base import Optimizer
from .minimisers import BFGS, LBFGS, ConjugateGradient, NewtonCG
from .rules import SGD, Adagrad, Adam, AdamW, RMSprop

get = partial(resolve, "optimizers")

__all__ = [
    "BFGS",
    "LBFGS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "ConjugateGradient",
    "NewtonCG",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
