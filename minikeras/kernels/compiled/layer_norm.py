"""Normalisation of rows, each by its own mean and variance (or mean square): a task owns rows.

Sums over a row are taken in parts of `PART` numbers, which are added up in float64. Sums over rows
go by chunks of `ROWS` rows, each with a place of its own for its sums; `column_sum` adds them up.
"""

import math

from numba import types

from ..table import ROWS
from ._jit import inner, noalias
from ._parts import row, row_part

PART = 2048


def make_row_sum(T):
    """Compiled function (x) -> sum of a row, in float64."""
    zero = T(0)

    @inner
    def row_sum(x):
        total = 0.0
        for a in range(0, x.size, PART):
            part = zero
            for j in range(a, min(x.size, a + PART)):
                part += x[j]
            total += types.float64(part)
        return total

    return row_sum


def make_row_squares(T):
    """Compiled function (x, mean) -> a row's squared distances from it, summed in float64."""
    zero = T(0)

    @inner
    def row_squares(x, mean):
        total = 0.0
        for a in range(0, x.size, PART):
            part = zero
            for j in range(a, min(x.size, a + PART)):
                d = x[j] - mean
                part += d * d
            total += types.float64(part)
        return total

    return row_squares


@inner
def affine(x, mean, factor, gamma, beta, y):
    noalias()
    if gamma.size > 0 and beta.size > 0:
        for j in range(x.size):
            y[j] = (x[j] - mean) * factor * gamma[j] + beta[j]
    elif gamma.size > 0:
        for j in range(x.size):
            y[j] = (x[j] - mean) * factor * gamma[j]
    elif beta.size > 0:
        for j in range(x.size):
            y[j] = (x[j] - mean) * factor + beta[j]
    else:
        for j in range(x.size):
            y[j] = (x[j] - mean) * factor


def layer_norm(T):
    """y = gamma (x - mean) factor + beta, factor = 1 / sqrt(mean of (x - mean)^2 + eps), per row.

    centred 0: 0 stands for the mean. gamma, beta of size 0: 1, 0.
    """
    zero = T(0)
    row_sum, row_squares = make_row_sum(T), make_row_squares(T)

    def task(i, n, scratch, x, gamma, beta, eps, centred, y, mean, factor):
        lo, hi = row_part(i, n, x.shape[0])
        width = types.float64(x.shape[1])
        for r in range(lo, hi):
            numbers = row(x, r)
            m = T(row_sum(numbers) / width) if centred > 0 else zero
            f = T(1.0 / math.sqrt(row_squares(numbers, m) / width + eps))
            affine(numbers, m, f, gamma, beta, row(y, r))
            mean[r], factor[r] = m, f
        return 0

    return task


@inner
def pull(g, x, mean, factor, gamma, shift, slope, dx):
    noalias()
    if gamma.size > 0:
        for j in range(g.size):
            normal = (x[j] - mean) * factor
            dx[j] = factor * ((g[j] * gamma[j] - shift) - normal * slope)
    else:
        for j in range(g.size):
            normal = (x[j] - mean) * factor
            dx[j] = factor * ((g[j] - shift) - normal * slope)


@inner
def add_products(g, x, mean, factor, sums):
    noalias()
    for j in range(g.size):
        sums[j] += g[j] * ((x[j] - mean) * factor)


@inner
def add_row(g, sums):
    noalias()
    for j in range(g.size):
        sums[j] += g[j]


def make_row_products(T):
    """Compiled function of a row: sums of g gamma, and of g gamma times the normalised number."""
    zero = T(0)

    @inner
    def row_sums(g, x, mean, factor, gamma):
        noalias()
        total, product = 0.0, 0.0
        for a in range(0, g.size, PART):
            s, p = zero, zero
            stop = min(g.size, a + PART)
            if gamma.size > 0:
                for j in range(a, stop):
                    v = g[j] * gamma[j]
                    s += v
                    p += v * ((x[j] - mean) * factor)
            else:
                for j in range(a, stop):
                    s += g[j]
                    p += g[j] * ((x[j] - mean) * factor)
            total += types.float64(s)
            product += types.float64(p)
        return total, product

    return row_sums


def layer_norm_grad(T):
    """dx, and for each chunk of ROWS rows the sums for dgamma and dbeta (size 0: not wanted)."""
    zero, row_sums = T(0), make_row_products(T)

    def task(i, n, scratch, g, x, mean, factor, gamma, centred, dx, of_gamma, of_beta):
        rows = g.shape[0]
        width = types.float64(g.shape[1])
        lo, hi = row_part(i, n, (rows + ROWS - 1) // ROWS)
        for k in range(lo, hi):
            if of_gamma.size > 0:
                row(of_gamma, k)[:] = zero
            if of_beta.size > 0:
                row(of_beta, k)[:] = zero
            for r in range(k * ROWS, min(rows, (k + 1) * ROWS)):
                m, f, given, numbers = mean[r], factor[r], row(g, r), row(x, r)
                total, product = row_sums(given, numbers, m, f, gamma)
                shift = T(total / width) if centred > 0 else zero
                pull(given, numbers, m, f, gamma, shift, T(product / width), row(dx, r))
                if of_gamma.size > 0:
                    add_products(given, numbers, m, f, row(of_gamma, k))
                if of_beta.size > 0:
                    add_row(given, row(of_beta, k))
        return 0

    return task
