"""Batch normalisation together with what comes before and behind it.

A normalisation whose statistics are known is a line, ``x * scale + shift``, for each channel:
`lines` holds all scales in its first row, all shifts in its second. Pooling is that of windows of
2 x 2 pixels side by side, in images that they cover: `width` windows lie in a row. The place of the
largest number of each is kept in a byte: 0 to 3 row by row, `NOTHING` where no gradient passes.
"""

import math

from numba import types

from ._jit import exact, inner, noalias, view
from ._parts import flat, flat_part, piece, row_part, row_piece
from .norm import copy, fill, rows_of_line, rows_part, share_of
from .reduce import BLOCK as ROWS_AT_ONCE
from .reduce import SLOT, TILE, make_flush

NOTHING = 4


def norm_lines(T):
    """The lines of ``(x + bias - mean) / sqrt(variance + eps) * gamma + beta``.

    gamma, beta, bias of size 0: 1, 0, 0.
    """
    zero, one = T(0), T(1)

    def task(i, n, scratch, mean, variance, gamma, beta, bias, eps, lines):
        lo, hi = flat_part(i, n, mean.size)
        for j in range(lo, hi):
            factor = one / math.sqrt(variance[j] + T(eps))
            if gamma.size > 0:
                factor *= gamma[j]
            centre = mean[j] - (bias[j] if bias.size > 0 else zero)
            lines[0, j] = factor
            lines[1, j] = (beta[j] if beta.size > 0 else zero) - centre * factor
        return 0

    return task


def _make_scales(T):
    """Compiled functions of a line: x * scale + shift, and its relu."""
    zero = T(0)

    @inner
    def plain(x, scale, shift, y):
        noalias()
        for j in range(x.size):
            y[j] = x[j] * scale[j] + shift[j]

    @inner
    def relu(x, scale, shift, y):
        noalias()
        for j in range(x.size):
            value = x[j] * scale[j] + shift[j]
            y[j] = zero if value <= zero else value

    return plain, relu


