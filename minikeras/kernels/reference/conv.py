"""Twins of the convolutions: a sum over the taps of the kernel."""

import itertools

import numpy as np

from .. import table


def _axes(geometry, first):
    return [int(n) for n in geometry[first : first + 3]]


class _Window:
    """What a geometry says, and the pixels that each tap reads."""

    def __init__(self, geometry):
        self.images, self.channels, self.filters, self.groups = (int(n) for n in geometry[:4])
        self.inside, self.outside = _axes(geometry, table.CONV_IN), _axes(geometry, table.CONV_OUT)
        self.kernel = _axes(geometry, table.CONV_KERNEL)
        self.strides = _axes(geometry, table.CONV_STRIDE)
        self.dilation = _axes(geometry, table.CONV_DILATION)
        self.pads = _axes(geometry, table.CONV_PAD)
        sizes = zip(self.outside, self.strides, self.kernel, self.dilation, strict=True)
        self.reach = [(o - 1) * s + (k - 1) * d + 1 for o, s, k, d in sizes]
        pairs = zip(self.reach, self.pads, self.inside, strict=True)
        self.padded = [max(r, p + n) for r, p, n in pairs]

    def taps(self):
        return itertools.product(*map(range, self.kernel))

    def read(self, tap):
        """The pixels of the padded input that a tap meets."""
        starts = [k * d for k, d in zip(tap, self.dilation, strict=True)]
        ends = [
            a + (o - 1) * s + 1 for a, o, s in zip(starts, self.outside, self.strides, strict=True)
        ]
        return (slice(None), *map(slice, starts, ends, self.strides))

    @property
    def interior(self):
        return (
            slice(None),
            *[slice(p, p + n) for p, n in zip(self.pads, self.inside, strict=True)],
        )

    def empty(self, dtype):
        return np.zeros((self.images, *self.padded, self.channels), dtype)

    def pad(self, x):
        padded = self.empty(x.dtype)
        padded[self.interior] = x.reshape(self.images, *self.inside, self.channels)
        return padded

    def group(self, number):
        """Channels, and filters, of a group."""
        c, f = self.channels // self.groups, self.filters // self.groups
        return slice(number * c, number * c + c), slice(number * f, number * f + f)

    def phase(self, tap):
        """Which input pixels a tap reaches, as remainders of the strides."""
        parts = zip(tap, self.dilation, self.pads, self.strides, strict=True)
        return tuple((k * d - p) % s for k, d, p, s in parts)


def _activate(x, act):
    if act == 1:
        return np.where(x <= 0, 0, x)
    if act == 2:
        return 1 / (1 + np.exp(-x))
    return np.tanh(x) if act == 3 else x


def _slopes(g, y, act):
    if not y.size or act == 0:
        return g
    return g * ((y > 0) if act == 1 else y * (1 - y) if act == 2 else 1 - y * y)


def conv(x, w, bias, y, geometry, act):
    window = _Window(geometry)
    padded = window.pad(x)
    w = w.reshape(*window.kernel, -1, window.filters)
    total = np.zeros((window.images, *window.outside, window.filters), x.dtype)
    for tap in window.taps():
        for number in range(window.groups):
            channels, filters = window.group(number)
            total[..., filters] += padded[window.read(tap)][..., channels] @ w[tap][:, filters]
    total = total + bias if bias.size else total
    y[...] = _activate(total, act).reshape(-1)


def conv_turn_weights(w, turned, geometry):
    window = _Window(geometry)
    w = w.reshape(*window.kernel, -1, window.filters)
    order = sorted(window.taps(), key=lambda tap: (window.phase(tap), tap))
    blocks = [
        w[tap][:, window.group(number)[1]].T.reshape(-1)
        for number in range(window.groups)
        for tap in order
    ]
    turned[...] = np.concatenate(blocks) if blocks else 0


def _natural(turned, window):
    """The weights that `conv_turn_weights` was given."""
    w = np.empty((*window.kernel, window.channels // window.groups, window.filters), turned.dtype)
    order = sorted(window.taps(), key=lambda tap: (window.phase(tap), tap))
    blocks = turned.reshape(window.groups, len(order), window.filters // window.groups, -1)
    for number, group in enumerate(blocks):
        for tap, block in zip(order, group, strict=True):
            w[tap][:, window.group(number)[1]] = block.T
    return w


def conv_input_grad(g, y, w, bias, dx, geometry, slope, act):
    window = _Window(geometry)
    w = _natural(w, window)
    dz = _slopes(g, y, slope).reshape(window.images, *window.outside, window.filters)
    padded = window.empty(g.dtype)
    for tap in window.taps():
        for number in range(window.groups):
            channels, filters = window.group(number)
            padded[window.read(tap)][..., channels] += dz[..., filters] @ w[tap][:, filters].T
    total = padded[window.interior]
    total = total + bias if bias.size else total
    dx[...] = _activate(total, act).reshape(-1)


def conv_weights_grad(x, g, y, geometry, slope, parts, biases):
    window = _Window(geometry)
    padded = window.pad(x)
    dz = _slopes(g, y, slope).reshape(window.images, *window.outside, window.filters)
    shape = (*window.kernel, window.channels // window.groups, window.filters)
    count = parts.shape[0]
    for part in range(count):
        images = slice(window.images * part // count, window.images * (part + 1) // count)
        total = np.zeros(shape, x.dtype)
        for tap in window.taps():
            for number in range(window.groups):
                channels, filters = window.group(number)
                read = padded[window.read(tap)][images][..., channels]
                axes = ([0, 1, 2, 3], [0, 1, 2, 3])
                total[tap][:, filters] = np.tensordot(read, dz[images][..., filters], axes)
        parts[part] = total.reshape(-1)
        if biases.size:
            biases[part] = dz[images].sum(axis=(0, 1, 2, 3))
