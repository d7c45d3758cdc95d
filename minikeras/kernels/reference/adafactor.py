"""Twins of Adafactor's kernels."""

import numpy as np

from ..table import CHUNK, ROWS


def _kept(hyper):
    return 1.0 - (hyper[2] + 1.0) ** hyper[3]


def _shrink(w, decays, hyper):
    if decays:
        w -= w * w.dtype.type(hyper[0] * hyper[1])


def _blocks(rows: int) -> list[slice]:
    return [slice(first, min(rows, first + ROWS)) for first in range(0, rows, ROWS)]


def adafactor_squares(w, g, r, partial, of_weights, decays, hyper):
    _shrink(w, decays, hyper)
    kept, (stack, rows) = _kept(hyper), r.shape
    squares = (np.square(g) + g.dtype.type(hyper[4])).reshape(stack, rows, -1)
    r[...] = kept * r + (1.0 - kept) * squares.mean(axis=2)
    weights, at = w.reshape(stack, rows, -1), 0
    for s in range(stack):
        for block in _blocks(rows):
            partial[at] = squares[s, block].sum(axis=0)
            of_weights[at] = np.square(weights[s, block]).sum()
            at += 1


def adafactor_factors(r, c, partial, factors, hyper):
    kept, (stack, rows) = _kept(hyper), r.shape
    means = partial.reshape(stack, -1, c.shape[1]).sum(axis=1) / rows
    c[...] = kept * c + (1.0 - kept) * means
    factors[...] = r / r.mean(axis=1, keepdims=True)


def adafactor_scale(g, factors, c, v, of_steps):
    stack, rows = factors.shape
    v[...] = (factors[:, :, None] * c[:, None, :]).reshape(v.shape)
    g /= np.sqrt(v)
    squares = np.square(g).reshape(stack, rows, -1)
    blocks = _blocks(rows)
    for at in range(of_steps.size):
        of_steps[at] = squares[at // len(blocks), blocks[at % len(blocks)]].sum()


def adafactor_vector(w, g, v, of_weights, of_steps, decays, hyper):
    _shrink(w, decays, hyper)
    T, kept = g.dtype.type, _kept(hyper)
    v[...] = T(kept) * v + T(1.0 - kept) * (np.square(g) + T(hyper[4]))
    g /= np.sqrt(v)
    for c, start in enumerate(range(0, g.size, CHUNK)):
        of_weights[c] = np.square(w[start : start + CHUNK]).sum()
        of_steps[c] = np.square(g[start : start + CHUNK]).sum()


def adafactor_step(w, g, of_weights, of_steps, hyper):
    relative = min(hyper[0], 1.0 / np.sqrt(hyper[2] + 1.0))
    scale = np.maximum(hyper[5], np.sqrt(of_weights.sum() / w.size))
    limit = np.maximum(1.0, np.sqrt(of_steps.sum() / w.size) / hyper[6])
    w -= w.dtype.type(relative * scale / limit) * g
