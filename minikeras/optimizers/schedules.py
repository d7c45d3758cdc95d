"""Learning-rate schedules: functions of the iteration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.configurable import Configurable
from ..core.registry import register, resolve
from ..core.serialize import deserialize as _deserialize
from ..core.serialize import serialize as _serialize
from ..core.validate import number


class LearningRateSchedule(Configurable):
    """Base of schedules: ``schedule(step)`` gives the rate for iteration `step`, from 0.

    Built-in schedules return Python floats; one of your own may use numbers or `minikeras.ops`.
    """

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step).")


def _step(step: Any) -> float:
    return float(np.asarray(step))


@register("schedules")
class ExponentialDecay(LearningRateSchedule):
    """``initial * decay_rate ** (step / decay_steps)``; `staircase` takes whole powers only."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        _positive(decay_steps, "decay_steps")
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step: Any) -> float:
        power = _step(step) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (
            math.floor(power) if self.staircase else power
        )


@register("schedules")
class InverseTimeDecay(LearningRateSchedule):
    """``initial / (1 + decay_rate * step / decay_steps)``."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        _positive(decay_steps, "decay_steps")
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step: Any) -> float:
        times = _step(step) / self.decay_steps
        return self.initial_learning_rate / (
            1 + self.decay_rate * (math.floor(times) if self.staircase else times)
        )


@register("schedules")
class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and including step ``boundaries[i]``, the last value afterwards."""

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"
    ):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay needs one value more than boundaries. Received: "
                f"{len(boundaries)} boundaries and {len(values)} values."
            )
        if any(b <= a for a, b in zip(boundaries, boundaries[1:], strict=False)):
            raise ValueError(
                "PiecewiseConstantDecay: the boundaries must increase. "
                f"Received: {list(boundaries)}."
            )
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step: Any) -> float:
        at = _step(step)
        return float(
            next(
                (v for b, v in zip(self.boundaries, self.values, strict=False) if at <= b),
                self.values[-1],
            )
        )


@register("schedules")
class PolynomialDecay(LearningRateSchedule):
    """From the initial to the end rate along ``(1 - step / decay_steps) ** power``."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        _positive(decay_steps, "decay_steps")
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = (
            end_learning_rate,
            power,
            cycle,
            name,
        )

    def __call__(self, step: Any) -> float:
        at, steps = _step(step), float(self.decay_steps)
        if self.cycle:
            steps *= max(1.0, math.ceil(at / steps))
        share = 1 - min(at, steps) / steps
        return (
            self.initial_learning_rate - self.end_learning_rate
        ) * share**self.power + self.end_learning_rate


@register("schedules")
class CosineDecay(LearningRateSchedule):
    """Half a cosine down to ``alpha * initial``, after an optional linear warm-up.

    Source: Loshchilov & Hutter 2016.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        _positive(decay_steps, "decay_steps")
        self.initial_learning_rate, self.decay_steps, self.alpha = (
            initial_learning_rate,
            decay_steps,
            alpha,
        )
        self.name, self.warmup_target, self.warmup_steps = name, warmup_target, warmup_steps

    def __call__(self, step: Any) -> float:
        at = _step(step)
        if self.warmup_target is None:
            return self._cosine(at, self.initial_learning_rate)
        if at < self.warmup_steps:
            rise = self.warmup_target - self.initial_learning_rate
            return self.initial_learning_rate + rise * at / self.warmup_steps
        return self._cosine(at - self.warmup_steps, self.warmup_target)

    def _cosine(self, at: float, top: float) -> float:
        share = min(at, self.decay_steps) / self.decay_steps
        half = 0.5 * (1 + math.cos(math.pi * share))
        return top * ((1 - self.alpha) * half + self.alpha)


@register("schedules")
class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay that starts again, each period `t_mul` longer and `m_mul` lower.

    Source: Loshchilov & Hutter 2016 (SGDR).
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        _positive(first_decay_steps, "first_decay_steps")
        self.initial_learning_rate, self.first_decay_steps = (
            initial_learning_rate,
            first_decay_steps,
        )
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step: Any) -> float:
        done = _step(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            period = math.floor(done)
            share = done - period
        else:
            period = math.floor(math.log(1.0 - done * (1.0 - self.t_mul)) / math.log(self.t_mul))
            before = (1.0 - self.t_mul**period) / (1.0 - self.t_mul)
            share = (done - before) / self.t_mul**period
        half = 0.5 * self.m_mul**period * (1 + math.cos(math.pi * share))
        return self.initial_learning_rate * ((1 - self.alpha) * half + self.alpha)


def _positive(value: float, name: str) -> None:
    if number(value, name) <= 0:
        raise ValueError(f"{name} must be positive. Received: {value}.")


def get(identifier: Any) -> Any:
    """The schedule that a name, record or object stands for; None stays None."""
    return resolve("schedules", identifier)


def serialize(learning_rate_schedule: Any) -> Any:
    """The record of a schedule."""
    return _serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule of a record."""
    return _deserialize(config, custom_objects, kind="schedules")


__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "get",
    "serialize",
]
