"""Twins of the kernels that look up rows of a table."""

import numpy as np

_BAD_ROW = 1


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


def chain_rows(index, following, places, marks):
    _check((index < 0) | (index >= places.size))
    for t, k in reversed(list(enumerate(index.tolist()))):
        following[t], places[k], marks[k] = places[k], t + 1, 1
