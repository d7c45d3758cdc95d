"""Twins of the normalisation of rows."""

import numpy as np

from ..table import ROWS


def _or(weight, otherwise):
    return weight if weight.size else otherwise


def layer_norm(x, gamma, beta, eps, centred, y, mean, factor):
    width = np.float64(x.shape[1])
    mean[...] = x.sum(axis=1, dtype=np.float64) / width if centred else 0
    apart = x - mean[:, None]
    factor[...] = 1 / np.sqrt(np.square(apart, dtype=np.float64).sum(axis=1) / width + eps)
    y[...] = apart * factor[:, None] * _or(gamma, 1) + _or(beta, 0)


def layer_norm_grad(g, x, mean, factor, gamma, centred, dx, of_gamma, of_beta):
    width = x.dtype.type(x.shape[1])
    scaled, normal = g * _or(gamma, 1), (x - mean[:, None]) * factor[:, None]
    shift = scaled.sum(axis=1, keepdims=True) / width if centred else 0
    slope = (scaled * normal).sum(axis=1, keepdims=True) / width
    dx[...] = factor[:, None] * (scaled - shift - normal * slope)
    starts = np.arange(0, x.shape[0], ROWS)
    if of_gamma.size:
        of_gamma[...] = np.add.reduceat(g * normal, starts)
    if of_beta.size:
        of_beta[...] = np.add.reduceat(g, starts)
