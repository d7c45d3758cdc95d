"""Batch normalisation of (rows, channels).

Sums over rows are taken chunk by chunk, a fixed number of rows whatever the number of tasks: each
chunk leaves its sums in a place of its own, and one more kernel adds them up. Narrow rows are put
together to lines of about `LINE` numbers, which fill vector registers.
"""

import math

from numba import types

from ._jit import exact, inner, noalias, shared, view
from ._parts import BLOCK, flat, flat_part, piece, row_part, row_piece
from .reduce import BLOCK as ROWS_AT_ONCE
from .reduce import SLOT, TILE, make_flush

LINE = 64


@exact
def rows_of_line(channels):
    """How many rows are worked on as one: 1 unless they are narrow."""
    return max(1, LINE // max(1, channels))


@exact
def blocks_of(channels):
    """Groups of columns that a task may own."""
    return max(1, (channels + BLOCK - 1) // BLOCK)


@exact
def columns_of(lo, hi, k, blocks, channels):
    """Columns of chunk k among the units from lo to hi, which count blocks of all chunks."""
    return max(lo - k * blocks, 0) * BLOCK, min(min(hi - k * blocks, blocks) * BLOCK, channels)


def make_sum_lines(T, one, four):
    """Compiled function (at, end, pitch, sums, totals, arguments): totals = the sum over lines.

    Lines start `pitch` numbers apart and are as long as `sums`, the last one ends at `end`.
    ``one(at, b, sums, *arguments)`` adds what belongs to the numbers from `at` to b, ``four(at,
    pitch, sums, *arguments)`` to those of four whole lines, so that sums are touched less often.
    """
    zero = T(0)
    flush = make_flush(T)

    @inner
    def sum_lines(at, end, pitch, sums, totals, arguments):
        for j in range(sums.size):
            sums[j] = zero
            totals[j] = 0.0
        reach = 3 * pitch + sums.size
        while at < end:
            stop = min(end, at + ROWS_AT_ONCE * pitch)
            while at + reach <= stop:
                four(at, pitch, sums, *arguments)
                at += 4 * pitch
            while at < stop:
                one(at, min(at + sums.size, end), sums, *arguments)
                at += pitch
            flush(sums, totals)

    return sum_lines


@exact
def fold(totals, width):
    """Add the rows of a line up: the first `width` numbers become the sums of all."""
    for a in range(width, totals.size, width):
        for j in range(width):
            totals[j] += totals[a + j]


@inner
def copy(values, line):
    """Fill the beginning of a line."""
    noalias()
    for j in range(values.size):
        line[j] = values[j]


@exact
def repeat(line, width):
    """Fill a line with its first `width` numbers, again and again."""
    for j in range(width, line.size):
        line[j] = line[j - width]


@inner
def clear(a, b):
    noalias()
    for j in range(a.size):
        a[j] = 0.0
        b[j] = 0.0


@inner
def add(x, totals):
    noalias()
    for j in range(totals.size):
        totals[j] += x[j]


def make_chunk_sums(T, sum_chunk):
    """Task body (i, n, scratch, x, step, arguments): the units of this task, one by one.

    ``sum_chunk(scratch, k, c, width, line, at, end, pitch, arguments)`` sums `width` columns from c
    on of chunk k, whose lines of `line` numbers lie from `at` to `end`.
    """

    @inner
    def run(i, n, scratch, rows, channels, chunks, step, arguments):
        together, blocks = rows_of_line(channels), blocks_of(channels)
        lo, hi = row_part(i, n, chunks * blocks)
        for k in range(lo // blocks, (hi + blocks - 1) // blocks):
            first, last = columns_of(lo, hi, k, blocks, channels)
            stop = min(rows, (k + 1) * step)
            for c in range(first, last, TILE):
                width = min(TILE, last - c)
                end = stop * channels if together > 1 else (stop - 1) * channels + c + width
                sum_chunk(
                    scratch, k, c, width, width * together, k * step * channels + c, end,
                    channels * together, arguments,
                )  # fmt: skip

    return run


@inner
def add_to(x, sums):
    noalias()
    for j in range(x.size):
        sums[j] += x[j]


@inner
def add_line(a, b, sums, x):
    add_to(piece(x, a, b), sums)


@inner
def add_four(a, b, c, d, sums):
    noalias()
    for j in range(sums.size):
        sums[j] += (a[j] + b[j]) + (c[j] + d[j])


@exact
def four_lines(x, at, pitch, width):
    """Four lines of a flat array, `pitch` numbers apart."""
    return (
        piece(x, at, at + width),
        piece(x, at + pitch, at + pitch + width),
        piece(x, at + 2 * pitch, at + 2 * pitch + width),
        piece(x, at + 3 * pitch, at + 3 * pitch + width),
    )


@inner
def add_four_lines(at, pitch, sums, x):
    a, b, c, d = four_lines(x, at, pitch, sums.size)
    add_four(a, b, c, d, sums)


@inner
def add_to_squares(x, mean, sums):
    noalias()
    for j in range(x.size):
        d = x[j] - mean[j]
        sums[j] += d * d


@inner
def add_squares(a, b, sums, x, mean):
    add_to_squares(piece(x, a, b), mean, sums)


@inner
def add_four_to_squares(a, b, c, d, mean, sums):
    noalias()
    for j in range(sums.size):
        p, q = a[j] - mean[j], b[j] - mean[j]
        r, s = c[j] - mean[j], d[j] - mean[j]
        sums[j] += (p * p + q * q) + (r * r + s * s)


@inner
def add_four_squares(at, pitch, sums, x, mean):
    a, b, c, d = four_lines(x, at, pitch, sums.size)
    add_four_to_squares(a, b, c, d, mean, sums)


@inner
def average(totals, count, mean):
    noalias()
    for j in range(totals.size):
        mean[j] = totals[j] / count


def batch_sums(T):
    """Sums of each chunk of `step` rows, and sums of the squared distances from its mean.

    Those of chunk k are rows 2 k and 2 k + 1 of `sums`.
    """
    of_type, of_double = view(T), view(types.float64)

    sum_lines = make_sum_lines(T, add_line, add_four_lines)
    sum_squares = make_sum_lines(T, add_squares, add_four_squares)

    @inner
    def sum_chunk(scratch, k, c, width, line, at, end, pitch, arguments):
        x, sums, rows, step = arguments
        part, totals = of_type(scratch, line), of_double(scratch + SLOT, line)
        mean, count = of_type(scratch + 2 * SLOT, line), min(step, rows - k * step)
        sum_lines(at, end, pitch, part, totals, (x,))
        fold(totals, width)
        own = piece(totals, 0, width)
        copy(own, row_piece(sums, 2 * k, c, c + width))
        average(own, types.float64(count), mean)
        repeat(mean, width)
        sum_squares(at, end, pitch, part, totals, (x, mean))
        fold(totals, width)
        copy(own, row_piece(sums, 2 * k + 1, c, c + width))

    run = make_chunk_sums(T, sum_chunk)

    def task(i, n, scratch, x, step, sums):
        rows, channels = x.shape
        run(i, n, scratch, rows, channels, sums.shape[0] // 2, step, (flat(x), sums, rows, step))
        return 0

    return task


@inner
def divide(totals, rows):
    for j in range(totals.size):
        totals[j] /= rows


@inner
def add_moments(total, square, count, mean, squares):
    noalias()
    for j in range(mean.size):
        d = total[j] / count - mean[j]
        squares[j] += square[j] + count * (d * d)


@inner
def store_moments(totals, squares, rows, mean, variance):
    noalias()
    for j in range(totals.size):
        mean[j] = totals[j]
        variance[j] = squares[j] / rows


def batch_moments(T):
    """Mean and (biased) variance of each channel from what `batch_sums` found in the chunks.

    Source: Chan, Golub and LeVeque 1983.
    """
    of_double = view(types.float64)

    def task(i, n, scratch, sums, rows, step, mean, variance):
        lo, hi = flat_part(i, n, mean.size)
        for c in range(lo, hi, TILE):
            stop = min(hi, c + TILE)
            totals = of_double(scratch, stop - c)
            squares = of_double(scratch + SLOT, stop - c)
            clear(totals, squares)
            for k in range(0, sums.shape[0], 2):
                add(row_piece(sums, k, c, stop), totals)
            divide(totals, types.float64(rows))
            for k in range(0, sums.shape[0], 2):
                count = types.float64(min(step, rows - k // 2 * step))
                add_moments(
                    row_piece(sums, k, c, stop), row_piece(sums, k + 1, c, stop), count, totals,
                    squares,
                )  # fmt: skip
            store_moments(
                totals, squares, types.float64(rows), piece(mean, c, stop), piece(variance, c, stop)
            )
        return 0

    return task


@exact
def line_part(i, n, rows, channels):
    """Bounds in numbers of a part of whole lines."""
    step = rows_of_line(channels)
    lo, hi = row_part(i, n, (rows + step - 1) // step)
    return lo * step * channels, min(rows, hi * step) * channels


@exact
def rows_part(i, n, rows, channels):
    """Bounds in rows of such a part."""
    step = rows_of_line(channels)
    lo, hi = row_part(i, n, (rows + step - 1) // step)
    return lo * step, min(rows, hi * step)


@inner
def affine(x, scale, shift, y):
    noalias()
    for j in range(x.size):
        y[j] = x[j] * scale[j] + shift[j]


@inner
def affine_lines(x, y, at, end, pitch, scale, shift):
    while at < end:
        stop = min(end, at + scale.size)
        affine(piece(x, at, stop), scale, shift, piece(y, at, stop))
        at += pitch


def normalise(T):
    """y = gamma (x - mean) / sqrt(variance + eps) + beta; gamma, beta of size 0: 1, 0."""
    zero, one = T(0), T(1)
    of_type = view(T)

    def task(i, n, scratch, x, mean, variance, gamma, beta, eps, y):
        rows, channels = x.shape
        together = rows_of_line(channels)
        lo, hi = line_part(i, n, rows, channels)
        for c in range(0, channels, TILE):
            width = min(TILE, channels - c)
            line = width * together
            scale, shift = of_type(scratch, line), of_type(scratch + SLOT, line)
            for j in range(width):
                factor = one / math.sqrt(variance[c + j] + T(eps))
                if gamma.size > 0:
                    factor *= gamma[c + j]
                scale[j] = factor
                shift[j] = (beta[c + j] if beta.size > 0 else zero) - mean[c + j] * factor
            repeat(scale, width)
            repeat(shift, width)
            end = hi if together > 1 else hi - channels + c + width
            affine_lines(flat(x), flat(y), lo + c, end, channels * together, scale, shift)
        return 0

    return task


@shared
def make_add_gradients(T, gated):
    """Compiled functions that add gradients g to `sums`, and g (x - mean) to `products`.

    Two of them, of one line and of two. If `gated`, g counts only where ``x * scale + shift`` is
    positive, as behind a relu.
    """
    zero = T(0)

    @exact
    def passed(g, x, scale, shift):
        if gated:
            return g if x * scale + shift > zero else zero
        return g

    @inner
    def add_line(g, x, mean, scale, shift, sums, products):
        noalias()
        for j in range(g.size):
            value = passed(g[j], x[j], scale[j] if gated else zero, shift[j] if gated else zero)
            sums[j] += value
            products[j] += value * (x[j] - mean[j])

    @inner
    def add_two(g, x, h, z, mean, scale, shift, sums, products):
        noalias()
        for j in range(g.size):
            m = mean[j]
            a = passed(g[j], x[j], scale[j] if gated else zero, shift[j] if gated else zero)
            b = passed(h[j], z[j], scale[j] if gated else zero, shift[j] if gated else zero)
            sums[j] += a + b
            products[j] += a * (x[j] - m) + b * (z[j] - m)

    return add_line, add_two


@shared
def make_sum_gradients(T, gated):
    """Compiled function (at, end, pitch, g, x, constants, parts, totals): both sums over lines.

    Lines as in `make_sum_lines`; constants: mean, scale, shift of a line; parts and totals: sums of
    g and of g (x - mean).
    """
    zero = T(0)
    flush = make_flush(T)
    add_line, add_two = make_add_gradients(T, gated)

    @inner
    def sum_gradients(at, end, pitch, g, x, mean, scale, shift, sums, products, totals, others):
        width = sums.size
        for j in range(width):
            sums[j] = products[j] = zero
            totals[j] = others[j] = 0.0
        while at < end:
            stop = min(end, at + ROWS_AT_ONCE * pitch)
            while at + pitch + width <= stop:
                add_two(
                    piece(g, at, at + width), piece(x, at, at + width),
                    piece(g, at + pitch, at + pitch + width),
                    piece(x, at + pitch, at + pitch + width), mean, scale, shift, sums, products,
                )  # fmt: skip
                at += 2 * pitch
            while at < stop:
                b = min(at + width, end)
                add_line(piece(g, at, b), piece(x, at, b), mean, scale, shift, sums, products)
                at += pitch
            flush(sums, totals)
            flush(products, others)

    return sum_gradients


@inner
def fill(values, line, width):
    """Fill a line with `width` constants of columns, again and again."""
    copy(values, line)
    repeat(line, width)


def batch_norm_grad_sums(T):
    """Sums of g and of g (x - mean) over each chunk of `step` rows.

    mean: one row, or several for equal shares of the chunks. lines: scale and shift of the forward
    pass if a relu came behind it, whose gradient is then taken in; without rows: none.
    """
    of_type, of_double = view(T), view(types.float64)
    plain, gated = make_sum_gradients(T, False), make_sum_gradients(T, True)

    @inner
    def sum_chunk(scratch, k, c, width, line, at, end, pitch, arguments):
        g, x, means, lines, sums = arguments
        parts, others = of_type(scratch, line), of_type(scratch + SLOT, line)
        totals, products = of_double(scratch + 2 * SLOT, line), of_double(scratch + 3 * SLOT, line)
        mean = of_type(scratch + 4 * SLOT, line)
        share = sums.shape[0] // 2 // means.shape[0]
        fill(row_piece(means, k // share, c, c + width), mean, width)
        if lines.shape[0] > 0:
            scale, shift = of_type(scratch + 5 * SLOT, line), of_type(scratch + 6 * SLOT, line)
            fill(row_piece(lines, 0, c, c + width), scale, width)
            fill(row_piece(lines, 1, c, c + width), shift, width)
            gated(at, end, pitch, g, x, mean, scale, shift, parts, others, totals, products)
        else:
            plain(at, end, pitch, g, x, mean, mean, mean, parts, others, totals, products)
        fold(totals, width)
        fold(products, width)
        copy(piece(totals, 0, width), row_piece(sums, 2 * k, c, c + width))
        copy(piece(products, 0, width), row_piece(sums, 2 * k + 1, c, c + width))

    run = make_chunk_sums(T, sum_chunk)

    def task(i, n, scratch, g, x, mean, lines, step, sums):
        rows, channels = x.shape
        arguments = flat(g), flat(x), mean, lines, sums
        run(i, n, scratch, rows, channels, sums.shape[0] // 2, step, arguments)
        return 0

    return task


@inner
def slopes(totals, products, variance, eps, rows, per_g, per_x, shift):
    noalias()
    for j in range(totals.size):
        per_x[j] = -per_g[j] / (variance[j] + eps) * (products[j] / rows)
        shift[j] = -per_g[j] * (totals[j] / rows)


@inner
def store_weights(totals, products, variance, eps, dgamma, dbeta):
    noalias()
    for j in range(dgamma.size):
        dgamma[j] = products[j] / math.sqrt(variance[j] + eps)
    for j in range(dbeta.size):
        dbeta[j] = totals[j]


def batch_norm_grad_factors(T):
    """dx = g * factors[0] + (x - mean) * factors[1] + factors[2], from the sums of all chunks.

    dgamma, dbeta of size 0: not wanted; gamma of size 0: 1. rows: their number where mean and
    variance are those of x and depend on it, 0 where they are constants.
    """
    zero, one = T(0), T(1)
    of_double = view(types.float64)

    @inner
    def scale(variance, gamma, eps, per_g):
        noalias()
        for j in range(variance.size):
            per_g[j] = one / math.sqrt(variance[j] + eps)
        for j in range(gamma.size):
            per_g[j] *= gamma[j]

    def task(i, n, scratch, sums, variance, gamma, eps, rows, factors, dgamma, dbeta):
        lo, hi = flat_part(i, n, variance.size)
        for c in range(lo, hi, TILE):
            stop = min(hi, c + TILE)
            totals = of_double(scratch, stop - c)
            products = of_double(scratch + SLOT, stop - c)
            v = piece(variance, c, stop)
            clear(totals, products)
            for k in range(0, sums.shape[0], 2):
                add(row_piece(sums, k, c, stop), totals)
                add(row_piece(sums, k + 1, c, stop), products)
            per_g = row_piece(factors, 0, c, stop)
            per_x, shift = row_piece(factors, 1, c, stop), row_piece(factors, 2, c, stop)
            scale(v, piece(gamma, c, stop) if gamma.size > 0 else gamma, T(eps), per_g)
            if rows > 0:
                slopes(totals, products, v, T(eps), types.float64(rows), per_g, per_x, shift)
            else:
                per_x[:] = zero
                shift[:] = zero
            store_weights(
                totals, products, v, T(eps),
                piece(dgamma, c, stop) if dgamma.size > 0 else dgamma,
                piece(dbeta, c, stop) if dbeta.size > 0 else dbeta,
            )  # fmt: skip
        return 0

    return task


@shared
def make_combine(T, gated):
    """Compiled function: the gradients of x of lines, see `batch_norm_grad`."""
    zero = T(0)

    @inner
    def combine(g, x, scale, shift, mean, per_g, per_x, rest, dx):
        noalias()
        for j in range(g.size):
            passed = not gated or x[j] * scale[j] + shift[j] > zero
            value = g[j] if passed else zero
            dx[j] = (value * per_g[j] + (x[j] - mean[j]) * per_x[j]) + rest[j]

    @inner
    def combine_lines(g, x, dx, at, end, pitch, scale, shift, mean, per_g, per_x, rest):
        while at < end:
            stop = min(end, at + mean.size)
            combine(
                piece(g, at, stop), piece(x, at, stop), scale, shift, mean, per_g, per_x, rest,
                piece(dx, at, stop),
            )  # fmt: skip
            at += pitch

    return combine_lines


@exact
def share_of(lo, hi, number, share):
    """The rows from lo to hi that belong to a share."""
    return max(lo, number * share), min(hi, (number + 1) * share)


def batch_norm_grad(T):
    """The gradient of the input, from the factors of `batch_norm_grad_factors`.

    mean, factors: one row and three, or several of each for equal shares of the rows. lines: as in
    `batch_norm_grad_sums`. dx may be the same array as g.
    """
    of_type = view(T)
    plain, gated = make_combine(T, False), make_combine(T, True)

    @inner
    def part(number, lo, hi, scratch, g, x, mean, lines, factors, dx):
        channels = x.shape[1]
        together = rows_of_line(channels)
        for c in range(0, channels, TILE):
            width = min(TILE, channels - c)
            line = width * together
            m, per_g = of_type(scratch, line), of_type(scratch + SLOT, line)
            per_x, rest = of_type(scratch + 2 * SLOT, line), of_type(scratch + 3 * SLOT, line)
            scale, shift = of_type(scratch + 4 * SLOT, line), of_type(scratch + 5 * SLOT, line)
            fill(row_piece(mean, number, c, c + width), m, width)
            fill(row_piece(factors, 3 * number, c, c + width), per_g, width)
            fill(row_piece(factors, 3 * number + 1, c, c + width), per_x, width)
            fill(row_piece(factors, 3 * number + 2, c, c + width), rest, width)
            end = hi * channels if together > 1 else (hi - 1) * channels + c + width
            at, pitch = lo * channels + c, channels * together
            if lines.shape[0] > 0:
                fill(row_piece(lines, 0, c, c + width), scale, width)
                fill(row_piece(lines, 1, c, c + width), shift, width)
                gated(
                    flat(g), flat(x), flat(dx), at, end, pitch, scale, shift, m, per_g, per_x, rest
                )
            else:
                plain(flat(g), flat(x), flat(dx), at, end, pitch, m, m, m, per_g, per_x, rest)

    def task(i, n, scratch, g, x, mean, lines, factors, dx):
        lo, hi = rows_part(i, n, x.shape[0], x.shape[1])
        share = max(1, x.shape[0] // mean.shape[0])
        for number in range(lo // share, (hi + share - 1) // share):
            a, b = share_of(lo, hi, number, share)
            part(number, a, b, scratch, g, x, mean, lines, factors, dx)
        return 0

    return task


def moving_average(T):
    """moving = moving * momentum + batch * (1 - momentum)."""

    @inner
    def part(moving, batch, old, new):
        noalias()
        for j in range(moving.size):
            moving[j] = moving[j] * old + batch[j] * new

    def task(i, n, scratch, moving, batch, momentum):
        lo, hi = flat_part(i, n, moving.size)
        part(piece(moving, lo, hi), piece(batch, lo, hi), T(momentum), T(1.0 - momentum))
        return 0

    return task
