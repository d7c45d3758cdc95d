"""Hits of predictions, one number per row: a task owns rows."""

import numpy as np

from ._jit import inner, noalias
from ._parts import piece, row, row_part, rows_piece
from .maths import make_maximum


def make_argmax(T):
    """Compiled function row -> place of its first maximum, which a NaN is, as in numpy."""
    maximum = make_maximum(T)

    @inner
    def argmax(x):
        m = x[0]
        for j in range(1, x.size):
            m = maximum(m, x[j])
        j = 0
        if m == m:
            while x[j] != m:
                j += 1
        else:
            while x[j] == x[j]:
                j += 1
        return j

    return argmax


def sparse_accuracy(T):
    """hit = 1 where the label is the place of the row's first maximum."""
    zero, one = T(0), T(1)
    argmax = make_argmax(T)

    def task(i, n, scratch, p, labels, hit):
        lo, hi = row_part(i, n, p.shape[0])
        for r in range(lo, hi):
            hit[r] = one if p.shape[1] > 0 and argmax(row(p, r)) == labels[r] else zero
        return 0

    return task


def categorical_accuracy(T):
    """hit = 1 where targets and predictions have their first maximum at the same place."""
    zero, one = T(0), T(1)
    argmax = make_argmax(T)

    def task(i, n, scratch, t, p, hit):
        lo, hi = row_part(i, n, p.shape[0])
        for r in range(lo, hi):
            hit[r] = one if p.shape[1] > 0 and argmax(row(p, r)) == argmax(row(t, r)) else zero
        return 0

    return task


def binary_accuracy(T):
    """hit = share of the row's predictions that are on their target's side of the threshold."""
    zero, one = T(0), T(1)

    @inner
    def rows(t, p, threshold, hit):
        noalias()
        for r in range(p.shape[0]):
            total = zero
            for j in range(p.shape[1]):
                side = one if p[r, j] > threshold else zero
                total += one if t[r, j] == side else zero
            hit[r] = total / T(p.shape[1])

    def task(i, n, scratch, t, p, threshold, hit):
        lo, hi = row_part(i, n, p.shape[0])
        rows(rows_piece(t, lo, hi), rows_piece(p, lo, hi), T(threshold), piece(hit, lo, hi))
        return 0

    return task


def top_k_accuracy(T):
    """hit = 1 where fewer than k numbers of the row are larger than the label's, else 0.

    NaN counts as the smallest; a label that is no column is no hit.
    """
    zero, one, bottom = T(0), T(1), T(-np.inf)

    @inner
    def larger(x, limit):
        count = 0
        for j in range(x.size):
            count += 1 if x[j] > limit else 0
        return count

    def task(i, n, scratch, p, labels, k, hit):
        lo, hi = row_part(i, n, p.shape[0])
        for r in range(lo, hi):
            hit[r] = zero
            if 0 <= labels[r] < p.shape[1]:
                own = p[r, labels[r]]
                own = own if own == own else bottom
                hit[r] = one if larger(row(p, r), own) < k else zero
        return 0

    return task