def scale_shift(T):
    """y = x * scale + shift, or its relu for act 1.

    lines: `sets` times scale and shift, or the scale alone, for equal shares of the rows.
    """
    zero, of_type = T(0), view(T)
    plain, relu = _make_scales(T)

    @inner
    def part(lines, first, rows, lo, hi, scratch, x, act, y):
        channels = x.shape[1]
        together = rows_of_line(channels)
        for c in range(0, channels, TILE):
            width = min(TILE, channels - c)
            line = width * together
            scale, shift = of_type(scratch, line), of_type(scratch + SLOT, line)
            fill(row_piece(lines, first, c, c + width), scale, width)
            shift[:] = zero
            if rows > 1:
                fill(row_piece(lines, first + 1, c, c + width), shift, width)
            end = hi * channels if together > 1 else (hi - 1) * channels + c + width
            for at in range(lo * channels + c, end, channels * together):
                stop = min(end, at + line)
                if act == 1:
                    relu(piece(flat(x), at, stop), scale, shift, piece(flat(y), at, stop))
                else:
                    plain(piece(flat(x), at, stop), scale, shift, piece(flat(y), at, stop))

    def task(i, n, scratch, x, lines, sets, act, y):
        lo, hi = rows_part(i, n, x.shape[0], x.shape[1])
        share, rows = max(1, x.shape[0] // sets), lines.shape[0] // sets
        for number in range(lo // share, (hi + share - 1) // share):
            a, b = share_of(lo, hi, number, share)
            part(lines, number * rows, rows, a, b, scratch, x, act, y)
        return 0

    return task


@exact
def window_at(number, width, channels):
    """Where the four pixels of a window start: the first, and the step to the next row."""
    row = 2 * width * channels
    return number // width * 2 * row + number % width * 2 * channels, row


def scale_relu_pool(T):
    """y = the largest of the four numbers ``relu(x * scale + shift)`` of each window.

    index = its place, `NOTHING` where it is 0 or NaN.
    """
    zero = T(0)

    @inner
    def largest(a, b, c, d, scale, shift, y, index):
        noalias()
        for j in range(y.size):
            s, h = scale[j], shift[j]
            best, tap = a[j] * s + h, types.int32(0)
            other = b[j] * s + h
            better = other > best or other != other
            best, tap = other if better else best, types.int32(1) if better else tap
            other = c[j] * s + h
            better = other > best or other != other
            best, tap = other if better else best, types.int32(2) if better else tap
            other = d[j] * s + h
            better = other > best or other != other
            best, tap = other if better else best, types.int32(3) if better else tap
            y[j] = zero if best <= zero else best
            index[j] = types.uint8(tap if best > zero else types.int32(NOTHING))

    def task(i, n, scratch, x, lines, width, y, index):
        channels = lines.shape[1]
        scale, shift = row_piece(lines, 0, 0, channels), row_piece(lines, 1, 0, channels)
        lo, hi = row_part(i, n, y.size // max(1, channels))
        for number in range(lo, hi):
            at, row = window_at(number, width, channels)
            below, out = at + row, number * channels
            largest(
                piece(x, at, at + channels), piece(x, at + channels, at + 2 * channels),
                piece(x, below, below + channels),
                piece(x, below + channels, below + 2 * channels), scale, shift,
                piece(y, out, out + channels), piece(index, out, out + channels),
            )  # fmt: skip
        return 0

    return task


def pool_norm_grad_sums(T):
    """Sums of g and of g (x - mean) over each chunk of `step` windows, see `batch_norm_grad_sums`.

    g counts at the pixel of its window that `index` names.
    """
    zero = T(0)
    of_type, of_double, flush = view(T), view(types.float64), make_flush(T)

    @inner
    def add(g, index, a, b, c, d, mean, sums, products):
        noalias()
        for j in range(sums.size):
            tap = types.int32(index[j])
            value = zero if tap == NOTHING else g[j]
            x = a[j] if tap == 0 else (b[j] if tap == 1 else (c[j] if tap == 2 else d[j]))
            sums[j] += value
            products[j] += value * (x - mean[j])

    @inner
    def sum_chunk(g, index, x, mean, width, lo, hi, c, channels, sums, products, totals, others):
        size = sums.size
        for j in range(size):
            sums[j] = products[j] = zero
            totals[j] = others[j] = 0.0
        for first in range(lo, hi, ROWS_AT_ONCE):
            for number in range(first, min(hi, first + ROWS_AT_ONCE)):
                at, row = window_at(number, width, channels)
                at, here = at + c, number * channels + c
                right, below = at + channels, at + row
                corner = below + channels
                add(
                    piece(g, here, here + size), piece(index, here, here + size),
                    piece(x, at, at + size), piece(x, right, right + size),
                    piece(x, below, below + size), piece(x, corner, corner + size),
                    mean, sums, products,
                )  # fmt: skip
            flush(sums, totals)
            flush(products, others)

    def task(i, n, scratch, g, index, x, mean, width, step, sums):
        channels = mean.size
        windows = g.size // max(1, channels)
        lo, hi = row_part(i, n, sums.shape[0] // 2)
        for k in range(lo, hi):
            for c in range(0, channels, TILE):
                stop = min(channels, c + TILE)
                size = stop - c
                totals, others = of_double(scratch, size), of_double(scratch + SLOT, size)
                sum_chunk(
                    g, index, x, piece(mean, c, stop), width, k * step,
                    min(windows, (k + 1) * step), c, channels, of_type(scratch + 2 * SLOT, size),
                    of_type(scratch + 3 * SLOT, size), totals, others,
                )  # fmt: skip
                copy(totals, row_piece(sums, 2 * k, c, stop))
                copy(others, row_piece(sums, 2 * k + 1, c, stop))
        return 0

    return task


def pool_norm_grad(T):
    """The gradient of x of `scale_relu_pool`, whose lines depend on x; see `batch_norm_grad`."""
    zero = T(0)

    @inner
    def combine(g, index, a, b, c, d, mean, per_g, per_x, rest, da, db, dc, dd):
        noalias()
        for j in range(g.size):
            tap, value = types.int32(index[j]), g[j]
            m, p, q, r = mean[j], per_g[j], per_x[j], rest[j]
            da[j] = ((value if tap == 0 else zero) * p + (a[j] - m) * q) + r
            db[j] = ((value if tap == 1 else zero) * p + (b[j] - m) * q) + r
            dc[j] = ((value if tap == 2 else zero) * p + (c[j] - m) * q) + r
            dd[j] = ((value if tap == 3 else zero) * p + (d[j] - m) * q) + r

    def task(i, n, scratch, g, index, x, mean, factors, width, dx):
        channels = mean.size
        per_g, per_x = row_piece(factors, 0, 0, channels), row_piece(factors, 1, 0, channels)
        rest = row_piece(factors, 2, 0, channels)
        lo, hi = row_part(i, n, g.size // max(1, channels))
        for number in range(lo, hi):
            at, row = window_at(number, width, channels)
            right, below, here = at + channels, at + row, number * channels
            corner = below + channels
            combine(
                piece(g, here, here + channels), piece(index, here, here + channels),
                piece(x, at, right), piece(x, right, right + channels),
                piece(x, below, corner), piece(x, corner, corner + channels),
                mean, per_g, per_x, rest,
                piece(dx, at, right), piece(dx, right, right + channels),
                piece(dx, below, corner), piece(dx, corner, corner + channels),
            )  # fmt: skip
        return 0

    return task
