"""Twins of the attention kernels."""

import numpy as np

from .dropout import dropout

HIDDEN = -0.7 * np.finfo(np.float32).max


def _weights(q, k, mask, scale, causal):
    """Scores of (batch, heads, queries, keys), hidden ones far below all others, and which."""
    k = np.repeat(k, q.shape[2] // k.shape[2], axis=2)
    scores = np.einsum("bthd,bshd->bhts", q, k) * q.dtype.type(scale)
    shown = np.ones(scores.shape, bool)
    if mask.size:
        shown &= mask != 0
    if causal:
        shown &= np.arange(scores.shape[3]) <= np.arange(scores.shape[2])[:, None]
    return np.where(shown, scores, q.dtype.type(HIDDEN)), shown


def _dropped(weights, key, rate):
    """The weights after dropout; each head of each sample has a stream of its own."""
    if not rate:
        return weights
    weights = np.ascontiguousarray(weights)
    result = np.empty_like(weights)
    flat = weights.reshape(-1, weights.shape[2] * weights.shape[3])
    for stream, (x, y) in enumerate(zip(flat, result.reshape(flat.shape), strict=True)):
        dropout(x, key, stream << 32, rate, y)
    return result


def attention(q, k, v, mask, key, scale, causal, empty, rate, out, largest, total):
    scores, shown = _weights(q, k, mask, scale, causal)
    largest[...] = scores.max(-1)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    sums = weights.sum(-1)
    if empty:
        sums[~shown.any(-1)] = np.inf
    total[...] = sums
    weights = _dropped(weights / sums[..., None], key, rate)
    v = np.repeat(v, q.shape[2] // v.shape[2], axis=2)
    out[...] = np.einsum("bhts,bshd->bthd", weights, v)


def attention_grad(g, q, k, v, mask, key, largest, total, scale, causal, rate, dq, dk, dv):
    scores, shown = _weights(q, k, mask, scale, causal)
    weights = np.exp(scores - scores.max(-1, keepdims=True)) / total[..., None]
    groups = q.shape[2] // k.shape[2]
    wide_k, wide_v = np.repeat(k, groups, axis=2), np.repeat(v, groups, axis=2)
    d = _dropped(np.einsum("bthd,bshd->bhts", g, wide_v), key, rate)
    d = weights * (d - (weights * d).sum(-1, keepdims=True)) * q.dtype.type(scale)
    d = np.where(shown, d, 0)
    dq[...] = np.einsum("bhts,bshd->bthd", d, wide_k)
    of_k = np.einsum("bhts,bthd->bshd", d, q)
    of_v = np.einsum("bhts,bthd->bshd", _dropped(weights, key, rate), g)
    dk[...] = of_k.reshape(*k.shape[:3], groups, -1).sum(3)
    dv[...] = of_v.reshape(*v.shape[:3], groups, -1).sum(3)
