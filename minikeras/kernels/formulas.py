"""Update rules of optimizers, each written once: numpy runs them as they stand, Numba compiles
them.

A rule changes a weight ``w`` by its gradient ``g`` and the numbers kept for it, its slots. What
does not depend on the weight is computed once per step by `constants`, in float64; the step
itself uses constants and numpy functions only, so it means the same for a number and for an
array.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rule:
    """One optimizer's arithmetic.

    Attributes:
        slots: names of the numbers kept per weight, in Keras's order.
        numbers: names of the rule's own hyperparameters.
        constants: ``constants(learning_rate, step, *numbers)`` -> tuple of constants of this step,
            which counts from 1.
        step: ``step(w, g, *slots, *constants)`` -> tuple of the new w and slots.
    """

    slots: tuple[str, ...]
    numbers: tuple[str, ...]
    constants: Callable[..., tuple]
    step: Callable[..., tuple]


# What every rule's hyperparameters start with; `iterations` is the number of steps made before.
COMMON = ("learning_rate", "weight_decay", "iterations")

RULES: dict[str, Rule] = {}


def _rule(name: str, slots: str, numbers: str, constants: Callable) -> Callable:
    """Register the decorated function as the step of a rule."""

    def register(step: Callable) -> Callable:
        RULES[name] = Rule(tuple(slots.split()), tuple(numbers.split()), constants, step)
        return step

    return register


def _rate(learning_rate, step, *numbers):
    return learning_rate, *numbers


@_rule("sgd", "", "", _rate)
def _sgd(w, g, rate):
    return (w - g * rate,)


@_rule("sgd_momentum", "momentum", "momentum", _rate)
def _sgd_momentum(w, g, m, rate, momentum):
    m = m * momentum - g * rate
    return w + m, m


@_rule("sgd_nesterov", "momentum", "momentum", _rate)
def _sgd_nesterov(w, g, m, rate, momentum):
    m = m * momentum - g * rate
    return w + (m * momentum - g * rate), m


@_rule("adagrad", "accumulator", "epsilon", _rate)
def _adagrad(w, g, a, rate, epsilon):
    a = a + g * g
    return w - rate * g / np.sqrt(a + epsilon), a


def _rmsprop_constants(learning_rate, step, rho, *others):
    return learning_rate, rho, 1.0 - rho, *others


@_rule("rmsprop", "velocity", "rho epsilon", _rmsprop_constants)
def _rmsprop(w, g, v, rate, rho, rest, epsilon):
    v = rho * v + rest * (g * g)
    return w - rate * g / np.sqrt(v + epsilon), v


@_rule("rmsprop_momentum", "velocity momentum", "rho epsilon momentum", _rmsprop_constants)
def _rmsprop_momentum(w, g, v, m, rate, rho, rest, epsilon, momentum):
    v = rho * v + rest * (g * g)
    m = momentum * m + rate * g / np.sqrt(v + epsilon)
    return w - m, v, m


@_rule("rmsprop_centered", "velocity average_gradient", "rho epsilon", _rmsprop_constants)
def _rmsprop_centered(w, g, v, a, rate, rho, rest, epsilon):
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    return w - rate * g / np.sqrt(v - a * a + epsilon), v, a


@_rule(
    "rmsprop_centered_momentum",
    "velocity momentum average_gradient",
    "rho epsilon momentum",
    _rmsprop_constants,
)
def _rmsprop_centered_momentum(w, g, v, m, a, rate, rho, rest, epsilon, momentum):
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    m = momentum * m + rate * g / np.sqrt(v - a * a + epsilon)
    return w - m, v, m, a


def _adam_constants(learning_rate, step, beta_1, beta_2, epsilon):
    rate = learning_rate * np.sqrt(1.0 - beta_2**step) / (1.0 - beta_1**step)
    return rate, 1.0 - beta_1, 1.0 - beta_2, epsilon


@_rule("adam", "momentum velocity", "beta_1 beta_2 epsilon", _adam_constants)
def _adam(w, g, m, v, rate, rest_1, rest_2, epsilon):
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    return w - m * rate / (np.sqrt(v) + epsilon), m, v


@_rule("adam_amsgrad", "momentum velocity velocity_hat", "beta_1 beta_2 epsilon", _adam_constants)
def _adam_amsgrad(w, g, m, v, h, rate, rest_1, rest_2, epsilon):
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    h = np.maximum(h, v)
    return w - m * rate / (np.sqrt(h) + epsilon), m, v, h
