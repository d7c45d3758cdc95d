"""Elementwise kernels: a task owns one contiguous part of the arrays.

An output may be the same array as an input. An activation function is one decorated formula: from
the float type T it makes the function of a number (and of the parameters), and the pull of a
gradient g from the number x and the result y. The decorator makes two kernels of it, ``name`` and
``name_grad``.
"""

import math
from collections.abc import Callable

from ._jit import exact, inner, noalias
from ._parts import flat_part, piece
from .maths import (
    make_cast,
    make_erf,
    make_exp,
    make_expm1,
    make_log,
    make_normal_cdf,
    make_sigmoid,
    make_softplus,
    make_tanh,
)


def _forward_task(T, function):
    cast = make_cast(T)

    @inner
    def part(x, y, p):
        noalias()
        for j in range(x.size):
            y[j] = function(x[j], *p)

    def task(i, n, scratch, x, *rest):
        lo, hi = flat_part(i, n, x.size)
        part(piece(x, lo, hi), piece(rest[-1], lo, hi), cast(rest[:-1]))
        return 0

    return task


def _gradient_task(T, pull):
    cast = make_cast(T)

    @inner
    def part(g, x, y, dx, p):
        noalias()
        for j in range(g.size):
            dx[j] = pull(g[j], x[j], y[j], *p)

    def task(i, n, scratch, g, x, y, *rest):
        lo, hi = flat_part(i, n, g.size)
        part(
            piece(g, lo, hi),
            piece(x, lo, hi),
            piece(y, lo, hi),
            piece(rest[-1], lo, hi),
            cast(rest[:-1]),
        )
        return 0

    return task


def _activation(formula: Callable) -> Callable:
    """Kernel factory from a formula; registers the gradient's factory beside it."""

    def forward(T):
        function, _ = formula(T)
        return _forward_task(T, exact(function))

    def gradient(T):
        _, pull = formula(T)
        return _gradient_task(T, exact(pull))

    globals()[f"{formula.__name__}_grad"] = gradient
    return forward


# ---- activation functions


@_activation
def relu(T):
    zero = T(0)
    return (
        lambda x: zero if x <= zero else x,  # keeps NaN
        lambda g, x, y: g if y > zero else zero,
    )


@_activation
def leaky_relu(T):
    zero = T(0)
    return (
        lambda x, slope: slope * x if x < zero else x,
        lambda g, x, y, slope: slope * g if x < zero else g,
    )


@_activation
def clipped_relu(T):
    """Slope up to the threshold, identity above it, constant above `top`."""
    zero = T(0)

    def forward(x, slope, top, threshold):
        low = slope * (x - threshold)
        return low if x <= threshold else (top if x > top else x)

    def pull(g, x, y, slope, top, threshold):
        return slope * g if x <= threshold else (g if x < top else zero)

    return forward, pull


@_activation
def relu6(T):
    zero, six = T(0), T(6)
    return (
        lambda x: zero if x <= zero else (six if x > six else x),
        lambda g, x, y: g if zero < x < six else zero,
    )


@_activation
def elu(T):
    zero, expm1 = T(0), make_expm1(T)
    return (
        lambda x, alpha: x if x > zero else alpha * expm1(x),
        lambda g, x, y, alpha: g if x > zero else g * (y + alpha),
    )


@_activation
def celu(T):
    zero, exp, expm1 = T(0), make_exp(T), make_expm1(T)
    return (
        lambda x, alpha: x if x > zero else alpha * expm1(x / alpha),
        lambda g, x, y, alpha: g if x > zero else g * exp(x / alpha),
    )


