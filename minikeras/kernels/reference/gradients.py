"""Twins of the kernels around an optimizer's step."""

import numpy as np

from ..table import CHUNK
from .chunks import weights


def unscale(g, divisor):
    g /= g.dtype.type(divisor[0])  # a reciprocal that is exact gives the same


def release(g, total, steps):
    g[...] = (g + total) / g.dtype.type(steps)
    total[...] = 0


def unscale_and_check(g, divisor, found):
    for c, start in enumerate(range(0, g.size, CHUNK)):
        found[c] = np.count_nonzero(~np.isfinite(g[start : start + CHUNK]))
    unscale(g, divisor)


def average_weights(segments, average, momentum):
    kept = average.dtype.type(momentum[0])
    rest = average.dtype.type(1.0 - momentum[0])
    for address, start, size, _ in segments.tolist():
        here = slice(start, start + size)
        average[here] = kept * average[here] + rest * weights(address, size, average.dtype)
