"""Twins of the clipping kernels."""

import numpy as np


def clip_value(g, limit):
    g[...] = np.clip(g, -limit, limit)


def clip_norms(g, offsets, squares, limit):
    for s, square in enumerate(squares):
        norm = np.sqrt(square)
        if norm > limit:
            g[offsets[s] : offsets[s + 1]] *= g.dtype.type(limit) / norm


def clip_global_norm(g, squares, limit):
    norm = np.sqrt(sum(squares, g.dtype.type(0)))
    if norm > limit:
        g *= g.dtype.type(limit) / norm
