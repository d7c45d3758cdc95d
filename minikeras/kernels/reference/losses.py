"""Twins of the losses."""

import numpy as np


def _check(labels, width):
    if ((labels < 0) | (labels >= width)).any():
        raise ValueError(f"Labels must be at least 0 and less than {width}.", 1)


def _one_hot(labels, p):
    _check(labels, p.shape[1])
    return (labels[:, None] == np.arange(p.shape[1])).astype(p.dtype)


def _share(p):
    """Probabilities divided by their sum."""
    return p / p.sum(axis=1, keepdims=True)


def _clip(q, eps):
    """Clipped probabilities, and where they were not."""
    low, high = q.dtype.type(eps), q.dtype.type(1.0 - eps)
    return np.clip(q, low, high), ~((q < low) | (q > high))


def _log_softmax(logits):
    z = logits - logits.max(axis=1, keepdims=True, initial=-np.inf)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def cross_entropy(p, t, eps, loss):
    q, _ = _clip(_share(p), eps)
    loss[...] = -(t * np.log(q)).sum(axis=1)


def cross_entropy_grad(g, p, t, eps, dp):
    total = p.sum(axis=1, keepdims=True)
    q, inside = _clip(p / total, eps)
    t = t * inside
    dp[...] = g[:, None] / total * (t.sum(axis=1, keepdims=True) - t / q)


def softmax_then_cross_entropy_grad(g, p, t, eps, dz):
    dp = np.empty_like(p)
    cross_entropy_grad(g, p, t, eps, dp)
    dz[...] = p * (dp - (dp * p).sum(axis=1, keepdims=True))


def sparse_cross_entropy(p, labels, eps, loss):
    cross_entropy(p, _one_hot(labels, p), eps, loss)


def sparse_cross_entropy_grad(g, p, labels, eps, dp):
    cross_entropy_grad(g, p, _one_hot(labels, p), eps, dp)


def sparse_softmax_then_cross_entropy_grad(g, p, labels, eps, dz):
    softmax_then_cross_entropy_grad(g, p, _one_hot(labels, p), eps, dz)


def softmax_cross_entropy(logits, t, probs, loss):
    log_probs = _log_softmax(logits)
    probs[...] = np.exp(log_probs)
    loss[...] = -(t * log_probs).sum(axis=1)


def softmax_cross_entropy_grad(g, probs, t, dlogits):
    dlogits[...] = g[:, None] * (probs * t.sum(axis=1, keepdims=True) - t)


def sparse_softmax_cross_entropy(logits, labels, probs, loss):
    _check(labels, logits.shape[1])
    log_probs = _log_softmax(logits)
    probs[...] = np.exp(log_probs)
    loss[...] = -log_probs[np.arange(labels.size), labels]


def sparse_softmax_cross_entropy_grad(g, probs, labels, dlogits):
    softmax_cross_entropy_grad(g, probs, _one_hot(labels, probs), dlogits)


def _mean(x):
    """Row means; NaN for rows without columns, without numpy's warning."""
    return x.sum(axis=1) / x.dtype.type(x.shape[1])


def squared_error(p, t, loss):
    loss[...] = _mean((p - t) ** 2)


def squared_error_grad(g, p, t, dp):
    dp[...] = g[:, None] * 2 * (p - t) / p.shape[1]


def absolute_error(p, t, loss):
    loss[...] = _mean(abs(p - t))


def absolute_error_grad(g, p, t, dp):
    dp[...] = g[:, None] * np.sign(p - t) / p.shape[1]


def binary_cross_entropy(p, t, eps, loss):
    q, _ = _clip(p, eps)
    loss[...] = -_mean(t * np.log(q) + (1 - t) * np.log(1 - q))


def binary_cross_entropy_grad(g, p, t, eps, dp):
    q, inside = _clip(p, eps)
    dp[...] = g[:, None] * inside * ((1 - t) / (1 - q) - t / q) / p.shape[1]


def sigmoid_cross_entropy(p, t, loss):
    loss[...] = _mean(np.logaddexp(p, 0) - p * t)


def sigmoid_cross_entropy_grad(g, p, t, dp):
    dp[...] = g[:, None] * (1 / (1 + np.exp(-p)) - t) / p.shape[1]
