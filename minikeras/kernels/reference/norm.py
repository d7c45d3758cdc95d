"""Twins of batch normalisation."""

import numpy as np


def batch_statistics(x, mean, variance):
    rows = np.float64(x.shape[0])
    mean[...] = x.sum(axis=0, dtype=np.float64) / rows
    variance[...] = np.square(x - mean, dtype=np.float64).sum(axis=0) / rows


def normalise(x, mean, variance, gamma, beta, eps, y):
    scale = _scale(variance, gamma, eps)
    y[...] = (x - mean) * scale + (beta if beta.size else 0)


def _scale(variance, gamma, eps):
    return (gamma if gamma.size else 1) / np.sqrt(variance + variance.dtype.type(eps))


def batch_norm_grad(g, x, mean, variance, gamma, eps, from_batch, dx, dgamma, dbeta):
    inverse = 1 / np.sqrt(variance + variance.dtype.type(eps))
    normal = (x - mean) * inverse
    products, sums = (g * normal).sum(axis=0), g.sum(axis=0)
    if dgamma.size:
        dgamma[...] = products
    if dbeta.size:
        dbeta[...] = sums
    through = (sums + normal * products) / x.dtype.type(x.shape[0]) if from_batch else 0
    dx[...] = _scale(variance, gamma, eps) * (g - through)


def moving_average(moving, batch, momentum):
    moving[...] = moving * momentum + batch * (1 - momentum)
