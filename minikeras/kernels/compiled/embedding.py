"""Rows of a table that are looked up by number, and sums that go back to them.

A row is summed in the order in which it was looked up, by the task that owns the column, so sums
have the same bits for any number of tasks. A number that is no row is error 1.
"""

from numba import types

from ._jit import inner, noalias
from ._parts import flat_part, piece, row_part, row_piece

BAD_ROW = 1
STRIPE = 16  # columns: a task owns whole stripes


def _row_numbers(T):
    """index = the rows that ids mean: whole parts of numbers, counted from the end if negative."""

    @inner
    def convert(ids, rows, index):
        noalias()
        bad = 0
        for j in range(ids.size):
            fits = (ids[j] < rows) & (ids[j] > -rows - 1)
            k = types.int64(ids[j]) if fits else 0
            index[j] = k + rows if k < 0 else k
            bad += 0 if fits else 1
        return bad

    def task(i, n, scratch, ids, rows, index):
        lo, hi = flat_part(i, n, ids.size)
        bad = convert(piece(ids, lo, hi), rows, piece(index, lo, hi))
        return BAD_ROW if bad > 0 else 0

    return task


row_numbers_int32 = row_numbers_int64 = row_numbers_float = _row_numbers


@inner
def _add(source, target):
    noalias()
    for j in range(target.size):
        target[j] += source[j]


def add_rows(T):
    """table[index[t]] += g[t], in the order of t."""

    def task(i, n, scratch, g, index, table):
        width = table.shape[1]
        stripes = (width + STRIPE - 1) // STRIPE
        lo, hi = stripes * i // n * STRIPE, min(width, stripes * (i + 1) // n * STRIPE)
        for t in range(index.size):
            k = index[t]
            if k < 0 or k >= table.shape[0]:
                return BAD_ROW
            if lo < hi:
                _add(row_piece(g, t, lo, hi), row_piece(table, k, lo, hi))
        return 0

    return task


def clear(T):
    """x = 0."""
    zero = T(0)

    @inner
    def fill(x):
        for j in range(x.size):
            x[j] = zero

    def task(i, n, scratch, x):
        lo, hi = flat_part(i, n, x.size)
        fill(piece(x, lo, hi))
        return 0

    return task


def mark_rows(T):
    """marks[index[t]] = value."""

    def task(i, n, scratch, index, value, marks):
        lo, hi = row_part(i, n, index.size)
        for t in range(lo, hi):
            if index[t] < 0 or index[t] >= marks.size:
                return BAD_ROW
            marks[index[t]] = types.uint8(value)
        return 0

    return task


def chain_rows(T):
    """Where each row was looked up: first at places[row], then at following[that place - 1].

    Places count from 1; 0 ends a chain. ``places`` is 0 before. Rows that occur are marked. A task
    owns a part of the rows.
    """

    def task(i, n, scratch, index, following, places, marks):
        lo, hi = row_part(i, n, places.size)
        for t in range(index.size - 1, -1, -1):
            k = index[t]
            if k < 0 or k >= places.size:
                return BAD_ROW
            if lo <= k < hi:
                following[t], places[k] = places[k], types.int32(t + 1)
                if marks[k] == 0:  # a write takes the cache line from other threads
                    marks[k] = types.uint8(1)
        return 0

    return task
