"""Twins of the counts."""

import numpy as np


def _weights(w, shape):
    """Weights of elements, in float64."""
    if w.size == 0:
        return np.ones(shape)
    per_row = w.size == shape[0]
    return np.broadcast_to(w[:, None] if per_row else w.reshape(shape), shape).astype("float64")


def _below(v, thresholds, even):
    """How many thresholds lie below each prediction."""
    if not even:
        return (thresholds < v[..., None]).sum(axis=-1)
    lifted = np.isnan(v) | (even > 1)
    v = np.where(np.isnan(v), 0, np.clip(v, 0, 1)).astype(v.dtype)
    place = np.ceil(v * v.dtype.type(thresholds.size - 1)).astype(int)
    return np.where(lifted, np.maximum(place, 1), place)


def confusion_update(t, p, w, thresholds, order, even, first, last, counts, tp, fp, tn, fn):
    t, p = t[:, first:last], p[:, first:last]
    place = (
        (t != 0).astype(int),
        _below(p, thresholds, even),
        np.broadcast_to(np.arange(p.shape[1]) * (counts.shape[2] > 1), p.shape),
    )
    counts[...] = 0
    np.add.at(counts, place, _weights(w, p.shape))
    for k, j in enumerate(order):
        for state, part in ((tp, counts[1, k + 1 :]), (fp, counts[0, k + 1 :])):
            if state.size:
                state[j] += part.sum(axis=0)
        for state, part in ((tn, counts[0, : k + 1]), (fn, counts[1, : k + 1])):
            if state.size:
                state[j] += part.sum(axis=0)


def _add_columns(sums, state):
    state += (sums if state.size == sums.size else sums.sum()).astype(state.dtype)


def fbeta_update(t, p, w, threshold, sums, tp, fp, fn, positives):
    if np.isinf(threshold):
        top = p.max(axis=1, keepdims=True, initial=-np.inf)
        q = (p >= top) & (np.abs(p) > p.dtype.type(1e-9))
    else:
        q = p > p.dtype.type(threshold)
    w = _weights(w, p.shape)
    for k, value in enumerate((q * t, q * (1 - t), (1 - q) * t, t)):
        sums[k] = (w * value).sum(axis=0)
    for part, state in zip(sums, (tp, fp, fn, positives), strict=True):
        _add_columns(part, state)


def r2_update(t, p, w, sums, squares, total, residual, count, size):
    w, t, p = _weights(w, p.shape), t.astype("float64"), p.astype("float64")
    for k, value in enumerate((t * t, t, (t - p) ** 2, np.ones(p.shape))):
        sums[k] = (w * value).sum(axis=0)
    for part, state in zip(sums, (squares, total, residual, count), strict=True):
        _add_columns(part, state)
    size += p.size


def pairs_update(t, p, w, ignored, sums, matrix, whole):
    w = np.ones(t.size) if w.size == 0 else w.astype("float64")
    w = np.trunc(w) if whole.size else w
    classes = sums.shape[0]
    known = (t != ignored) & (t >= 0) & (t < classes) & (p >= 0) & (p < classes)
    sums[...] = 0
    np.add.at(sums, (t[known], p[known]), w[known])
    if matrix.size:
        matrix += sums.astype(matrix.dtype)
    if whole.size:
        whole += sums.astype(whole.dtype)


def class_of_rows(x, label):
    label[...] = x.argmax(axis=1) if x.shape[1] else 0


def class_of_numbers(x, threshold, label):
    label[...] = np.trunc(x) if np.isinf(threshold) else x >= x.dtype.type(threshold)


def keep_top_k(x, k, y):
    y[...] = -1e10
    for source, target in zip(x, y, strict=True):
        chosen = np.argsort(-source, kind="stable")[:k]
        chosen = chosen[~np.isnan(source[chosen])]
        target[chosen] = source[chosen]
