"""Clipping of a flat gradient in place: a task owns a contiguous part."""

import numpy as np

from ._jit import inner, noalias
from ._parts import flat_part


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
        part(g[lo:hi], T(limit))
        return 0

    return task


def _scale(T):
    @inner
    def part(g, factor):
        noalias()
        for j in range(g.size):
            g[j] = g[j] * factor

    return part


def clip_norms(T):
    """Segment s, [offsets[s], offsets[s + 1]), scaled to a norm of at most `limit`.

    `squares` holds the sum of squares of each segment.
    """
    scale = _scale(T)

    def task(i, n, scratch, g, offsets, squares, limit):
        lo, hi = flat_part(i, n, g.size)
        for s in range(squares.size):
            a, b = max(lo, offsets[s]), min(hi, offsets[s + 1])
            norm = np.sqrt(squares[s])
            if a < b and norm > T(limit):
                scale(g[a:b], T(limit) / norm)
        return 0

    return task


def clip_global_norm(T):
    """Everything scaled so that the root of the sum of `squares` is at most `limit`."""
    scale = _scale(T)

    def task(i, n, scratch, g, squares, limit):
        lo, hi = flat_part(i, n, g.size)
        total = T(0)
        for s in range(squares.size):
            total += squares[s]
        norm = np.sqrt(total)
        if norm > T(limit):
            scale(g[lo:hi], T(limit) / norm)
        return 0

    return task
