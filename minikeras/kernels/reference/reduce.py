"""Twins of the sums, which are taken in float64."""

import numpy as np


def column_sum(x, out):
    out[...] = x.sum(axis=0, dtype=np.float64)


def activation_grad_bias(g, y, dz, db, act):
    slope = {0: np.ones_like(y), 1: y > 0, 2: y * (1 - y), 3: 1 - y * y}[act]
    dz[...] = np.where(slope == 0, 0, g * slope) if act == 1 else g * slope
    if db.size:
        column_sum(dz, db)


def _weighted(x, w):
    x = x.astype(np.float64)
    return (x.sum(), x.size) if not w.size else ((x * w).sum(), w.sum(dtype=np.float64))


def weighted_sum(x, w, divisor, total):
    total[:] = _weighted(x, w)[0] / divisor


def weighted_sum_grad(g, w, divisor, dx):
    share = g[0] / dx.dtype.type(divisor)
    dx[...] = share * w if w.size else share


def mean_update(x, w, total, count):
    value, weight = _weighted(x, w)
    total += total.dtype.type(value)
    count += count.dtype.type(weight)
