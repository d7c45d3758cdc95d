"""minikeras: Keras, small. Define, compile, fit, on numpy arrays and kernels compiled for this CPU.

Rooms and names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        activations,
        applications,
        autodiff,
        backend,
        callbacks,
        config,
        constraints,
        datasets,
        dtype_policies,
        initializers,
        layers,
        losses,
        metrics,
        models,
        ops,
        optimizers,
        preprocessing,
        random,
        regularizers,
        saving,
        tree,
        utils,
    )
    from .autodiff.gradient_tape import GradientTape
    from .autodiff.variable import Variable
    from .core.dtype_policy import DTypePolicy
    from .graph.symbol import Symbol as KerasTensor
    from .initializers import Initializer
    from .layers import Input, InputSpec, Layer
    from .losses import Loss
    from .metrics import Metric
    from .models import Model, Sequential
    from .optimizers import Optimizer
    from .random import SeedGenerator
    from .regularizers import Regularizer

__version__ = "0.1.0"

# public name -> (room, its name there)
_HOMES = {
    "DTypePolicy": ("core.dtype_policy", "DTypePolicy"),
    "GradientTape": ("autodiff.gradient_tape", "GradientTape"),
    "Initializer": ("initializers", "Initializer"),
    "Input": ("layers", "Input"),
    "InputSpec": ("layers", "InputSpec"),
    "KerasTensor": ("graph.symbol", "Symbol"),
    "Layer": ("layers", "Layer"),
    "Loss": ("losses", "Loss"),
    "Metric": ("metrics", "Metric"),
    "Model": ("models", "Model"),
    "Optimizer": ("optimizers", "Optimizer"),
    "Regularizer": ("regularizers", "Regularizer"),
    "SeedGenerator": ("random", "SeedGenerator"),
    "Sequential": ("models", "Sequential"),
    "Variable": ("autodiff.variable", "Variable"),
}

__all__ = [
    "DTypePolicy",
    "GradientTape",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "SeedGenerator",
    "Sequential",
    "Variable",
    "activations",
    "applications",
    "autodiff",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
]


# names that work only with another room loaded: operators, classes that files name
_NEEDS = {
    "GradientTape": "ops",
    "KerasTensor": "ops",
    "Variable": "ops",
    "autodiff": "ops",
    "saving": "models",
    "utils": "models",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _NEEDS:
        importlib.import_module(f".{_NEEDS[name]}", __name__)
    room, member = _HOMES.get(name, (name, None))
    module = importlib.import_module(f".{room}", __name__)
    value = module if member is None else getattr(module, member)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
