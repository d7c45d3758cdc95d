"""Twins of Muon's kernels."""

import numpy as np

from ..table import CHUNK

TINY = 1e-7


def muon_momentum(g, momentum, sums, hyper):
    kept = g.dtype.type(hyper[3])
    momentum[...] = momentum * kept + g
    g[...] = g + kept * momentum if hyper[4] else momentum
    for c, start in enumerate(range(0, g.size, CHUNK)):
        sums[c] = np.square(g[start : start + CHUNK]).sum()


def muon_normalise(g, sums, x):
    x[...] = g * g.dtype.type(1.0 / (np.sqrt(sums.sum()) + TINY))


def muon_polynomial(x, y, q, hyper):
    a, b, c = (x.dtype.type(number) for number in hyper[5:8])
    q[...] = b * x + c * y + a * np.eye(len(x), dtype=x.dtype)


def muon_step(w, x, decays, scale, hyper):
    T = w.dtype.type
    w[...] = w - w * T(hyper[0] * hyper[1] * decays) - T(hyper[0] * scale) * x
