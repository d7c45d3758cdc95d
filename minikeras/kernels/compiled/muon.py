"""Muon: momentum whose matrices are made nearly orthogonal by Newton-Schulz steps.

The products of matrices between these passes are `gemm`'s. `hyper` holds `formulas.COMMON`,
momentum, nesterov (0 or 1) and the three coefficients of the polynomial.
"""

import math

from numba import types

from ..table import CHUNK
from ._jit import inner, noalias
from ._parts import chunk_part, end_of_chunk, flat_part, piece, row, row_part

TINY = 1e-7


def muon_momentum(T):
    """momentum = momentum * m + g; g = what is made orthogonal; sums = its squares by chunk."""
    zero = T(0)

    @inner
    def part(g, m, kept, ahead):
        noalias()
        total = zero
        for j in range(g.size):
            new = m[j] * kept + g[j]
            m[j] = new
            g[j] = g[j] + kept * new if ahead else new
            total += g[j] * g[j]
        return types.float64(total)

    def task(i, n, scratch, g, momentum, sums, hyper):
        kept, ahead = T(hyper[3]), hyper[4] != 0.0
        a, b = chunk_part(i, n, g.size)
        while a < b:
            stop = end_of_chunk(a, b)
            sums[a // CHUNK] = part(piece(g, a, stop), piece(momentum, a, stop), kept, ahead)
            a = stop
        return 0

    return task


def muon_normalise(T):
    """x = g / (norm of g + 1e-7), the square of the norm being the sum of `sums`."""

    @inner
    def part(g, x, factor):
        noalias()
        for j in range(g.size):
            x[j] = g[j] * factor

    def task(i, n, scratch, g, sums, x):
        total = 0.0
        for k in range(sums.size):
            total += sums[k]
        lo, hi = flat_part(i, n, g.size)
        part(piece(g, lo, hi), piece(x, lo, hi), T(1.0 / (math.sqrt(total) + TINY)))
        return 0

    return task


def muon_polynomial(T):
    """q = a I + b x + c y, with the coefficients of `hyper`; y is the square of x."""

    @inner
    def part(x, y, q, b, c):
        noalias()
        for j in range(x.size):
            q[j] = b * x[j] + c * y[j]

    def task(i, n, scratch, x, y, q, hyper):
        lo, hi = row_part(i, n, x.shape[0])
        for k in range(lo, hi):
            part(row(x, k), row(y, k), row(q, k), T(hyper[6]), T(hyper[7]))
            q[k, k] += T(hyper[5])
        return 0

    return task


def muon_step(T):
    """w -= rate * scale * x, after weight decay if `decays`."""

    @inner
    def part(w, x, share, rate):
        noalias()
        for j in range(w.size):
            w[j] = w[j] - w[j] * share - rate * x[j]

    def task(i, n, scratch, w, x, decays, scale, hyper):
        lo, hi = flat_part(i, n, w.size)
        share, rate = T(hyper[0] * hyper[1] * decays), T(hyper[0] * scale)
        part(piece(w, lo, hi), piece(x, lo, hi), share, rate)
        return 0

    return task
