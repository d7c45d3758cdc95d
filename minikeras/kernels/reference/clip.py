"""Twins of the clipping kernels."""

import numpy as np


def clip_value(g, limit):
    g[...] = np.clip(g, -limit, limit)


def _factor(square, limit):
    norm = np.sqrt(np.float64(square))
    return 1.0 if norm <= limit else limit / norm


def clip_norms(g, offsets, squares, limit):
    for s, square in enumerate(squares):
        g[offsets[s] : offsets[s + 1]] *= g.dtype.type(_factor(square, limit))


def clip_global_norm(g, squares, limit):
    total = squares.sum(dtype=np.float64)
    g *= g.dtype.type(_factor(total, limit) if total < np.inf else np.nan)
