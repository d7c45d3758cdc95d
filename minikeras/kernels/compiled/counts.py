"""Counts that metrics keep: decisions against thresholds, per class, and by pairs of classes.

Each kernel adds a batch to its state. The batch is summed in float64 first, by the one task that
owns the state. ``t`` are targets and ``p`` predictions, a row per sample; ``w`` of size 0 stands
for ones, of one number per row for weights of rows, else it holds one number per element.
"""

import numpy as np
from numba import types

from ._jit import inner
from ._parts import row
from .metrics import make_argmax

NOWHERE = -1e10  # of what is not among the largest: below every threshold


@inner
def weight(w, rows, r, j, width):
    """Weight of element j of row r, which has `width` elements that count."""
    if w.size == 0:
        return 1.0
    return types.float64(w[r] if w.size == rows else w[r * width + j])


def make_bucket(T):
    """Compiled function (v, thresholds, even) -> how many of the ascending thresholds lie below v.

    `even` ones (1) are 0, 1/(n-1), ..., 1: the place of a prediction is then computed, after it was
    limited to [0, 1], as Keras does. With 2 the first is a little below 0 and lies below all.
    """
    zero, one = T(0), T(1)

    @inner
    def bucket(v, thresholds, even):
        n = thresholds.size
        if even > 0:
            lifted = even > 1 or v != v
            v = v if v > zero else zero
            v = v if v < one else one
            exact = v * T(n - 1)
            place = types.int64(exact)
            place += 1 if T(place) < exact else 0
            return max(place, 1) if lifted else place
        low, high = 0, n
        while low < high:
            middle = (low + high) // 2
            if thresholds[middle] < v:
                low = middle + 1
            else:
                high = middle
        return low

    return bucket


def make_count(T):
    """Compiled function: counts = weights by sign of the target, thresholds below and label."""
    zero = T(0)
    bucket = make_bucket(T)

    @inner
    def count(t, p, w, thresholds, even, first, last, counts):
        for s in range(2):
            for k in range(counts.shape[1]):
                for c in range(counts.shape[2]):
                    counts[s, k, c] = 0.0
        for r in range(p.shape[0]):
            for j in range(first, last):
                k = bucket(p[r, j], thresholds, even)
                c = j - first if counts.shape[2] > 1 else 0
                s = 1 if t[r, j] != zero else 0
                counts[s, k, c] += weight(w, p.shape[0], r, j - first, last - first)

    return count


def make_add_above(T):
    """Compiled function (counts, s, order, state): add what lies above each threshold."""

    @inner
    def add_above(counts, s, order, state):
        if state.shape[0] > 0:
            for c in range(counts.shape[2]):
                total = 0.0
                for k in range(order.size - 1, -1, -1):
                    total += counts[s, k + 1, c]
                    state[order[k], c] += T(total)

    return add_above


def make_add_below(T):
    """Compiled function (counts, s, order, state): add what does not lie above each threshold."""

    @inner
    def add_below(counts, s, order, state):
        if state.shape[0] > 0:
            for c in range(counts.shape[2]):
                total = 0.0
                for k in range(order.size):
                    total += counts[s, k, c]
                    state[order[k], c] += T(total)

    return add_below


def confusion_update(T):
    """Add right and wrong decisions at each threshold, of the columns from `first` to `last`.

    counts[s, k, c] = weight of the negatives (s = 0) or positives (1) of label c with k thresholds
    below them. State j, where order[k] = j, takes those of threshold k; one column of state stands
    for all labels, and a state without rows is not wanted.
    """
    count, add_above, add_below = make_count(T), make_add_above(T), make_add_below(T)

    def task(
        i, n, scratch,
        t, p, w, thresholds, order, even, first, last, counts, tp, fp, tn, fn,
    ):  # fmt: skip
        if i == 0:
            count(t, p, w, thresholds, even, first, last, counts)
            add_above(counts, 1, order, tp)
            add_above(counts, 0, order, fp)
            add_below(counts, 0, order, tn)
            add_below(counts, 1, order, fn)
        return 0

    return task


def make_add_columns(T):
    """Compiled function (sums, state): add sums to the state, or their total to its one number."""

    @inner
    def add_columns(sums, state):
        if state.size == sums.size:
            for c in range(sums.size):
                state[c] += T(sums[c])
        else:
            total = 0.0
            for c in range(sums.size):
                total += sums[c]
            state[0] += T(total)

    return add_columns


@inner
def clear(sums):
    for r in range(sums.shape[0]):
        for c in range(sums.shape[1]):
            sums[r, c] = 0.0


