"""Clipping of a flat gradient in place: a task owns a contiguous part.

A factor is limit / max(norm, limit), as in Keras; a norm that is NaN makes NaN of what it scales.
"""

import math

from numba import types

from ._jit import exact, inner, noalias
from ._parts import flat_part, piece


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
    """Segment s, [offsets[s], offsets[s + 1]), scaled to a norm of at most `limit`.

    `squares` holds the sum of squares of each segment.
    """

    def task(i, n, scratch, g, offsets, squares, limit):
        lo, hi = flat_part(i, n, g.size)
        for s in range(squares.size):
            a, b = max(lo, offsets[s]), min(hi, offsets[s + 1])
            factor = _factor(types.float64(squares[s]), limit)
            if a < b and factor != 1.0:
                _scale(piece(g, a, b), T(factor))
        return 0

    return task


def clip_global_norm(T):
    """Everything scaled so that the root of the sum of `squares` is at most `limit`.

    An infinite norm makes everything NaN.
    """

    def task(i, n, scratch, g, squares, limit):
        lo, hi = flat_part(i, n, g.size)
        total = 0.0
        for s in range(squares.size):
            total += types.float64(squares[s])
        factor = _factor(total, limit) if total < math.inf else math.nan
        if factor != 1.0:
            _scale(piece(g, lo, hi), T(factor))
        return 0

    return task
