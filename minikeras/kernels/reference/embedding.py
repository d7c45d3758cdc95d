"""Twins of the kernels that look up rows of a table."""

import numpy as np

_BAD_ROW, _NO_ROOM = 1, 2


def _check(wrong):
    if np.any(wrong):
        raise ValueError("A row number is not in the table.", _BAD_ROW)


def row_numbers_int64(ids, rows, index):
    _check(~((ids < rows) & (ids > -rows - 1)))
    whole = ids.astype(np.int64)
    index[...] = np.where(whole < 0, whole + rows, whole)


row_numbers_int32 = row_numbers_float = row_numbers_int64


def add_rows(g, index, table):
    _check((index < 0) | (index >= len(table)))
    np.add.at(table, index, g)


def clear(x):
    x[...] = 0


def mark_rows(index, value, marks):
    _check((index < 0) | (index >= marks.size))
    marks[index] = value


def chain_rows(index, following, places, marks, positions, numbers, near):
    _check((index < 0) | (index >= places.size))
    for t, k in reversed(list(enumerate(index.tolist()))):
        at = k
        if near[0] < 0:
            marks[k] = 1
        else:
            at = _number_of(k, positions, numbers, near)
        following[t], places[at] = places[at], t + 1


def _number_of(k, positions, numbers, near):
    if positions[k] == 0:
        if near[0] == numbers.size:
            raise ValueError("There is no room for more rows.", _NO_ROOM)
        numbers[near[0]] = k
        near[0] += 1
        positions[k] = near[0]
    return positions[k] - 1
