"""Twins of pooling: window by window, tap by tap."""

import itertools

import numpy as np

from .. import table


def _axes(geometry, first):
    return [int(n) for n in geometry[first : first + 3]]


def _shapes(geometry):
    """Shapes of the images and of the result."""
    images, channels = int(geometry[0]), int(geometry[1])
    inside, outside = _axes(geometry, table.CONV_IN), _axes(geometry, table.CONV_OUT)
    return (images, *inside, channels), (images, *outside, channels)


def _windows(geometry):
    """For each place of the result: the place, and (number, pixel) of the taps inside."""
    inside, outside = _axes(geometry, table.CONV_IN), _axes(geometry, table.CONV_OUT)
    sizes, strides = _axes(geometry, table.CONV_KERNEL), _axes(geometry, table.CONV_STRIDE)
    pads = _axes(geometry, table.CONV_PAD)
    for place in itertools.product(*map(range, outside)):
        found = []
        for number, tap in enumerate(itertools.product(*map(range, sizes))):
            parts = zip(place, strides, tap, pads, strict=True)
            pixel = tuple(o * s + k - p for o, s, k, p in parts)
            if all(0 <= y < n for y, n in zip(pixel, inside, strict=True)):
                found.append((number, pixel))
        yield place, found


def max_pool(x, y, index, geometry, gated):
    wide_max_pool(x, y, index, geometry)
    if gated:
        index[~(y > 0)] = 255
        y[y <= 0] = 0


def wide_max_pool(x, y, index, geometry):
    before, after = _shapes(geometry)
    x, y, index = x.reshape(before), y.reshape(after), index.reshape(after)
    for place, taps in _windows(geometry):
        values = np.stack([x[:, a, b, c] for _, (a, b, c) in taps])
        best = np.argmax(values, axis=0)  # of the first NaN, where there is one
        last = values.shape[0] - 1 - np.argmax(np.isnan(values)[::-1], axis=0)
        best = np.where(np.isnan(values).any(axis=0), last, best)
        y[(slice(None), *place)] = np.take_along_axis(values, best[None], 0)[0]
        index[(slice(None), *place)] = np.array([number for number, _ in taps])[best]


def max_pool_grad(g, index, dx, geometry):
    before, after = _shapes(geometry)
    g, index, dx = g.reshape(after), index.reshape(after), dx.reshape(before)
    dx[...] = 0
    for place, taps in _windows(geometry):
        here = (slice(None), *place)
        for number, pixel in taps:
            dx[(slice(None), *pixel)] += np.where(index[here] == number, g[here], 0)


wide_max_pool_grad = max_pool_grad


def average_pool(x, y, geometry):
    before, after = _shapes(geometry)
    x, y = x.reshape(before), y.reshape(after)
    for place, taps in _windows(geometry):
        values = np.stack([x[:, a, b, c] for _, (a, b, c) in taps])
        y[(slice(None), *place)] = values.mean(axis=0)


def average_pool_grad(g, dx, geometry):
    before, after = _shapes(geometry)
    g, dx = g.reshape(after), dx.reshape(before)
    dx[...] = 0
    for place, taps in _windows(geometry):
        for _, pixel in taps:
            dx[(slice(None), *pixel)] += g[(slice(None), *place)] / len(taps)
