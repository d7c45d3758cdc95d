"""Twins of the elementwise kernels: one formula per function, one for its gradient."""

import math
from collections.abc import Callable

import numpy as np

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_GELU = math.sqrt(2 / math.pi)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _softplus(x):
    return np.logaddexp(x, 0).astype(x.dtype)


def _math(function: Callable) -> Callable:
    """A function of one Python number, for arrays; the result has the array's float type."""

    def of_array(x):
        return np.array([function(v) for v in x.ravel().tolist()], x.dtype).reshape(x.shape)

    return of_array


_erf, _erfc = _math(math.erf), _math(math.erfc)


def _cdf(x):
    return _erfc(x * -math.sqrt(0.5)) / 2


def _clipped_relu(x, slope, top, threshold):
    return np.where(x <= threshold, slope * (x - threshold), np.minimum(x, top))


def _clipped_relu_grad(g, x, y, slope, top, threshold):
    return np.where(x <= threshold, slope * g, np.where(x < top, g, 0))


def _silu_grad(g, x, y):
    s = _sigmoid(x)
    return g * s * (1 + x * (1 - s))


def _mish_grad(g, x, y):
    t = np.tanh(_softplus(x))
    return g * (t + x * (1 - t * t) * _sigmoid(x))


def _gelu_grad(g, x, y):
    return g * (_cdf(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi))


def _gelu_tanh(x):
    return x / 2 * (1 + np.tanh(_GELU * (x + 0.044715 * x**3)))


def _gelu_tanh_grad(g, x, y):
    t = np.tanh(_GELU * (x + 0.044715 * x**3))
    return g * ((1 + t) / 2 + x / 2 * (1 - t * t) * _GELU * (1 + 3 * 0.044715 * x * x))


def _between(x, low, high, below, middle, above):
    return np.where(x <= low, below, np.where(x >= high, above, middle))


def _threshold(x, threshold, value):
    return np.where(x <= threshold, value, x)


# name: (function of x and parameters, gradient of g, x, y and parameters)
_FORMULAS: dict[str, tuple[Callable, Callable]] = {
    "relu": (lambda x: np.maximum(x, 0), lambda g, x, y: np.where(y > 0, g, 0)),
    "leaky_relu": (
        lambda x, slope: np.where(x < 0, slope * x, x),
        lambda g, x, y, slope: np.where(x < 0, slope * g, g),
    ),
    "clipped_relu": (_clipped_relu, _clipped_relu_grad),
    "relu6": (
        lambda x: np.clip(x, 0, 6),
        lambda g, x, y: np.where((x > 0) & (x < 6), g, 0),
    ),
    "elu": (
        lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)),
        lambda g, x, y, alpha: np.where(x > 0, g, g * alpha * np.exp(x)),
    ),
    "celu": (
        lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
        lambda g, x, y, alpha: np.where(x > 0, g, g * np.exp(x / alpha)),
    ),
    "selu": (
        lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(x)),
        lambda g, x, y: _SELU_SCALE * np.where(x > 0, g, g * _SELU_ALPHA * np.exp(x)),
    ),
    "sigmoid": (_sigmoid, lambda g, x, y: g * y * (1 - y)),
    "tanh": (np.tanh, lambda g, x, y: g * (1 - y * y)),
    "tanh_shrink": (lambda x: x - np.tanh(x), lambda g, x, y: g * np.tanh(x) ** 2),
    "softplus": (_softplus, lambda g, x, y: g * _sigmoid(x)),
    "log_sigmoid": (lambda x: -_softplus(-x), lambda g, x, y: g * _sigmoid(-x)),
    "silu": (lambda x: x * _sigmoid(x), _silu_grad),
    "mish": (lambda x: x * np.tanh(_softplus(x)), _mish_grad),
    "gelu": (lambda x: x * _cdf(x), _gelu_grad),
    "gelu_tanh": (_gelu_tanh, _gelu_tanh_grad),
    "hard_sigmoid": (
        lambda x: np.clip(x + 3, 0, 6) / 6,
        lambda g, x, y: np.where(abs(x) < 3, g / 6, 0),
    ),
    "hard_silu": (
        lambda x: _between(x, -3, 3, 0, x * (x + 3) / 6, x),
        lambda g, x, y: _between(x, -3, 3, 0, g * (2 * x + 3) / 6, g),
    ),
    "hard_tanh": (lambda x: np.clip(x, -1, 1), lambda g, x, y: np.where(abs(x) <= 1, g, 0)),
    "softsign": (lambda x: x / (1 + abs(x)), lambda g, x, y: g / (1 + abs(x)) ** 2),
    "soft_shrink": (
        lambda x, threshold: np.where(abs(x) <= threshold, 0, x - np.sign(x) * threshold),
        lambda g, x, y, threshold: np.where(abs(x) > threshold, g, 0),
    ),
    "hard_shrink": (
        lambda x, threshold: np.where(abs(x) <= threshold, 0, x),
        lambda g, x, y, threshold: np.where(abs(x) > threshold, g, 0),
    ),
    "threshold": (
        _threshold,
        lambda g, x, y, threshold, value: np.where(x > threshold, g, 0),
    ),
    "squareplus": (
        lambda x, b: (x + np.sqrt(x * x + b)) / 2,
        lambda g, x, y, b: g * (1 + x / np.sqrt(x * x + b)) / 2,
    ),
    "sparse_plus": (
        lambda x: _between(x, -1, 1, 0, (x + 1) ** 2 / 4, x),
        lambda g, x, y: _between(x, -1, 1, 0, g * (x + 1) / 2, g),
    ),
    "sparse_sigmoid": (
        lambda x: _between(x, -1, 1, 0, (x + 1) / 2, 1),
        lambda g, x, y: np.where(abs(x) < 1, g / 2, 0),
    ),
    "exp": (np.exp, lambda g, x, y: g * y),
    "log": (np.log, lambda g, x, y: g / x),
    "erf": (_erf, lambda g, x, y: g * 2 / math.sqrt(math.pi) * np.exp(-x * x)),
    "square": (np.square, lambda g, x, y: 2 * g * x),
    "sqrt": (np.sqrt, lambda g, x, y: g / (2 * y)),
    "absolute": (np.abs, lambda g, x, y: g * np.sign(x)),
}


def _twin(formula: Callable) -> Callable:
    def twin(*arguments):
        arguments[-1][...] = formula(*arguments[:-1])

    return twin


for _name, (_function, _gradient) in _FORMULAS.items():
    globals()[_name] = _twin(_function)
    globals()[f"{_name}_grad"] = _twin(_gradient)

add = _twin(np.add)
subtract = _twin(np.subtract)
multiply = _twin(np.multiply)
divide = _twin(np.divide)
maximum = _twin(np.maximum)
minimum = _twin(np.minimum)
scale = _twin(lambda x, a: a * x)


def accumulate(x, y):
    y += x


def add_scaled(x, a, y):
    y += a * x
