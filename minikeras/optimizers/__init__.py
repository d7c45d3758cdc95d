"""Optimizers: update rules, and learning-rate schedules."""

from functools import partial

from ..core.registry import resolve
from ..core.serialize import deserialize, serialize
from . import schedules
from .adam import Adam, Adamax, AdamW, Nadam, ScheduleFreeAdamW
from .base import Optimizer
from .minimisers import BFGS, LBFGS, ConjugateGradient, NewtonCG
from .rules import SGD, Adadelta, Adagrad, Ftrl, Lion, RMSprop

get = partial(resolve, "optimizers")

__all__ = [
    "BFGS",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ConjugateGradient",
    "Ftrl",
    "Lion",
    "Nadam",
    "NewtonCG",
    "Optimizer",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
