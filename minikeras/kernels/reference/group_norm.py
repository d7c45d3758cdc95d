"""Twins of normalisation over groups of channels."""

import numpy as np


def _by_sample(sums, samples, groups):
    """Both sums as (samples, chunks, groups, channels of a group)."""
    pairs = sums.reshape(samples, -1, 2, groups, sums.shape[1] // groups)
    return pairs[:, :, 0], pairs[:, :, 1]


def group_lines(sums, groups, rows, gamma, beta, eps, mean, factor, lines):
    samples, channels = mean.shape
    if not samples:
        return
    totals, squares = _by_sample(sums, samples, groups)
    count = rows / totals.shape[1]
    axes = (1, 3)
    average = totals.sum(axes, keepdims=True) / (rows * channels // groups)
    apart = squares + count * np.square(totals / count - average)
    variance = apart.sum(axes) / (rows * channels // groups)
    mean[...] = np.repeat(average[:, 0, :, 0], channels // groups, axis=1)
    factor[...] = np.repeat(1 / np.sqrt(variance + eps), channels // groups, axis=1)
    lines[::2] = factor * (gamma if gamma.size else 1)
    lines[1::2] = (beta if beta.size else 0) - mean * lines[::2]


def group_norm_grad_factors(sums, groups, rows, factor, gamma, factors, dgamma, dbeta):
    samples, channels = factor.shape
    if not samples:
        return
    width = channels // groups
    totals, products = (part.sum(axis=1) for part in _by_sample(sums, samples, groups))
    weight = (gamma if gamma.size else np.ones(channels)).reshape(groups, width)
    shift = np.repeat((totals * weight).sum(axis=2), width, axis=1) / (rows * width)
    slope = np.repeat((products * weight).sum(axis=2), width, axis=1) / (rows * width)
    factors[::3] = factor * (gamma if gamma.size else 1)
    factors[1::3] = -(factor**3) * slope
    factors[2::3] = -factor * shift
    if len(dgamma):
        dgamma[...] = products.reshape(samples, channels) * factor
    if len(dbeta):
        dbeta[...] = totals.reshape(samples, channels)
