"""Optimizers: update rules, and learning-rate schedules."""

from functools import partial

from ..core.registry import resolve
from ..core.serialize import deserialize, serialize
from . import schedules
from .adafactor import Adafactor
from .adam import Adam, Adamax, AdamW, Nadam, ScheduleFreeAdamW
from .base import Optimizer
from .lamb import Lamb
from .loss_scale import LossScaleOptimizer
from .minimisers import BFGS, LBFGS, ConjugateGradient, NewtonCG
from .multi import MultiOptimizer, OptimizerMap
from .muon import Muon
from .rules import SGD, Adadelta, Adagrad, Ftrl, Lion, RMSprop

get = partial(resolve, "optimizers")

__all__ = [
    "BFGS",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ConjugateGradient",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "NewtonCG",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
