"""Twins of the clipping kernels."""

import numpy as np

from .chunks import chunks, sum_of_segment


def clip_value(g, limit):
    g[...] = np.clip(g, -limit, limit)


def chunk_squares(g, segments, sums):
    for place, here in chunks(segments):
        sums[place] = np.square(g[here], dtype=np.float64).sum()


def _factor(square, limit):
    norm = np.sqrt(square)
    return 1.0 if norm <= limit else limit / norm


def clip_norms(g, segments, sums, limit):
    for k, (_, start, size, _) in enumerate(segments.tolist()):
        factor = _factor(sum_of_segment(sums, start, size, k), limit)
        g[start : start + size] *= g.dtype.type(factor)


def clip_global_norm(g, segments, sums, limit):
    total = sums.sum()
    factor = g.dtype.type(_factor(total, limit) if total < np.inf else np.nan)
    for _, start, size, _ in segments.tolist():
        g[start : start + size] *= factor