def fbeta_update(T):
    """Add true positives, false positives, false negatives and positives of each class.

    What is above `threshold` counts as predicted; where that is infinite, the largest of its row if
    it is not 0. States of one number take all classes together.
    """
    zero, one, tiny = T(0), T(1), T(1e-9)
    argmax, add_columns = make_argmax(T), make_add_columns(T)

    @inner
    def predicted(x, top, threshold):
        if threshold < np.inf:
            return one if x > T(threshold) else zero
        return one if x >= top and (x > tiny or x < -tiny) else zero

    def task(i, n, scratch, t, p, w, threshold, sums, tp, fp, fn, positives):
        if i > 0:
            return 0
        clear(sums)
        for r in range(p.shape[0]):
            top = p[r, argmax(row(p, r))] if p.shape[1] > 0 else zero
            for c in range(p.shape[1]):
                share = weight(w, p.shape[0], r, c, p.shape[1])
                y, q = t[r, c], predicted(p[r, c], top, threshold)
                sums[0, c] += share * types.float64(q * y)
                sums[1, c] += share * types.float64(q * (one - y))
                sums[2, c] += share * types.float64((one - q) * y)
                sums[3, c] += share * types.float64(y)
        add_columns(row(sums, 0), tp)
        add_columns(row(sums, 1), fp)
        add_columns(row(sums, 2), fn)
        add_columns(row(sums, 3), positives)
        return 0

    return task


def r2_update(T):
    """Add squares and sums of targets, squared residuals and weights of each column, and the number
    of targets."""
    add_columns = make_add_columns(T)

    def task(i, n, scratch, t, p, w, sums, squares, total, residual, count, size):
        if i > 0:
            return 0
        clear(sums)
        for r in range(p.shape[0]):
            for c in range(p.shape[1]):
                share = weight(w, p.shape[0], r, c, p.shape[1])
                y = types.float64(t[r, c])
                gap = y - types.float64(p[r, c])
                sums[0, c] += share * y * y
                sums[1, c] += share * y
                sums[2, c] += share * gap * gap
                sums[3, c] += share
        add_columns(row(sums, 0), squares)
        add_columns(row(sums, 1), total)
        add_columns(row(sums, 2), residual)
        add_columns(row(sums, 3), count)
        size[0] += T(p.shape[0] * p.shape[1])
        return 0

    return task


def pairs_update(T):
    """Add weights of pairs (class of the target, class of the prediction) to a matrix.

    Pairs with a class that is no row, or with the target class `ignored`, count nothing. One of the
    two matrices has no rows; the one of integers takes whole parts of weights.
    """

    def task(i, n, scratch, t, p, w, ignored, sums, matrix, whole):
        if i > 0:
            return 0
        clear(sums)
        classes = sums.shape[0]
        for r in range(t.size):
            a, b = t[r], p[r]
            if a != ignored and 0 <= a < classes and 0 <= b < classes:
                share = types.float64(w[r]) if w.size > 0 else 1.0
                if whole.shape[0] > 0:
                    share = types.float64(types.int64(share))
                sums[a, b] += share
        for a in range(matrix.shape[0]):
            for b in range(classes):
                matrix[a, b] += T(sums[a, b])
        for a in range(whole.shape[0]):
            for b in range(classes):
                whole[a, b] += types.int32(sums[a, b])
        return 0

    return task


def class_of_rows(T):
    """label = place of the row's first maximum."""
    argmax = make_argmax(T)

    def task(i, n, scratch, x, label):
        lo, hi = x.shape[0] * i // n, x.shape[0] * (i + 1) // n
        for r in range(lo, hi):
            label[r] = argmax(row(x, r)) if x.shape[1] > 0 else 0
        return 0

    return task


def class_of_numbers(T):
    """label = 1 where x is at least the threshold, else 0; the whole part for an infinite one."""

    def task(i, n, scratch, x, threshold, label):
        lo, hi = x.size * i // n, x.size * (i + 1) // n
        limit = T(threshold)
        for j in range(lo, hi):
            if limit < np.inf:
                label[j] = 1 if x[j] >= limit else 0
            else:
                label[j] = types.int64(x[j])
        return 0

    return task


def keep_top_k(T):
    """y = the k largest numbers of each row (the first of equal ones, NaN last), else NOWHERE."""
    nowhere = T(NOWHERE)

    @inner
    def keep(x, k, y):
        for j in range(x.size):
            y[j] = nowhere
        for _ in range(min(k, x.size)):
            best = -1
            for j in range(x.size):
                if y[j] == nowhere and x[j] == x[j] and (best < 0 or x[j] > x[best]):
                    best = j
            if best >= 0:
                y[best] = x[best]

    def task(i, n, scratch, x, k, y):
        lo, hi = x.shape[0] * i // n, x.shape[0] * (i + 1) // n
        for r in range(lo, hi):
            keep(row(x, r), k, row(y, r))
        return 0

    return task
