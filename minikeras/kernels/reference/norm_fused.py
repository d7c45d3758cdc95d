"""Twins of batch normalisation together with what comes before and behind it."""

import numpy as np

from .norm import spread


def norm_lines(mean, variance, gamma, beta, bias, eps, lines):
    lines[0] = (gamma if gamma.size else 1) / np.sqrt(variance + variance.dtype.type(eps))
    lines[1] = (beta if beta.size else 0) - (mean - (bias if bias.size else 0)) * lines[0]


def scale_shift(x, lines, sets, act, y):
    each = len(lines) // sets
    value = x * spread(lines[::each], len(x))
    if each > 1:
        value = value + spread(lines[1::each], len(x))
    y[...] = np.where(value <= 0, 0, value) if act == 1 else value


def _windows(x, width, channels):
    """The four pixels of each window, as (rows, width, 4, channels)."""
    pixels = x.reshape(-1, 2, width, 2, channels).transpose(0, 2, 1, 3, 4)
    return pixels.reshape(-1, width, 4, channels)


def _pixels(windows, out):
    """Put windows back to where their pixels lie."""
    rows, width, _, channels = windows.shape
    pixels = windows.reshape(rows, width, 2, 2, channels).transpose(0, 2, 1, 3, 4)
    out[...] = pixels.reshape(-1)


def scale_relu_pool(x, lines, width, y, index):
    channels = lines.shape[1]
    values = _windows(x, width, channels) * lines[0] + lines[1]
    lost = np.isnan(values).any(axis=2)
    best = np.where(lost, np.nan, values.max(axis=2))
    y[...] = np.where(best <= 0, 0, best).reshape(-1)
    index[...] = np.where(best > 0, values.argmax(axis=2), 4).reshape(-1)


def _spread(g, index, width, channels):
    """The gradients at the pixels of their windows."""
    shape = (-1, width, channels)
    g, index = g.reshape(shape)[:, :, None], index.reshape(shape)[:, :, None]
    return np.where(index == np.arange(4)[:, None], g, 0)


def pool_norm_grad_sums(g, index, x, mean, width, step, sums):
    channels = mean.size
    spread = _spread(g, index, width, channels)
    products = (spread * (_windows(x, width, channels) - mean)).sum(axis=2).reshape(-1, channels)
    spread = spread.sum(axis=2).reshape(-1, channels)
    for k, out in enumerate(sums.reshape(-1, 2, channels)):
        chunk = slice(k * step, (k + 1) * step)
        out[0] = spread[chunk].sum(axis=0, dtype=np.float64)
        out[1] = products[chunk].sum(axis=0, dtype=np.float64)


def pool_norm_grad(g, index, x, mean, factors, width, dx):
    channels = mean.size
    spread, windows = _spread(g, index, width, channels), _windows(x, width, channels)
    _pixels(spread * factors[0] + (windows - mean) * factors[1] + factors[2], dx)
