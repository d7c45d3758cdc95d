"""Losses of differences between predictions and targets, one number per row, and their gradients.

As in `losses`: a task owns rows, ``p`` are predictions, ``t`` targets, ``g`` the gradient of each
row's loss. Where a number is limited, the gradient is a half at the limit itself.
"""

import numpy as np

from ._jit import inner, noalias
from ._parts import row, row_part
from .losses import elementwise
from .maths import make_log, make_softplus, make_tanh


def _huber(T):
    half = T(0.5)

    def value(p, t, delta):
        size = abs(p - t)
        return half * size * size if size <= delta else delta * size - half * delta * delta

    def slope(p, t, delta):
        gap = p - t
        gap = delta if gap > delta else gap
        return -delta if gap < -delta else gap

    return value, slope


def _log_cosh(T):
    two, ln2 = T(2), T(0.6931471805599453)
    softplus = make_softplus(T)

    def value(p, t):
        size = abs(p - t)
        return size + softplus(-two * size) - ln2

    tanh = make_tanh(T)
    return value, lambda p, t: tanh(p - t)


def _percentage_error(T):
    """In percent of the target, or of eps if that is larger."""
    zero, hundred = T(0), T(100)

    def value(p, t, eps):
        size = abs(t)
        size = eps if size < eps else size
        return hundred * abs((t - p) / size)

    def slope(p, t, eps):
        size = abs(t)
        size = eps if size < eps else size
        step = hundred / size
        return step if p > t else (-step if p < t else zero * (p - t))

    return value, slope


def _logarithmic_error(T):
    """Square of the difference of log(1 + x), of what is at least eps."""
    zero, half, one, two = T(0), T(0.5), T(1), T(2)
    log = make_log(T)

    def gap(p, t, eps):
        p = eps if p < eps else p
        t = eps if t < eps else t
        return log(p + one) - log(t + one)

    from_jit = inner(gap)

    def value(p, t, eps):
        d = from_jit(p, t, eps)
        return d * d

    def slope(p, t, eps):
        inside = one if p > eps else (half if p == eps else zero)
        q = eps if p < eps else p
        return two * inside * from_jit(p, t, eps) / (q + one)

    return value, slope


def _poisson(T):
    one = T(1)
    log = make_log(T)
    return lambda p, t, eps: p - t * log(p + eps), lambda p, t, eps: one - t / (p + eps)


def _divergence(T):
    """t log(t / p), of numbers limited to [eps, 1]."""
    zero, half, one = T(0), T(0.5), T(1)
    log = make_log(T)

    def value(p, t, eps):
        p = eps if p < eps else p
        p = one if p > one else p
        t = eps if t < eps else t
        t = one if t > one else t
        return t * log(t / p)

    def slope(p, t, eps):
        t = eps if t < eps else t
        t = one if t > one else t
        inside = one if eps < p < one else (zero if p < eps or p > one else half)
        q = eps if p < eps else p
        q = one if q > one else q
        return -inside * t / q

    return value, slope


huber, huber_grad = elementwise(_huber)
log_cosh, log_cosh_grad = elementwise(_log_cosh)
percentage_error, percentage_error_grad = elementwise(_percentage_error)
logarithmic_error, logarithmic_error_grad = elementwise(_logarithmic_error)
poisson, poisson_grad = elementwise(_poisson)
divergence, divergence_grad = elementwise(_divergence, summed=True)


def make_products(T):
    """Compiled function (p, t) -> sums of p p, t t and p t."""
    zero = T(0)

    @inner
    def products(p, t):
        noalias()
        pp, tt, pt = zero, zero, zero
        for j in range(p.size):
            pp += p[j] * p[j]
            tt += t[j] * t[j]
            pt += p[j] * t[j]
        return pp, tt, pt

    return products


def cosine(T):
    """loss = -p t / (|p| |t|), with lengths of at least eps."""
    products = make_products(T)

    def task(i, n, scratch, p, t, eps, loss):
        lo, hi = row_part(i, n, p.shape[0])
        least = T(eps * eps)
        for r in range(lo, hi):
            pp, tt, pt = products(row(p, r), row(t, r))
            loss[r] = -pt / (np.sqrt(max(pp, least)) * np.sqrt(max(tt, least)))
        return 0

    return task


def cosine_grad(T):
    zero = T(0)
    products = make_products(T)

    @inner
    def part(p, t, of_t, of_p, dp):
        noalias()
        for j in range(p.size):
            dp[j] = of_p * p[j] - of_t * t[j]

    def task(i, n, scratch, g, p, t, eps, dp):
        lo, hi = row_part(i, n, p.shape[0])
        least = T(eps * eps)
        for r in range(lo, hi):
            pp, tt, pt = products(row(p, r), row(t, r))
            inverse = g[r] / (np.sqrt(max(pp, least)) * np.sqrt(max(tt, least)))
            part(
                row(p, r), row(t, r), inverse, inverse * pt / pp if pp > least else zero, row(dp, r)
            )
        return 0

    return task