@_activation
def selu(T):
    """Scaled elu whose fixed point keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    zero, expm1 = T(0), make_expm1(T)
    scale = T(1.0507009873554805)
    limit = T(1.0507009873554805 * 1.6732632423543772)
    return (
        lambda x: scale * x if x > zero else limit * expm1(x),
        lambda g, x, y: g * scale if x > zero else g * (y + limit),
    )


@_activation
def sigmoid(T):
    one = T(1)
    value = make_sigmoid(T)
    return lambda x: value(x), lambda g, x, y: g * (y * (one - y))


@_activation
def tanh(T):
    one = T(1)
    value = make_tanh(T)
    return lambda x: value(x), lambda g, x, y: g * (one - y * y)


@_activation
def tanh_shrink(T):
    tanh = make_tanh(T)
    return lambda x: x - tanh(x), lambda g, x, y: g * ((x - y) * (x - y))


@_activation
def softplus(T):
    value, sigmoid = make_softplus(T), make_sigmoid(T)
    return lambda x: value(x), lambda g, x, y: g * sigmoid(x)


@_activation
def log_sigmoid(T):
    softplus, sigmoid = make_softplus(T), make_sigmoid(T)
    return lambda x: -softplus(-x), lambda g, x, y: g * sigmoid(-x)


@_activation
def silu(T):
    one, sigmoid = T(1), make_sigmoid(T)

    def pull(g, x, y):
        s = sigmoid(x)
        return g * (s * (one + x * (one - s)))

    return lambda x: x * sigmoid(x), pull


@_activation
def mish(T):
    """x * tanh(softplus(x)); with n = e (e + 2), e = exp(x), that tanh is n / (n + 2)."""
    one, two, far = T(1), T(2), T(20)
    exp, sigmoid = make_exp(T), make_sigmoid(T)

    def share(x):
        e = exp(far if x > far else x)
        return e * (e + two)

    share = exact(share)

    def forward(x):
        n = share(x)
        return x * (n / (n + two))

    def pull(g, x, y):
        n = share(x)
        t = n / (n + two)
        return g * (t + x * (one + t) * (two / (n + two)) * sigmoid(x))

    return forward, pull


@_activation
def gelu(T):
    half, root = T(-0.5), T(1 / math.sqrt(2 * math.pi))
    cdf, exp = make_normal_cdf(T), make_exp(T)
    return (
        lambda x: x * cdf(x),
        lambda g, x, y: g * (cdf(x) + x * root * exp(half * x * x)),
    )


@_activation
def gelu_tanh(T):
    """The tanh approximation of gelu, written with (1 + tanh(u)) / 2 = sigmoid(2 u)."""
    one, three = T(1), T(3 * 0.044715)
    slope, cubic = T(2 * math.sqrt(2 / math.pi)), T(0.044715)
    sigmoid = make_sigmoid(T)

    def pull(g, x, y):
        s = sigmoid(slope * x * (one + cubic * x * x))
        return g * (s + x * s * (one - s) * slope * (one + three * x * x))

    return lambda x: x * sigmoid(slope * x * (one + cubic * x * x)), pull


@_activation
def hard_sigmoid(T):
    zero, one, three, sixth = T(0), T(1), T(3), T(1 / 6)

    def forward(x):
        y = (x + three) * sixth
        return zero if x <= -three else (one if x >= three else y)

    return forward, lambda g, x, y: g * sixth if -three < x < three else zero


@_activation
def hard_silu(T):
    zero, half, three, third, sixth = T(0), T(0.5), T(3), T(1 / 3), T(1 / 6)

    def forward(x):
        y = x * (x + three) * sixth
        return zero if x <= -three else (x if x >= three else y)

    def pull(g, x, y):
        middle = g * (x * third + half)
        return zero if x <= -three else (g if x >= three else middle)

    return forward, pull


@_activation
def hard_tanh(T):
    zero, one = T(0), T(1)
    return (
        lambda x: -one if x < -one else (one if x > one else x),
        lambda g, x, y: g if abs(x) <= one else zero,
    )


@_activation
def softsign(T):
    one = T(1)
    return (
        lambda x: x / (one + abs(x)),
        lambda g, x, y: g / ((one + abs(x)) * (one + abs(x))),
    )


@_activation
def soft_shrink(T):
    zero = T(0)

    def forward(x, threshold):
        moved = x - threshold if x > zero else x + threshold
        return zero if abs(x) <= threshold else moved

    return forward, lambda g, x, y, threshold: g if abs(x) > threshold else zero


@_activation
def hard_shrink(T):
    zero = T(0)
    return (
        lambda x, threshold: zero if abs(x) <= threshold else x,
        lambda g, x, y, threshold: g if abs(x) > threshold else zero,
    )


@_activation
def threshold(T):
    zero = T(0)
    return (
        lambda x, threshold, value: value if x <= threshold else x,
        lambda g, x, y, threshold, value: g if x > threshold else zero,
    )


@_activation
def squareplus(T):
    half, one = T(0.5), T(1)
    return (
        lambda x, b: half * (x + math.sqrt(x * x + b)),
        lambda g, x, y, b: g * (half * (one + x / math.sqrt(x * x + b))),
    )


@_activation
def sparse_plus(T):
    zero, quarter, half, one = T(0), T(0.25), T(0.5), T(1)

    def forward(x):
        middle = quarter * (x + one) * (x + one)
        return zero if x <= -one else (x if x >= one else middle)

    def pull(g, x, y):
        middle = g * (half * (x + one))
        return zero if x <= -one else (g if x >= one else middle)

    return forward, pull


@_activation
def sparse_sigmoid(T):
    zero, half, one = T(0), T(0.5), T(1)

    def forward(x):
        middle = half * (x + one)
        return zero if x <= -one else (one if x >= one else middle)

    return forward, lambda g, x, y: g * half if abs(x) < one else zero


# ---- elementary functions


@_activation
def exp(T):
    value = make_exp(T)
    return lambda x: value(x), lambda g, x, y: g * y


@_activation
def log(T):
    value = make_log(T)
    return lambda x: value(x), lambda g, x, y: g / x


@_activation
def erf(T):
    slope = T(2 / math.sqrt(math.pi))
    value, exp = make_erf(T), make_exp(T)
    return lambda x: value(x), lambda g, x, y: g * (slope * exp(-x * x))


@_activation
def square(T):
    two = T(2)
    return lambda x: x * x, lambda g, x, y: two * g * x


@_activation
def sqrt(T):
    half = T(0.5)
    return lambda x: math.sqrt(x), lambda g, x, y: half * g / y


@_activation
def absolute(T):
    zero = T(0)
    return lambda x: abs(x), lambda g, x, y: g if x > zero else (-g if x < zero else zero)


# ---- two arrays


def _binary(formula: Callable) -> Callable:
    """Kernel factory from a formula of two numbers."""

    def factory(T):
        function = exact(formula(T))

        @inner
        def part(x, y, z):
            noalias()
            for j in range(x.size):
                z[j] = function(x[j], y[j])

        def task(i, n, scratch, x, y, z):
            lo, hi = flat_part(i, n, x.size)
            part(piece(x, lo, hi), piece(y, lo, hi), piece(z, lo, hi))
            return 0

        return task

    return factory


add = _binary(lambda T: lambda x, y: x + y)
subtract = _binary(lambda T: lambda x, y: x - y)
multiply = _binary(lambda T: lambda x, y: x * y)
divide = _binary(lambda T: lambda x, y: x / y)
maximum = _binary(lambda T: lambda x, y: x if x >= y or x != x else y)
minimum = _binary(lambda T: lambda x, y: x if x <= y or x != x else y)


def scale(T):
    """z = a x."""

    @inner
    def part(x, a, z):
        noalias()
        for j in range(x.size):
            z[j] = a * x[j]

    def task(i, n, scratch, x, a, z):
        lo, hi = flat_part(i, n, x.size)
        part(piece(x, lo, hi), T(a), piece(z, lo, hi))
        return 0

    return task


def accumulate(T):
    """y += x."""

    @inner
    def part(x, y):
        noalias()
        for j in range(x.size):
            y[j] += x[j]

    def task(i, n, scratch, x, y):
        lo, hi = flat_part(i, n, x.size)
        part(piece(x, lo, hi), piece(y, lo, hi))
        return 0

    return task


def add_scaled(T):
    """y += a x."""

    @inner
    def part(x, a, y):
        noalias()
        for j in range(x.size):
            y[j] += a * x[j]

    def task(i, n, scratch, x, a, y):
        lo, hi = flat_part(i, n, x.size)
        part(piece(x, lo, hi), T(a), piece(y, lo, hi))
        return 0

    return task
