"""Adafactor: mean squares kept as a factor per row and a factor per column of each matrix.

A variable is a stack of matrices, given as one matrix of all their rows. Their rows are worked on
in blocks of `ROWS`, so that the number of tasks never changes the bits of a sum; `partial` has a
row for each block, `of_weights` and `of_steps` a sum of squares. The step is left in the gradient's
place until its mean square is known. Variables without two axes have no factors. `hyper` holds
`formulas.COMMON`, beta_2_decay, epsilon_1, epsilon_2 and clip_threshold.
"""

import math

from numba import types

from ..table import CHUNK, ROWS
from ._jit import exact, inner, noalias, view
from ._parts import chunk_part, end_of_chunk, flat, flat_part, piece, row_part, row_piece

TILE = 1024  # columns whose sums stay in the first cache


@exact
def _kept(hyper):
    """The share of the mean squares that is kept in this step."""
    return 1.0 - (hyper[2] + 1.0) ** hyper[3]


@inner
def _shrink(w, share):
    noalias()
    for j in range(w.size):
        w[j] -= w[j] * share


def _make_block(T):
    """Compiled function: the sums of one block; totals = those of its rows; returns that of w."""
    zero = T(0)

    @inner
    def part(w, g, sums, epsilon):
        noalias()
        of_gradients, of_weights = zero, zero
        for j in range(w.size):
            square = g[j] * g[j] + epsilon
            sums[j] += square
            of_gradients += square
            of_weights += w[j] * w[j]
        return types.float64(of_gradients), types.float64(of_weights)

    @inner
    def block(w, g, partial, at, first, totals, epsilon, share):
        of_weights = 0.0
        totals[:] = 0.0
        for c in range(0, w.shape[1], TILE):
            stop = min(w.shape[1], c + TILE)
            sums = row_piece(partial, at, c, stop)
            sums[:] = zero
            for r in range(totals.size):
                kept = row_piece(w, first + r, c, stop)
                if share != zero:
                    _shrink(kept, share)
                a, b = part(kept, row_piece(g, first + r, c, stop), sums, epsilon)
                totals[r] += a
                of_weights += b
        return of_weights

    return block


def adafactor_squares(T):
    """Row factors, and the sums of squared gradients of each column within each block."""
    doubles, block = view(types.float64), _make_block(T)

    def task(i, n, scratch, w, g, r, partial, of_weights, decays, hyper):
        kept, columns = _kept(hyper), w.shape[1]
        share = T(hyper[0] * hyper[1] * decays)
        stack, rows = r.shape
        blocks = (rows + ROWS - 1) // ROWS
        lo, hi = row_part(i, n, stack * blocks)
        for at in range(lo, hi):
            s, first = at // blocks, at % blocks * ROWS
            totals = doubles(scratch, min(ROWS, rows - first))
            of_weights[at] = block(w, g, partial, at, s * rows + first, totals, T(hyper[4]), share)
            for k in range(totals.size):
                mean = totals[k] / columns
                r[s, first + k] = T(kept * r[s, first + k] + (1.0 - kept) * mean)
        return 0

    return task


def adafactor_factors(T):
    """Column factors; `factors` = the row factors over their mean in each matrix."""

    @inner
    def columns(c, partial, s, blocks, rows, lo, hi, kept):
        for j in range(lo, hi):
            total = 0.0
            for k in range(s * blocks, (s + 1) * blocks):
                total += partial[k, j]
            c[s, j] = T(kept * c[s, j] + (1.0 - kept) * (total / rows))

    @inner
    def over_mean(r, factors, s):
        total = 0.0
        for k in range(r.shape[1]):
            total += r[s, k]
        mean = total / r.shape[1]
        for k in range(r.shape[1]):
            factors[s, k] = T(r[s, k] / mean)

    def task(i, n, scratch, r, c, partial, factors, hyper):
        kept = _kept(hyper)
        stack, rows = r.shape
        lo, hi = flat_part(i, n, c.shape[1])
        for s in range(stack):
            columns(c, partial, s, partial.shape[0] // stack, rows, lo, hi, kept)
            if i == 0:
                over_mean(r, factors, s)
        return 0

    return task


def adafactor_scale(T):
    """Velocity from the factors; g = the step before it is limited."""
    zero = T(0)

    @inner
    def part(g, c, v, factor):
        noalias()
        total = zero
        for j in range(g.size):
            v[j] = factor * c[j]
            g[j] /= math.sqrt(v[j])
            total += g[j] * g[j]
        return types.float64(total)

    def task(i, n, scratch, g, factors, c, v, of_steps):
        stack, rows = factors.shape
        columns = g.shape[1]
        blocks = (rows + ROWS - 1) // ROWS
        lo, hi = row_part(i, n, stack * blocks)
        for at in range(lo, hi):
            s, first = at // blocks, at % blocks * ROWS
            total, of_columns = 0.0, row_piece(c, s, 0, columns)
            for k in range(first, min(rows, first + ROWS)):
                row = s * rows + k
                kept = row_piece(v, row, 0, columns)
                total += part(row_piece(g, row, 0, columns), of_columns, kept, factors[s, k])
            of_steps[at] = total
        return 0

    return task


def adafactor_vector(T):
    """Velocity of a variable without factors; g = the step before it is limited."""
    zero = T(0)

    @inner
    def part(w, g, v, kept, rest, epsilon):
        noalias()
        of_weights, of_steps = zero, zero
        for j in range(w.size):
            v[j] = kept * v[j] + rest * (g[j] * g[j] + epsilon)
            g[j] /= math.sqrt(v[j])
            of_weights += w[j] * w[j]
            of_steps += g[j] * g[j]
        return types.float64(of_weights), types.float64(of_steps)

    def task(i, n, scratch, w, g, v, of_weights, of_steps, decays, hyper):
        kept, share = _kept(hyper), T(hyper[0] * hyper[1] * decays)
        a, b = chunk_part(i, n, w.size)
        while a < b:
            stop = end_of_chunk(a, b)
            weights = piece(w, a, stop)
            if share != zero:
                _shrink(weights, share)
            of_weights[a // CHUNK], of_steps[a // CHUNK] = part(
                weights, piece(g, a, stop), piece(v, a, stop), T(kept), T(1.0 - kept), T(hyper[4])
            )
            a = stop
        return 0

    return task


def adafactor_step(T):
    """w -= rate * g, where g is limited in its root mean square and the rate follows that of w."""

    @inner
    def part(w, g, rate):
        noalias()
        for j in range(w.size):
            w[j] -= rate * g[j]

    @exact
    def root_mean(sums, size):
        total = 0.0
        for k in range(sums.size):
            total += sums[k]
        return math.sqrt(total / size)

    @exact
    def rate(of_weights, of_steps, size, hyper):
        relative = min(hyper[0], 1.0 / math.sqrt(hyper[2] + 1.0))
        of_weights = root_mean(of_weights, size)
        excess = root_mean(of_steps, size) / hyper[6]
        scale = hyper[5] if of_weights <= hyper[5] else of_weights
        return relative * scale / (1.0 if excess <= 1.0 else excess)

    def task(i, n, scratch, w, g, of_weights, of_steps, hyper):
        w, g = flat(w), flat(g)
        lo, hi = flat_part(i, n, w.size)
        part(piece(w, lo, hi), piece(g, lo, hi), T(rate(of_weights, of_steps, w.size, hyper)))
        return 0

    return task
