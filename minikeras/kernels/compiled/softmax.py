"""Softmax over the last axis: a task owns rows."""

from ._jit import exact, inner, noalias, view
from ._parts import flat, row_part, rows_piece
from .maths import make_exp, make_log, make_maximum

GROUP = 4096  # numbers


@exact
def group_rows(width):
    """Number of rows in a group, which fits the first cache."""
    return max(1, GROUP // max(1, width))


def make_exponentials(T):
    """Compiled function (x, y, largest, total): y = exp(x - largest), total = sum of y, per row.

    It works row by row for the reductions, and on the whole group at once for the exponentials:
    short rows would leave vector registers empty.
    """
    zero = T(0)
    exp, maximum = make_exp(T), make_maximum(T)

    @inner
    def exponentials(x, y, largest, total):
        noalias()
        rows, width = x.shape
        if width == 0:
            return
        for r in range(rows):
            m = x[r, 0]
            for j in range(1, width):
                m = maximum(m, x[r, j])
            for j in range(width):
                y[r, j] = x[r, j] - m
            largest[r] = m
        numbers = flat(y)
        for j in range(numbers.size):
            numbers[j] = exp(numbers[j])
        for r in range(rows):
            s = zero
            for j in range(width):
                s += y[r, j]
            total[r] = s

    return exponentials


def softmax(T):
    one = T(1)
    exponentials, at = make_exponentials(T), view(T)
    offset = GROUP * T.bitwidth // 8

    @inner
    def divide(y, total):
        noalias()
        for r in range(y.shape[0]):
            factor = one / total[r]
            for j in range(y.shape[1]):
                y[r, j] *= factor

    def task(i, n, scratch, x, y):
        lo, hi = row_part(i, n, x.shape[0])
        group = group_rows(x.shape[1])
        largest, total = at(scratch, GROUP), at(scratch + offset, GROUP)
        for start in range(lo, hi, group):
            stop = min(hi, start + group)
            exponentials(rows_piece(x, start, stop), rows_piece(y, start, stop), largest, total)
            divide(rows_piece(y, start, stop), total)
        return 0

    return task


def softmax_grad(T):
    zero = T(0)

    @inner
    def rows(g, y, dx):
        noalias()
        for r in range(g.shape[0]):
            total = zero
            for j in range(g.shape[1]):
                total += g[r, j] * y[r, j]
            for j in range(g.shape[1]):
                dx[r, j] = y[r, j] * (g[r, j] - total)

    def task(i, n, scratch, g, y, dx):
        lo, hi = row_part(i, n, g.shape[0])
        rows(rows_piece(g, lo, hi), rows_piece(y, lo, hi), rows_piece(dx, lo, hi))
        return 0

    return task


def log_softmax(T):
    zero = T(0)
    exp, log, maximum = make_exp(T), make_log(T), make_maximum(T)

    @inner
    def rows(x, y):
        noalias()
        width = x.shape[1]
        if width == 0:
            return
        for r in range(x.shape[0]):
            m = x[r, 0]
            for j in range(1, width):
                m = maximum(m, x[r, j])
            total = zero
            for j in range(width):
                total += exp(x[r, j] - m)
            total = log(total)
            for j in range(width):
                y[r, j] = (x[r, j] - m) - total

    def task(i, n, scratch, x, y):
        lo, hi = row_part(i, n, x.shape[0])
        rows(rows_piece(x, lo, hi), rows_piece(y, lo, hi))
        return 0

    return task


def log_softmax_grad(T):
    zero = T(0)
    exp = make_exp(T)

    @inner
    def rows(g, y, dx):
        noalias()
        for r in range(g.shape[0]):
            total = zero
            for j in range(g.shape[1]):
                total += g[r, j]
            for j in range(g.shape[1]):
                dx[r, j] = g[r, j] - exp(y[r, j]) * total

    def task(i, n, scratch, g, y, dx):
        lo, hi = row_part(i, n, g.shape[0])
        rows(rows_piece(g, lo, hi), rows_piece(y, lo, hi), rows_piece(dx, lo, hi))
        return 0

    return task
