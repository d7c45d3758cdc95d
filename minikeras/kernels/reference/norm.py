"""Twins of batch normalisation."""

import numpy as np


def _chunks(step, sums):
    """Both sums of each chunk, and its rows."""
    return [(pair, slice(k * step, (k + 1) * step)) for k, pair in enumerate(_pairs(sums))]


def _pairs(sums):
    return sums.reshape(len(sums) // 2, 2, sums.shape[1])


def batch_sums(x, step, sums):
    for out, chunk in _chunks(step, sums):
        part = x[chunk]
        out[0] = part.sum(axis=0, dtype=np.float64)
        out[1] = np.square(part - (out[0] / len(part)).astype(x.dtype), dtype=np.float64).sum(0)


def batch_moments(sums, rows, step, mean, variance):
    sums = _pairs(sums)
    counts = np.array([min(step, rows - k * step) for k in range(len(sums))], np.float64)[:, None]
    average = sums[:, 0].sum(axis=0) / np.float64(rows)
    apart = counts * np.square(sums[:, 0] / counts - average)
    mean[...] = average
    variance[...] = (sums[:, 1] + apart).sum(axis=0) / np.float64(rows)


def normalise(x, mean, variance, gamma, beta, eps, y):
    scale = _scale(variance, gamma, eps)
    y[...] = (x - mean) * scale + (beta if beta.size else 0)


def _scale(variance, gamma, eps):
    return (gamma if gamma.size else 1) / np.sqrt(variance + variance.dtype.type(eps))


def _passed(g, x, lines):
    """The gradient before a relu behind ``x * scale + shift``; without lines g itself."""
    return np.where(x * lines[0] + lines[1] > 0, g, 0) if len(lines) else g


def spread(constants, rows):
    """Constants of equal shares of some rows, for each of them."""
    return np.repeat(constants, rows // max(1, len(constants)), axis=0)


def batch_norm_grad_sums(g, x, mean, lines, step, sums):
    mean = spread(mean, len(x))
    for out, chunk in _chunks(step, sums):
        passed = _passed(g[chunk], x[chunk], lines)
        out[0] = passed.sum(axis=0, dtype=np.float64)
        out[1] = (passed * (x[chunk] - mean[chunk])).sum(axis=0, dtype=np.float64)


def batch_norm_grad_factors(sums, variance, gamma, eps, rows, factors, dgamma, dbeta):
    inverse = 1 / np.sqrt(variance + variance.dtype.type(eps))
    total, product = _pairs(sums).sum(axis=0)
    factors[...] = 0
    factors[0] = _scale(variance, gamma, eps)
    if rows:
        factors[1] = -factors[0] * inverse**2 * product / rows
        factors[2] = -factors[0] * total / rows
    if dgamma.size:
        dgamma[...] = product * inverse
    if dbeta.size:
        dbeta[...] = total


def batch_norm_grad(g, x, mean, lines, factors, dx):
    per_g, per_x, rest = (spread(factors[k::3], len(x)) for k in range(3))
    dx[...] = _passed(g, x, lines) * per_g + (x - spread(mean, len(x))) * per_x + rest


def moving_average(moving, batch, momentum):
    moving[...] = moving * momentum + batch * (1 - momentum)
