"""Twins of Winograd's convolution: the matrices of the algorithm, applied to whole arrays."""

import numpy as np

from .conv import _activate, _slopes, _Window

_TILE, _TAPS, _POINTS = 4, 3, 6
_FINITE = (0.0, 0.75, -0.75, 1.5, -1.5)


def _matrices():
    """A, B and G for the five finite points and infinity (Toom and Cook; Winograd, 1980)."""
    a, b, g = np.zeros((_POINTS, _TILE)), np.zeros((_POINTS, _POINTS)), np.zeros((_POINTS, _TAPS))
    for i, point in enumerate(_FINITE):
        others = [p for p in _FINITE if p != point]
        a[i] = point ** np.arange(_TILE)
        b[:5, i] = np.poly(others)[::-1]
        g[i] = point ** np.arange(_TAPS) / np.prod([point - p for p in others])
    a[5, -1] = g[5, -1] = 1
    b[:, 5] = np.poly(_FINITE)[::-1]
    return a, b, g


_A, _B, _G = _matrices()


class _Tiles:
    """Images cut into tiles of 4 x 4 target pixels, and what they read."""

    def __init__(self, geometry, transposed=False):
        window = _Window(geometry)
        source, target = window.inside[1:], window.outside[1:]
        self.channels, self.filters = window.channels, window.filters
        self.pads, self.images = window.pads[1:], window.images
        if transposed:
            source, target = target, source
            self.channels, self.filters = self.filters, self.channels
            self.pads = [_TAPS - 1 - p for p in self.pads]
        self.source, self.target = source, target
        self.counts = [-(-n // _TILE) for n in target]

    def read(self, x):
        """Squares of 6 x 6 pixels: (images, down, across, 6, 6, channels)."""
        room = [
            max(c * _TILE + 2, n + 2 * _TAPS) for c, n in zip(self.counts, self.source, strict=True)
        ]
        padded = np.zeros((self.images, room[0] + 4, room[1] + 4, self.channels), x.dtype)
        (up, left), (h, w) = self.pads, self.source
        padded[:, up : up + h, left : left + w] = x.reshape(self.images, h, w, self.channels)
        return self._squares(padded, _POINTS)

    def cut(self, g):
        """Squares of 4 x 4 target pixels, zeros beyond the image."""
        (h, w), (down, across) = self.target, self.counts
        padded = np.zeros((self.images, down * _TILE, across * _TILE, self.filters), g.dtype)
        padded[:, :h, :w] = g.reshape(self.images, h, w, self.filters)
        return self._squares(padded, _TILE)

    def _squares(self, padded, side):
        down, across = self.counts
        shape = (self.images, down, across, side, side, padded.shape[-1])
        squares = np.zeros(shape, padded.dtype)
        for r in range(down):
            for c in range(across):
                rows, columns = (
                    slice(r * _TILE, r * _TILE + side),
                    slice(c * _TILE, c * _TILE + side),
                )
                squares[:, r, c] = padded[:, rows, columns]
        return squares

    def join(self, squares):
        """Images from squares of 4 x 4 pixels."""
        (h, w), (down, across) = self.target, self.counts
        whole = squares.transpose(0, 1, 3, 2, 4, 5)
        whole = whole.reshape(self.images, down * _TILE, across * _TILE, self.filters)
        return whole[:, :h, :w]


def _map(matrix, squares):
    """``matrix squares matrix'`` on the last axes but one: (..., n, n, channels)."""
    return np.einsum("ai,...ijc,bj->...abc", matrix, squares, matrix)


def _unpacked(u, inputs, outputs, width):
    """(6, 6, inputs, outputs) from panels."""
    panels = u.reshape(-1, _POINTS * _POINTS, inputs, width)
    whole = panels.transpose(1, 2, 0, 3).reshape(_POINTS, _POINTS, inputs, -1)
    return whole[..., :outputs]


def _packed(mapped, width):
    """Panels from (6, 6, inputs, outputs)."""
    inputs, outputs = mapped.shape[2:]
    panels = -(-outputs // width)
    whole = np.zeros((_POINTS * _POINTS, inputs, panels * width), mapped.dtype)
    whole[..., :outputs] = mapped.reshape(-1, inputs, outputs)
    return whole.reshape(_POINTS * _POINTS, inputs, panels, width).transpose(2, 0, 1, 3).reshape(-1)


def winograd(x, gate, u, bias, y, geometry, width, slope, act, transposed):
    tiles = _Tiles(geometry, transposed)
    mapped = _map(_B.T, tiles.read(_slopes(x, gate, slope)))
    weights = _unpacked(u, tiles.channels, tiles.filters, width)
    products = np.einsum("nrtabc,abcf->nrtabf", mapped, weights)
    total = tiles.join(_map(_A.T, products))
    y[...] = _activate(total + bias if bias.size else total, act).reshape(-1)


def winograd_weights(w, u, inputs, outputs, reverse, width):
    taps = w.reshape(_TAPS, _TAPS, -1)
    taps = taps[::-1, ::-1] if reverse else taps
    mapped = _map(_G, taps).reshape(_POINTS, _POINTS, inputs, outputs)
    u[...] = _packed(mapped, width)


def winograd_weights_grad(x, g, y, geometry, width, slope, parts, biases):
    tiles = _Tiles(geometry)
    dz = _slopes(g, y, slope)
    pixels = tiles.cut(dz)
    read, cut = _map(_B.T, tiles.read(x)), _map(_A, pixels)
    count, images = parts.shape[0], tiles.images
    for part in range(count):
        chosen = slice(images * part // count, images * (part + 1) // count)
        total = np.einsum("nrtabc,nrtabf->abcf", read[chosen], cut[chosen])
        parts[part] = _packed(total, width)
        if biases.size:
            biases[part] = pixels[chosen].sum((0, 1, 2, 3, 4))


def winograd_weights_sum(parts, dw, inputs, outputs, width):
    total = _unpacked(parts.sum(0), inputs, outputs, width)
    dw[...] = np.einsum("ai,abcf,bj->ijcf", _G, total, _G).reshape(-1)
