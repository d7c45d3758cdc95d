"""Update rules of optimizers, each written once: numpy runs them as they stand, Numba compiles
them.

A rule changes a weight ``w`` by its gradient ``g`` and the numbers kept for it, its slots. What
does not depend on the weight is computed once per step by `constants`, in float64; the step
itself uses constants and numpy functions only, so it means the same for a number and for an
array. `power` is the one function of this file that the compiled form replaces.
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

BLOCK_OF_ROWS = 64  # rows of a table that are looked at together, where only some are updated

RULES: dict[str, Rule] = {}


def _rule(name: str, slots: str, numbers: str, constants: Callable) -> Callable:
    """Register the decorated function as the step of a rule."""

    def register(step: Callable) -> Callable:
        RULES[name] = Rule(tuple(slots.split()), tuple(numbers.split()), constants, step)
        return step

    return register


def power(a, exponent, of_zero):
    """a ** exponent for a >= 0, where 0 ** exponent is `of_zero`."""
    return np.power(a, exponent)


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


def _muon_adam_constants(learning_rate, step, beta_1, beta_2, epsilon, ratio):
    rate = ratio * learning_rate * np.sqrt(1.0 - beta_2**step) / (1.0 - beta_1**step)
    return rate, 1.0 - beta_1, 1.0 - beta_2, epsilon


# Adam at a rate of its own, for the variables that Muon does not treat
_rule("muon_adam", "momentum velocity", "beta_1 beta_2 epsilon ratio", _muon_adam_constants)(_adam)


def _adamax_constants(learning_rate, step, beta_1, beta_2, epsilon):
    return learning_rate / (1.0 - beta_1**step), 1.0 - beta_1, beta_2, epsilon


@_rule("adamax", "momentum norm", "beta_1 beta_2 epsilon", _adamax_constants)
def _adamax(w, g, m, u, rate, rest_1, beta_2, epsilon):
    m = m + (g - m) * rest_1
    u = np.maximum(u * beta_2, np.abs(g))
    return w - m * rate / (u + epsilon), m, u


def _nadam_constants(learning_rate, step, beta_1, beta_2, epsilon, product):
    # `product` is that of the scheduled momenta up to and including this step
    now = beta_1 * (1.0 - 0.5 * 0.96**step)
    later = beta_1 * (1.0 - 0.5 * 0.96 ** (step + 1.0))
    of_momentum = learning_rate * later / (1.0 - product * later)
    of_gradient = learning_rate * (1.0 - now) / (1.0 - product)
    scale = 1.0 / np.sqrt(1.0 - beta_2**step)
    return of_momentum, of_gradient, scale, 1.0 - beta_1, 1.0 - beta_2, epsilon


@_rule("nadam", "momentum velocity", "beta_1 beta_2 epsilon product", _nadam_constants)
def _nadam(w, g, m, v, of_momentum, of_gradient, scale, rest_1, rest_2, epsilon):
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    return w - (m * of_momentum + g * of_gradient) / (np.sqrt(v) * scale + epsilon), m, v


def _adadelta_constants(learning_rate, step, rho, epsilon):
    return learning_rate, rho, 1.0 - rho, epsilon


@_rule("adadelta", "accumulated_grad accumulated_delta_var", "rho epsilon", _adadelta_constants)
def _adadelta(w, g, a, d, rate, rho, rest, epsilon):
    a = rho * a + rest * (g * g)
    step = np.sqrt((d + epsilon) / (a + epsilon)) * g
    d = rho * d + rest * (step * step)
    return w - rate * step, a, d


def _lion_constants(learning_rate, step, beta_1, beta_2):
    return learning_rate, beta_1, 1.0 - beta_1, beta_2, 1.0 - beta_2


@_rule("lion", "momentum", "beta_1 beta_2", _lion_constants)
def _lion(w, g, m, rate, beta_1, rest_1, beta_2, rest_2):
    return w - rate * np.sign(m * beta_1 + g * rest_1), m * beta_2 + g * rest_2


def _ftrl_constants(learning_rate, step, l1, l2, shrinkage, beta):
    quadratic = 2.0 * (l2 + beta / (2.0 * learning_rate))
    return 1.0 / learning_rate, l1, quadratic, 2.0 * shrinkage


@_rule("ftrl", "accumulator linear", "l1 l2 shrinkage beta", _ftrl_constants)
def _ftrl(w, g, a, z, inverse, l1, quadratic, shrinkage):
    new = a + g * g
    root = np.sqrt(new)
    z = z + (g + shrinkage * w - (root - np.sqrt(a)) * inverse * w)
    kept = np.minimum(np.maximum(z, -l1), l1)
    return (kept - z) / (root * inverse + quadratic), new, z


def _ftrl_power_constants(learning_rate, step, l1, l2, shrinkage, beta, exponent):
    quadratic = 2.0 * (l2 + beta / (2.0 * learning_rate))
    of_zero = 1.0 if exponent == 0.0 else 0.0
    return 1.0 / learning_rate, l1, quadratic, 2.0 * shrinkage, exponent, of_zero


@_rule("ftrl_power", "accumulator linear", "l1 l2 shrinkage beta exponent", _ftrl_power_constants)
def _ftrl_power(w, g, a, z, inverse, l1, quadratic, shrinkage, exponent, of_zero):
    new = a + g * g
    root = power(new, exponent, of_zero)
    z = z + (g + shrinkage * w - (root - power(a, exponent, of_zero)) * inverse * w)
    kept = np.minimum(np.maximum(z, -l1), l1)
    return (kept - z) / (root * inverse + quadratic), new, z


def _schedule_free_constants(learning_rate, step, beta_1, beta_2, epsilon, warmup):
    rise = min(step / warmup, 1.0) if warmup > 0.0 else 1.0
    scale = 1.0 / np.sqrt(1.0 - beta_2**step)
    shares = beta_1, 1.0 - beta_1, 1.0 / step, 1.0 - 1.0 / step
    return learning_rate * rise, 1.0 - beta_2, scale, epsilon, *shares


@_rule(
    "schedule_free_adamw",
    "momentum velocity",
    "beta_1 beta_2 epsilon warmup_steps",
    _schedule_free_constants,
)
def _schedule_free_adamw(w, g, z, v, rate, rest_2, scale, epsilon, beta_1, rest_1, share, kept):
    v = v + (g * g - v) * rest_2
    x = (w - rest_1 * z) / beta_1
    z = z - rate * g / (np.sqrt(v) * scale + epsilon)
    x = kept * x + share * z
    return rest_1 * z + beta_1 * x, z, v
