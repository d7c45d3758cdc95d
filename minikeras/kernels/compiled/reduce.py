"""Sums: over the rows of a matrix, over weighted values.

Sums over rows go through blocks of a fixed number of rows, which are added up in float64; a task
owns columns. Everything else is summed in float64 throughout, by the one task that owns the
result.
"""

from numba import types

from ._jit import inner, noalias, shared, view
from ._parts import flat_part, piece, row_piece

TILE = (
    256  # columns that are worked on together: their sums and a block of rows fit the first cache
)
BLOCK = 32  # rows whose sum is taken in the working type
SLOT = TILE * 8  # bytes of scratch for one number per column of a tile


@shared
def make_flush(T):
    """Compiled function (sums, totals): add a block's sums to the totals and set them to zero."""
    zero = T(0)

    @inner
    def flush(sums, totals):
        noalias()
        for j in range(sums.size):
            totals[j] += sums[j]
            sums[j] = zero

    return flush


def make_sum_rows(T, add):
    """Compiled function (rows, sums, totals, arguments): totals = the sum over the rows of what
    ``add(r, sums, *arguments)`` adds to `sums` for row r."""
    zero = T(0)
    flush = make_flush(T)

    @inner
    def sum_rows(rows, sums, totals, arguments):
        for j in range(sums.size):
            sums[j] = zero
            totals[j] = 0.0
        for start in range(0, rows, BLOCK):
            for r in range(start, min(rows, start + BLOCK)):
                add(r, sums, *arguments)
            flush(sums, totals)

    return sum_rows


@shared
def make_add_row(T):
    """Compiled function (r, sums, x, c): sums += the part of row r of x that starts at column c."""

    @inner
    def accumulate(x, sums):
        noalias()
        for j in range(sums.size):
            sums[j] += x[j]

    @inner
    def add_row(r, sums, x, c):
        accumulate(row_piece(x, r, c, c + sums.size), sums)

    return add_row


@shared
def make_store(T):
    """Compiled function (totals, out): the totals in the working type."""

    @inner
    def store(totals, out):
        noalias()
        for j in range(totals.size):
            out[j] = T(totals[j])

    return store


def column_sum(T):
    """out = sum of the rows of x."""
    of_type, of_double = view(T), view(types.float64)
    sum_rows, store = make_sum_rows(T, make_add_row(T)), make_store(T)

    def task(i, n, scratch, x, out):
        lo, hi = flat_part(i, n, x.shape[1])
        for c in range(lo, hi, TILE):
            width = min(TILE, hi - c)
            sums, totals = of_type(scratch, width), of_double(scratch + SLOT, width)
            sum_rows(x.shape[0], sums, totals, (x, c))
            store(totals, piece(out, c, c + width))
        return 0

    return task


@shared
def make_activation_pull(T):
    """Compiled function (g, y, dz, act): dz = g * act'(y), from the output y."""
    zero, one = T(0), T(1)

    @inner
    def pull(g, y, dz, act):
        noalias()
        if act == 1:
            for j in range(g.size):
                dz[j] = g[j] if y[j] > zero else zero
        elif act == 2:
            for j in range(g.size):
                dz[j] = g[j] * (y[j] * (one - y[j]))
        elif act == 3:
            for j in range(g.size):
                dz[j] = g[j] * (one - y[j] * y[j])
        else:
            for j in range(g.size):
                dz[j] = g[j]

    return pull


def activation_grad_bias(T):
    """dz = g * act'(y), from the output y; db = sum of the rows of dz (size 0: not wanted).

    act: 0 linear, 1 relu, 2 sigmoid, 3 tanh.
    """
    of_type, of_double = view(T), view(types.float64)
    pull, add_row, store = make_activation_pull(T), make_add_row(T), make_store(T)

    @inner
    def add(r, sums, g, y, dz, c, act):
        stop = c + sums.size
        pull(row_piece(g, r, c, stop), row_piece(y, r, c, stop), row_piece(dz, r, c, stop), act)
        add_row(r, sums, dz, c)

    sum_rows = make_sum_rows(T, add)

    def task(i, n, scratch, g, y, dz, db, act):
        lo, hi = flat_part(i, n, g.shape[1])
        for c in range(lo, hi, TILE):
            width = min(TILE, hi - c)
            sums, totals = of_type(scratch, width), of_double(scratch + SLOT, width)
            sum_rows(g.shape[0], sums, totals, (g, y, dz, c, act))
            if db.size > 0:
                store(totals, piece(db, c, c + width))
        return 0

    return task


@shared
def make_weighted_sums(T):
    """Compiled function (x, w) -> sum of x w and sum of w; w of size 0 stands for ones."""

    @inner
    def weighted_sums(x, w):
        total, count = 0.0, 0.0
        if w.size == 0:
            for j in range(x.size):
                total += types.float64(x[j])
            count = types.float64(x.size)
        else:
            for j in range(x.size):
                total += types.float64(x[j]) * types.float64(w[j])
                count += types.float64(w[j])
        return total, count

    return weighted_sums


def weighted_sum(T):
    """total = sum of x w / divisor; w of size 0 stands for ones."""
    weighted_sums = make_weighted_sums(T)

    def task(i, n, scratch, x, w, divisor, total):
        if i == 0:
            value, _ = weighted_sums(x, w)
            total[0] = T(value / divisor)
        return 0

    return task


def weighted_sum_grad(T):
    """dx = g w / divisor, where g is one number; w of size 0 stands for ones."""

    @inner
    def part(w, share, dx):
        noalias()
        for j in range(dx.size):
            dx[j] = share * w[j]

    def task(i, n, scratch, g, w, divisor, dx):
        lo, hi = flat_part(i, n, dx.size)
        share = T(types.float64(g[0]) / divisor)
        if w.size > 0:
            part(piece(w, lo, hi), share, piece(dx, lo, hi))
        else:
            piece(dx, lo, hi)[:] = share
        return 0

    return task


def mean_update(T):
    """Running mean: total += sum of x w, count += sum of w; w of size 0 stands for ones."""
    weighted_sums = make_weighted_sums(T)

    def task(i, n, scratch, x, w, total, count):
        if i == 0:
            value, weight = weighted_sums(x, w)
            total[0] += T(value)
            count[0] += T(weight)
        return 0

    return task
