"""Rows of a table that are looked up by number, and sums that go back to them.

A row is summed in the order in which it was looked up, by the task that owns the column, so sums
have the same bits for any number of tasks. A number that is no row is error 1.
"""

from numba import types

from ._jit import inner, noalias
from ._parts import flat_part, piece, row_part, row_piece

BAD_ROW, NO_ROOM = 1, 2
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

    Places count from 1; 0 ends a chain. ``places`` is 0 before. Rows that occur are marked. If
    near[0] is not negative, so many rows are known by numbers of their own instead: row
    numbers[j] as j, which is positions[row] - 1. Rows that occur for the first time get numbers.
    One task does it all.
    """

    @inner
    def chain(t, k, following, places):
        following[t], places[k] = places[k], types.int32(t + 1)

    @inner
    def number_of(k, near, positions, numbers):
        if positions[k] == 0 and near[0] < numbers.size:
            numbers[near[0]] = k
            near[0] += 1
            positions[k] = types.int32(near[0])
        return types.int64(positions[k]) - 1

    def task(i, n, scratch, index, following, places, marks, positions, numbers, near):
        count = index.size if i == 0 else 0
        for t in range(count - 1, -1, -1):
            k = index[t]
            if k < 0 or k >= places.size:
                return BAD_ROW
            if near[0] >= 0:
                k = number_of(k, near, positions, numbers)
                if k < 0:
                    return NO_ROOM
            elif marks[k] == 0:  # a write takes the cache line from other threads
                marks[k] = types.uint8(1)
            chain(t, k, following, places)
        return 0

    return task
