"""Optimizers: update rules, and learning-rate schedules."""

from typing import Any

from ..core.registry import resolve
from ..core.serialize import deserialize as _deserialize
from ..core.serialize import serialize as _serialize
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


def get(identifier: Any) -> Any:
    """The optimizer that a name, class, record or object stands for; None stays None."""
    return resolve("optimizers", identifier)


def serialize(optimizer: Any) -> Any:
    """The record of an optimizer."""
    return _serialize(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer of a record."""
    return _deserialize(config, custom_objects, kind="optimizers")


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
