"""Attention: the products of queries and keys, softmax and the sum of values, without the scores.

Arrays are (batch, time, heads, size). A task takes a block of queries of one head at a time: its
scores with all keys lie in scratch memory, row after row, and never leave it, so memory grows with
the keys only. Fewer heads of keys than of queries serve groups of query heads. The gradient makes
the scores again, from the largest one of each row and the sum of the exponentials; all of a head of
keys is done by one task, block after block, so that sums do not depend on the number of tasks.

`mask` has shape (batch, heads, queries, keys), the first three may be 1: 0 for a score that does
not count; size 0 stands for none. With `causal` no query sees a later key. A query that sees no key
takes all alike, or with `empty` none. Weights are dropped with probability `rate`: weight (t, s) of
head h of sample b by number ``t * keys + s`` of stream ``b * heads + h``, see ``dropout.py``.
"""

from typing import NamedTuple

import numpy as np
from numba import types

from ._jit import address_of, exact, external, inner, noalias, view
from ._loader import symbol_of
from ._parts import row_part
from .dropout import hashed, stream_words
from .gemm import _BLOCK
from .maths import make_exp, make_maximum
from .packing import MC, Tiles

HIDDEN = -0.7 * np.finfo(np.float32).max  # score of what does not count
SCORES = 1 << 16  # numbers: a block of scores and its gradient fit the second-level cache


class _Sizes(NamedTuple):
    """What the arrays measure, and the rows of a block."""

    queries: int
    keys: int
    heads: int
    key_heads: int
    size: int  # of a query and a key
    width: int  # of a value
    block: int


