"""Clipping of a flat gradient in place: a task owns a contiguous part.

`segments` says which part of the vector belongs to which variable, as in `optimizers`. Norms are
taken chunk by chunk: `sums` has a place for each chunk of each segment, ``chunk + segment``, and
zeros in the places that none uses. A factor is limit / max(norm, limit), as in Keras; a norm that
is NaN makes NaN of what it scales.
"""

import math

from numba import types

from ..table import CHUNK
from ._jit import exact, inner, noalias
from ._parts import chunk_part, end_of_chunk, flat_part, piece, sum_of_segment


def clip_value(T):
    """Each entry limited to [-limit, limit]; NaN stays."""

    @inner
    def part(g, limit):
        noalias()
        for j in range(g.size):
            v = g[j]
            g[j] = limit if v > limit else (-limit if v < -limit else v)

    def task(i, n, scratch, g, limit):
        lo, hi = flat_part(i, n, g.size)
        part(piece(g, lo, hi), T(limit))
        return 0

    return task


def chunk_squares(T):
    """Sums of the squares of each chunk of each segment, in float64."""

    @inner
    def squares(x):
        total = 0.0
        for j in range(x.size):
            v = types.float64(x[j])
            total += v * v
        return total

    def task(i, n, scratch, g, segments, sums):
        lo, hi = chunk_part(i, n, g.size)
        for k in range(segments.shape[0]):
            start = segments[k, 1]
            a, b = max(lo, start), min(hi, start + segments[k, 2])
            while a < b:
                stop = end_of_chunk(a, b)
                sums[a // CHUNK + k] = squares(piece(g, a, stop))
                a = stop
        return 0

    return task


@inner
def _scale(g, factor):
    noalias()
    for j in range(g.size):
        g[j] *= factor


@exact
def _factor(square, limit):
    norm = math.sqrt(square)
    return 1.0 if norm <= limit else limit / norm


def clip_norms(T):
    """Each segment scaled to a norm of at most `limit`; `sums` as from `chunk_squares`."""

    def task(i, n, scratch, g, segments, sums, limit):
        lo, hi = flat_part(i, n, g.size)
        for k in range(segments.shape[0]):
            start, size = segments[k, 1], segments[k, 2]
            a, b = max(lo, start), min(hi, start + size)
            if a < b:
                factor = _factor(sum_of_segment(sums, start, size, k), limit)
                if factor != 1.0:
                    _scale(piece(g, a, b), T(factor))
        return 0

    return task


def clip_global_norm(T):
    """All segments scaled so that the root of the sum of `sums` is at most `limit`.

    `sums` may be those of several vectors. An infinite norm makes everything NaN.
    """

    def task(i, n, scratch, g, segments, sums, limit):
        lo, hi = flat_part(i, n, g.size)
        total = 0.0
        for s in range(sums.size):
            total += sums[s]
        factor = _factor(total, limit) if total < math.inf else math.nan
        if factor != 1.0:
            for k in range(segments.shape[0]):
                a, b = max(lo, segments[k, 1]), min(hi, segments[k, 1] + segments[k, 2])
                if a < b:
                    _scale(piece(g, a, b), T(factor))
        return 0

    return task
