"""The time of each optimizer's step per parameter, over that of Adam."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Result = tuple[str, float, str]

SIZES = (100_000, 1_000_000)
TURNS = 15
WORK = 2_000_000  # parameters updated in a turn, Muon's aside

# beside every optimizer as it comes: what changes the work of a step
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD, momentum": ("SGD", {"momentum": 0.9}),
    "RMSprop, centered, momentum": ("RMSprop", {"centered": True, "momentum": 0.9}),
    "Adam, amsgrad": ("Adam", {"amsgrad": True}),
    "Ftrl, power -0.3": ("Ftrl", {"learning_rate_power": -0.3}),
    "Adam, clipnorm": ("Adam", {"clipnorm": 1.0}),
    "Adam, global_clipnorm": ("Adam", {"global_clipnorm": 1.0}),
    "Adam, clipvalue": ("Adam", {"clipvalue": 0.5}),
    "Adam, use_ema": ("Adam", {"use_ema": True}),
    "Adam, accumulation over 2 steps": ("Adam", {"gradient_accumulation_steps": 2}),
}


def optimizer_steps(options: argparse.Namespace) -> Iterator[Result]:
    """A step on gradients that are there, of a square matrix and a vector; all in turn."""
    from minikeras import kernels

    kernels.set_num_threads(options.threads)
    for size in SIZES:
        programs = {case: _program(make(), size) for case, make in _cases().items()}
        times: dict[str, list[float]] = {case: [] for case in programs}
        for _ in range(TURNS):
            for case, (run, parameters) in programs.items():
                repeat = 1 if case.startswith("Muon") else max(1, WORK // parameters)
                start = time.perf_counter()
                for _ in range(repeat):
                    run()
                seconds = time.perf_counter() - start
                times[case].append(seconds / repeat / parameters * 1e9)
        adam = times["Adam"]
        for case, spent in times.items():
            middle = statistics.median(spent)
            ratio, least = middle / statistics.median(adam), min(spent) / min(adam)
            text = f"{middle:.2f} ns a parameter, {ratio:.2f} x Adam (least: {least:.2f} x)"
            yield f"step of {size:,} parameters, {case}", ratio, text


def _cases() -> dict[str, Callable[[], Any]]:
    """Every optimizer that wraps no other, and the variants."""
    from minikeras import optimizers

    room = {name: getattr(optimizers, name) for name in optimizers.__all__}
    wrapping = (optimizers.LossScaleOptimizer, optimizers.MultiOptimizer)
    plain = {
        name: member
        for name, member in room.items()
        if isinstance(member, type)
        and issubclass(member, optimizers.Optimizer)
        and member not in (optimizers.Optimizer, *wrapping)
    }
    variants = {
        case: lambda kind=kind, given=given: plain[kind](**given)
        for case, (kind, given) in VARIANTS.items()
    }
    scaled = {"LossScaleOptimizer of Adam": lambda: wrapping[0](plain["Adam"]())}
    return {**plain, **variants, **scaled}


def _program(optimizer: Any, size: int) -> tuple[Callable[[], None], int]:
    """A recorded step of the optimizer, and the number of parameters that it updates."""
    from minikeras import Variable
    from minikeras.program import Program, Recording

    side, rng = int(size**0.5), np.random.default_rng(0)
    values = [rng.standard_normal(shape, np.float32) for shape in ((side, side), (side,))]
    variables = [Variable(value) for value in values]
    gradients = [rng.standard_normal(v.shape, np.float32) for v in variables]
    optimizer.build(variables)
    optimizer.apply(gradients, variables)  # leaves them where the program finds them

    def step() -> list[Any]:
        optimizer._finish(variables)
        return []

    return Program(Recording.of(step, [])).run, sum(v.size for v in variables)
