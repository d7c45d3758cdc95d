"""Batch normalisation of (rows, channels): statistics and gradients own channels, the rest rows."""

import math

from numba import types

from ._jit import inner, noalias, view
from ._parts import flat_part, piece, row_part, row_piece
from .reduce import SLOT, TILE, make_add_row, make_store, make_sum_rows


def batch_statistics(T):
    """Mean and (biased) variance of each channel, in two passes."""
    of_type, of_double = view(T), view(types.float64)

    @inner
    def add_squares(x, mean, sums):
        noalias()
        for j in range(sums.size):
            d = x[j] - mean[j]
            sums[j] += d * d

    @inner
    def add(r, sums, x, c, mean):
        add_squares(row_piece(x, r, c, c + sums.size), mean, sums)

    @inner
    def average(totals, rows, out):
        noalias()
        for j in range(totals.size):
            out[j] = T(totals[j] / rows)

    sum_rows, sum_squares = make_sum_rows(T, make_add_row(T)), make_sum_rows(T, add)

    def task(i, n, scratch, x, mean, variance):
        lo, hi = flat_part(i, n, x.shape[1])
        rows = types.float64(x.shape[0])
        for c in range(lo, hi, TILE):
            width = min(TILE, hi - c)
            sums, totals = of_type(scratch, width), of_double(scratch + SLOT, width)
            m = piece(mean, c, c + width)
            sum_rows(x.shape[0], sums, totals, (x, c))
            average(totals, rows, m)
            sum_squares(x.shape[0], sums, totals, (x, c, m))
            average(totals, rows, piece(variance, c, c + width))
        return 0

    return task


def normalise(T):
    """y = gamma (x - mean) / sqrt(variance + eps) + beta; gamma, beta of size 0: 1, 0."""
    zero, one = T(0), T(1)
    of_type = view(T)

    @inner
    def affine(x, scale, shift, y):
        noalias()
        for j in range(x.size):
            y[j] = x[j] * scale[j] + shift[j]

    def task(i, n, scratch, x, mean, variance, gamma, beta, eps, y):
        lo, hi = row_part(i, n, x.shape[0])
        for c in range(0, x.shape[1], TILE):
            width = min(TILE, x.shape[1] - c)
            scale, shift = of_type(scratch, width), of_type(scratch + SLOT, width)
            for j in range(width):
                factor = one / math.sqrt(variance[c + j] + T(eps))
                if gamma.size > 0:
                    factor *= gamma[c + j]
                scale[j] = factor
                shift[j] = (beta[c + j] if beta.size > 0 else zero) - mean[c + j] * factor
            for r in range(lo, hi):
                affine(row_piece(x, r, c, c + width), scale, shift, row_piece(y, r, c, c + width))
        return 0

    return task


def make_coefficients(T):
    """Compiled function that makes of the sums over a tile's rows the coefficients of its dx.

    dx = g * per_g + (x - mean) * per_x + shift, and products = sum of g (x - mean) becomes dgamma.
    """
    zero, one = T(0), T(1)

    @inner
    def coefficients(variance, gamma, eps, rows, sums, products, per_g, per_x, shift):
        for j in range(variance.size):
            inverse = one / math.sqrt(variance[j] + eps)
            factor = inverse * gamma[j] if gamma.size > 0 else inverse
            product = T(products[j])
            products[j] = product * inverse
            per_g[j], per_x[j], shift[j] = factor, zero, zero
            if rows > 0:
                per_x[j] = -factor * inverse * inverse * (product / T(rows))
                shift[j] = -factor * T(sums[j] / rows)

    return coefficients


def make_add_products(T):
    """Compiled function (r, sums, g, x, c, mean): sums += g (x - mean) in row r."""

    @inner
    def add_products(g, x, mean, sums):
        noalias()
        for j in range(sums.size):
            sums[j] += g[j] * (x[j] - mean[j])

    @inner
    def add(r, sums, g, x, c, mean):
        stop = c + sums.size
        add_products(row_piece(g, r, c, stop), row_piece(x, r, c, stop), mean, sums)

    return add


def batch_norm_grad(T):
    """Gradients of `normalise`; dgamma, dbeta of size 0: not wanted; gamma of size 0: 1.

    from_batch: 1 when mean and variance are those of x and depend on it, 0 when they are constants.
    """
    of_type, of_double = view(T), view(types.float64)
    sum_rows, store = make_sum_rows(T, make_add_row(T)), make_store(T)
    sum_products, coefficients = make_sum_rows(T, make_add_products(T)), make_coefficients(T)

    @inner
    def combine(g, x, mean, per_g, per_x, shift, dx):
        noalias()
        for j in range(g.size):
            dx[j] = (g[j] * per_g[j] + (x[j] - mean[j]) * per_x[j]) + shift[j]

    def task(i, n, scratch, g, x, mean, variance, gamma, eps, from_batch, dx, dgamma, dbeta):
        lo, hi = flat_part(i, n, g.shape[1])
        rows = g.shape[0]
        for c in range(lo, hi, TILE):
            stop = min(hi, c + TILE)
            width = stop - c
            m = piece(mean, c, stop)
            sums, products = of_double(scratch, width), of_double(scratch + SLOT, width)
            per_g, per_x = of_type(scratch + 2 * SLOT, width), of_type(scratch + 3 * SLOT, width)
            shift = of_type(scratch + 4 * SLOT, width)
            sum_rows(rows, shift, sums, (g, c))
            sum_products(rows, shift, products, (g, x, c, m))
            coefficients(
                piece(variance, c, stop),
                piece(gamma, c, stop) if gamma.size > 0 else gamma,
                T(eps), rows * from_batch, sums, products, per_g, per_x, shift,
            )  # fmt: skip
            if dgamma.size > 0:
                store(products, piece(dgamma, c, stop))
            if dbeta.size > 0:
                store(sums, piece(dbeta, c, stop))
            for r in range(rows):
                combine(
                    row_piece(g, r, c, stop), row_piece(x, r, c, stop), m, per_g, per_x, shift,
                    row_piece(dx, r, c, stop),
                )  # fmt: skip
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
