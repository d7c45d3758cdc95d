"""What is done to flat gradients, and to averages of weights, around an optimizer's step.

`segments` is the table of `optimizers`.
"""

import math

from ..table import CHUNK
from ._jit import inner, noalias, view
from ._parts import chunk_part, end_of_chunk, flat_part, piece


def unscale(T):
    """g /= divisor[0]; where divisor[1] is not 0 it is the exact reciprocal."""

    @inner
    def multiply(g, factor):
        noalias()
        for j in range(g.size):
            g[j] *= factor

    @inner
    def divide(g, divisor):
        noalias()
        for j in range(g.size):
            g[j] /= divisor

    def task(i, n, scratch, g, divisor):
        lo, hi = flat_part(i, n, g.size)
        if divisor[1] != 0.0:
            multiply(piece(g, lo, hi), T(divisor[1]))
        else:
            divide(piece(g, lo, hi), T(divisor[0]))
        return 0

    return task


def release(T):
    """g = (g + total) / steps; total = 0."""
    zero = T(0)

    @inner
    def part(g, total, steps):
        noalias()
        for j in range(g.size):
            g[j] = (g[j] + total[j]) / steps
            total[j] = zero

    def task(i, n, scratch, g, total, steps):
        lo, hi = flat_part(i, n, g.size)
        part(piece(g, lo, hi), piece(total, lo, hi), T(steps))
        return 0

    return task


def unscale_and_check(T):
    """As `unscale`; found[c] = how many numbers of chunk c were NaN or infinite before."""
    infinity = T(math.inf)

    @inner
    def multiply(g, factor):
        noalias()
        total = 0
        for j in range(g.size):
            total += 0 if abs(g[j]) < infinity else 1
            g[j] *= factor
        return total

    @inner
    def divide(g, divisor):
        noalias()
        total = 0
        for j in range(g.size):
            total += 0 if abs(g[j]) < infinity else 1
            g[j] /= divisor
        return total

    def task(i, n, scratch, g, divisor, found):
        a, b = chunk_part(i, n, g.size)
        while a < b:
            stop = end_of_chunk(a, b)
            if divisor[1] != 0.0:
                found[a // CHUNK] = multiply(piece(g, a, stop), T(divisor[1]))
            else:
                found[a // CHUNK] = divide(piece(g, a, stop), T(divisor[0]))
            a = stop
        return 0

    return task


def average_weights(T):
    """average = momentum[0] * average + (1 - momentum[0]) * weights."""
    at = view(T)

    @inner
    def part(w, average, momentum, rest):
        noalias()
        for j in range(w.size):
            average[j] = momentum * average[j] + rest * w[j]

    def task(i, n, scratch, segments, average, momentum):
        lo, hi = flat_part(i, n, average.size)
        kept, rest = T(momentum[0]), T(1.0 - momentum[0])
        for k in range(segments.shape[0]):
            start, size = segments[k, 1], segments[k, 2]
            a, b = max(lo, start), min(hi, start + size)
            if a < b:
                w = piece(at(segments[k, 0], size), a - start, b - start)
                part(w, piece(average, a, b), kept, rest)
        return 0

    return task
