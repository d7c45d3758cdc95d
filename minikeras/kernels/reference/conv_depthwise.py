"""Twins of the convolutions of single channels: sums over the taps."""

import numpy as np

from .conv import _Window


def depthwise(x, w, bias, y, geometry):
    window = _Window(geometry)
    padded, w = window.pad(x), w.reshape(*window.kernel, -1)
    total = np.zeros((window.images, *window.outside, window.channels), x.dtype)
    for tap in window.taps():
        total += padded[window.read(tap)] * w[tap]
    y[...] = (total + bias if bias.size else total).reshape(-1)


def depthwise_input_grad(g, w, dx, geometry):
    window = _Window(geometry)
    g = g.reshape(window.images, *window.outside, window.channels)
    padded, w = window.empty(g.dtype), w.reshape(*window.kernel, -1)
    for tap in window.taps():
        padded[window.read(tap)] += g * w[tap]
    dx[...] = padded[window.interior].reshape(-1)


def depthwise_weights_grad(x, g, parts, biases, geometry):
    window = _Window(geometry)
    g = g.reshape(window.images, *window.outside, window.channels)
    padded, count = window.pad(x), parts.shape[0]
    for part in range(count):
        images = slice(window.images * part // count, window.images * (part + 1) // count)
        sums = [(padded[window.read(tap)] * g)[images].sum((0, 1, 2, 3)) for tap in window.taps()]
        parts[part] = np.concatenate(sums)
        if biases.size:
            biases[part] = g[images].sum((0, 1, 2, 3))