@exact
def _sizes(q, k, v):
    keys = k.shape[1]
    block = max(1, min(q.shape[1], SCORES // max(1, keys)))
    return _Sizes(q.shape[1], keys, q.shape[2], k.shape[2], q.shape[3], v.shape[3], block)


@exact
def _seen(z, last, causal, mask):
    """How many keys the queries before `last` may see: no later ones, if that is all."""
    return min(z.keys, last) if causal and mask.size == 0 else z.keys


def _make_product(T):
    """``product(a, row, step, b, b_row, b_column, c, c_row, m, k, n, accumulate, scratch)``."""
    block = external(symbol_of("gemm_block", T.name), _BLOCK)

    @exact
    def product(a, row, step, b, b_row, b_column, c, c_row, m, k, n, accumulate, scratch):
        block(
            a, 0, row, 0, step, b, b_row, b_column, c, 0, c_row, 0,
            m, k, n, 0, accumulate, scratch,
        )  # fmt: skip

    return product


class _Room(NamedTuple):
    """Places in scratch, in bytes, behind those of the matrix product."""

    scores: int
    gradients: int


def _room(T):
    tiles = Tiles(T)
    first = (tiles.rows_c + (MC + tiles.rows) * 8 + 63) // 64 * 64
    return _Room(first, first + SCORES * tiles.size)


def _make_mask_row(T):
    """``hide(x, mask, b, h, t, hidden)``: the scores that do not count become `hidden`."""
    bytes_at = view(types.uint8)

    @inner
    def cover(x, mask, hidden):
        noalias()
        for j in range(x.size):
            x[j] = x[j] if mask[j] > 0 else hidden

    @exact
    def row_of(mask, b, h, t):
        """Address of a row of the mask; axes of size 1 are repeated."""
        b = b if mask.shape[0] > 1 else 0
        h = h if mask.shape[1] > 1 else 0
        t = t if mask.shape[2] > 1 else 0
        return address_of(mask) + ((b * mask.shape[1] + h) * mask.shape[2] + t) * mask.shape[3]

    @exact
    def hide(x, mask, b, h, t, causal, hidden):
        if mask.size > 0:
            cover(x, bytes_at(row_of(mask, b, h, t), x.size), hidden)
        if causal:
            for j in range(t + 1, x.size):
                x[j] = hidden

    return hide


def _make_drop(T):
    """``drop(x, key, stream, place, threshold, scale)``: numbers dropped, the others scaled."""
    zero = T(0)

    @inner
    def part(x, place, first_word, second_word, threshold, scale):
        noalias()
        for j in range(x.size):
            gone = hashed(place + j, first_word, second_word) < threshold
            x[j] = zero if gone else x[j] * scale

    @exact
    def drop(x, key, stream, place, rate):
        first_word, second_word = stream_words(key, stream)
        threshold = np.uint32(min(rate * 4294967296.0, 4294967295.0))
        part(x, place, first_word, second_word, threshold, T(1.0 / (1.0 - rate)))

    return drop


def _make_softmax(T):
    """``scaled_most(x, factor)``: x times a factor, and the largest; ``exponentials(x, largest)``:
    x becomes exp(x - largest), and their sum."""
    zero, lowest = T(0), T(-np.inf)
    exp, maximum = make_exp(T), make_maximum(T)

    @inner
    def scaled_most(x, factor):
        most = lowest
        for j in range(x.size):
            x[j] *= factor
            most = maximum(most, x[j])
        return most

    @inner
    def most_of(x):
        most = lowest
        for j in range(x.size):
            most = maximum(most, x[j])
        return most

    @inner
    def exponentials(x, largest):
        total = zero
        for j in range(x.size):
            y = exp(x[j] - largest)
            x[j] = y
            total += y
        return total

    return scaled_most, most_of, exponentials


@inner
def _scale(x, factor):
    for j in range(x.size):
        x[j] *= factor


def _make_weigh(T):
    """``weigh``: from the scores of a block of queries to the weights of the values."""
    room, size = _room(T), T.bitwidth // 8
    hidden, one, infinity = T(HIDDEN), T(1), T(np.inf)
    hide, drop = _make_mask_row(T), _make_drop(T)
    (scaled_most, most_of, exponentials), numbers = _make_softmax(T), view(T)

    @inner
    def weigh(z, b, h, t0, rows, seen, scratch, mask, key, scale, causal, empty, rate, most, sums):
        for t in range(t0, t0 + rows):
            x = numbers(scratch + room.scores + (t - t0) * seen * size, seen)
            largest = scaled_most(x, scale)
            if mask.size > 0 or causal:
                hide(x, mask, b, h, t, causal, hidden)
                largest = most_of(x)
            total = exponentials(x, largest)
            if empty and largest == hidden:
                total = infinity
            most[b, h, t], sums[b, h, t] = largest, total
            _scale(x, one / total)
            if rate > 0.0:
                drop(x, key[0], b * z.heads + h, t * z.keys, rate)

    return weigh


def attention(T):
    """out = softmax(scale q k') v; of each row of scores the largest, and the sum of exp."""
    room, size = _room(T), T.bitwidth // 8
    product, weigh = _make_product(T), _make_weigh(T)

    def task(i, n, scratch, q, k, v, mask, key, scale, causal, empty, rate, out, largest, total):
        z = _sizes(q, k, v)
        blocks = (z.queries + z.block - 1) // z.block
        across, back = z.heads * z.size, z.key_heads * z.size
        wide, values = z.heads * z.width, z.key_heads * z.width
        scores = scratch + room.scores
        lo, hi = row_part(i, n, q.shape[0] * z.heads * blocks)
        for unit in range(lo, hi):
            b, h, t0 = unit // (z.heads * blocks), unit // blocks % z.heads, unit % blocks * z.block
            kh = h * z.key_heads // z.heads
            rows = min(z.block, z.queries - t0)
            seen = _seen(z, t0 + rows, causal, mask)
            product(
                address_of(q) + ((b * z.queries + t0) * across + h * z.size) * size, across, 1,
                address_of(k) + (b * z.keys * back + kh * z.size) * size, 1, back,
                scores, seen, rows, z.size, seen, 0, scratch,
            )  # fmt: skip
            weigh(
                z, b, h, t0, rows, seen, scratch, mask, key, T(scale), causal, empty, rate,
                largest, total,
            )  # fmt: skip
            product(
                scores, seen, 1,
                address_of(v) + (b * z.keys * values + kh * z.width) * size, values, 1,
                address_of(out) + ((b * z.queries + t0) * wide + h * z.width) * size, wide,
                rows, seen, z.width, 0, scratch,
            )  # fmt: skip
        return 0

    return task


# ------------------------------------------------------------------ the gradient


class _Places(NamedTuple):
    """Where in memory a block of queries of one head finds its parts: addresses in bytes."""

    q: int
    k: int
    v: int
    g: int
    dq: int
    dk: int
    dv: int


def _make_pulls(T):
    """Row by row: ``weights(x, largest, factor)``, ``pull(p, d, scale)``, ``clear(x)``."""
    zero, exp = T(0), make_exp(T)

    @inner
    def weights(x, largest, factor):
        for j in range(x.size):
            x[j] = exp(x[j] - largest) * factor

    @inner
    def pull(p, d, scale):
        noalias()
        total = zero
        for j in range(p.size):
            total += p[j] * d[j]
        for j in range(p.size):
            d[j] = p[j] * (d[j] - total) * scale

    @inner
    def clear(x):
        for j in range(x.size):
            x[j] = zero

    return weights, pull, clear


def _make_slopes(T):
    """``slopes``: from scores and gradients of the weights of a block of queries to weights and
    gradients of the scores."""
    room, size = _room(T), T.bitwidth // 8
    hidden, zero, one, numbers = T(HIDDEN), T(0), T(1), view(T)
    hide, drop = _make_mask_row(T), _make_drop(T)
    weights, pull, _ = _make_pulls(T)

    @inner
    def slopes(z, b, h, t0, rows, seen, scratch, mask, key, largest, total, scale, causal, rate):
        stream = b * z.heads + h
        for t in range(t0, t0 + rows):
            here = (t - t0) * seen * size
            p = numbers(scratch + room.scores + here, seen)
            d = numbers(scratch + room.gradients + here, seen)
            _scale(p, scale)
            hide(p, mask, b, h, t, causal, hidden)
            weights(p, largest[b, h, t], one / total[b, h, t])
            if rate > 0.0:
                drop(d, key[0], stream, t * z.keys, rate)
            pull(p, d, scale)
            if largest[b, h, t] == hidden:
                hide(d, mask, b, h, t, causal, zero)
            if rate > 0.0:
                drop(p, key[0], stream, t * z.keys, rate)

    return slopes


def _make_blocks(T):
    """The products before and after `slopes`, for a block of queries."""
    room, product = _room(T), _make_product(T)

    @inner
    def before(z, at, rows, seen, scratch):
        across, back = z.heads * z.size, z.key_heads * z.size
        wide, values = z.heads * z.width, z.key_heads * z.width
        scores, grads = scratch + room.scores, scratch + room.gradients
        product(at.q, across, 1, at.k, 1, back, scores, seen, rows, z.size, seen, 0, scratch)
        product(at.g, wide, 1, at.v, 1, values, grads, seen, rows, z.width, seen, 0, scratch)

    @inner
    def after(z, at, rows, seen, scratch):
        across, back = z.heads * z.size, z.key_heads * z.size
        wide, values = z.heads * z.width, z.key_heads * z.width
        scores, grads = scratch + room.scores, scratch + room.gradients
        product(scores, 1, seen, at.g, wide, 1, at.dv, values, seen, rows, z.width, 1, scratch)
        product(grads, seen, 1, at.k, back, 1, at.dq, across, rows, seen, z.size, 0, scratch)
        product(grads, 1, seen, at.q, across, 1, at.dk, back, seen, rows, z.size, 1, scratch)

    return before, after


def attention_grad(T):
    """Gradients of queries, keys and values, for the gradient g of `out`."""
    size, numbers = T.bitwidth // 8, view(T)
    slopes, (before, after) = _make_slopes(T), _make_blocks(T)
    _, _, clear = _make_pulls(T)

    @exact
    def places(z, b, h, t0, g, q, k, v, dq, dk, dv):
        kh = h * z.key_heads // z.heads
        of_q = ((b * z.queries + t0) * z.heads + h) * z.size * size
        of_k = (b * z.keys * z.key_heads + kh) * z.size * size
        of_g = ((b * z.queries + t0) * z.heads + h) * z.width * size
        of_v = (b * z.keys * z.key_heads + kh) * z.width * size
        return _Places(
            address_of(q) + of_q, address_of(k) + of_k, address_of(v) + of_v, address_of(g) + of_g,
            address_of(dq) + of_q, address_of(dk) + of_k, address_of(dv) + of_v,
        )  # fmt: skip

    @exact
    def clear_head(z, at):
        for s in range(z.keys):
            clear(numbers(at.dk + s * z.key_heads * z.size * size, z.size))
            clear(numbers(at.dv + s * z.key_heads * z.width * size, z.width))

    def task(i, n, scratch, g, q, k, v, mask, key, largest, total, scale, causal, rate, dq, dk, dv):
        z = _sizes(q, k, v)
        group = z.heads // z.key_heads
        lo, hi = row_part(i, n, q.shape[0] * z.key_heads)
        for unit in range(lo * group, hi * group):
            b, h = unit // z.heads, unit % z.heads
            if h % group == 0:
                clear_head(z, places(z, b, h, 0, g, q, k, v, dq, dk, dv))
            for t0 in range(0, z.queries, z.block):
                at = places(z, b, h, t0, g, q, k, v, dq, dk, dv)
                rows = min(z.block, z.queries - t0)
                seen = _seen(z, t0 + rows, causal, mask)
                before(z, at, rows, seen, scratch)
                slopes(
                    z, b, h, t0, rows, seen, scratch, mask, key, largest, total, T(scale), causal,
                    rate,
                )  # fmt: skip
                after(z, at, rows, seen, scratch)
        return 0

    return task
