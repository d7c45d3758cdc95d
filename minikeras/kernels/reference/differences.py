"""Twins of the losses of differences."""

import numpy as np

from .losses import _mean


def _steps(x, eps):
    """1 above eps, 0 below, a half at it."""
    return np.heaviside(x - x.dtype.type(eps), x.dtype.type(0.5))


def huber(p, t, delta, loss):
    size = abs(p - t)
    loss[...] = _mean(np.where(size <= delta, size**2 / 2, delta * size - delta**2 / 2))


def huber_grad(g, p, t, delta, dp):
    dp[...] = g[:, None] * np.clip(p - t, -delta, delta) / p.shape[1]


def log_cosh(p, t, loss):
    loss[...] = _mean(np.logaddexp(p - t, t - p) - np.log(p.dtype.type(2)))


def log_cosh_grad(g, p, t, dp):
    dp[...] = g[:, None] * np.tanh(p - t) / p.shape[1]


def percentage_error(p, t, eps, loss):
    loss[...] = 100 * _mean(abs((t - p) / np.maximum(abs(t), t.dtype.type(eps))))


def percentage_error_grad(g, p, t, eps, dp):
    slope = np.sign(p - t) / np.maximum(abs(t), t.dtype.type(eps))
    dp[...] = 100 * g[:, None] * slope / p.shape[1]


def _logarithms(p, t, eps):
    least = p.dtype.type(eps)
    return np.log(np.maximum(p, least) + 1) - np.log(np.maximum(t, least) + 1)


def logarithmic_error(p, t, eps, loss):
    loss[...] = _mean(_logarithms(p, t, eps) ** 2)


def logarithmic_error_grad(g, p, t, eps, dp):
    inside = _steps(p, eps) / (np.maximum(p, p.dtype.type(eps)) + 1)
    dp[...] = 2 * g[:, None] * _logarithms(p, t, eps) * inside / p.shape[1]


def poisson(p, t, eps, loss):
    loss[...] = _mean(p - t * np.log(p + p.dtype.type(eps)))


def poisson_grad(g, p, t, eps, dp):
    dp[...] = g[:, None] * (1 - t / (p + p.dtype.type(eps))) / p.shape[1]


def divergence(p, t, eps, loss):
    p, t = (np.clip(x, x.dtype.type(eps), 1) for x in (p, t))
    loss[...] = (t * np.log(t / p)).sum(axis=1)


def divergence_grad(g, p, t, eps, dp):
    q, t = (np.clip(x, x.dtype.type(eps), 1) for x in (p, t))
    dp[...] = -g[:, None] * _steps(p, eps) * _steps(-p, -1) * t / q


def _lengths(p, t, eps):
    return [np.maximum(np.sqrt((x * x).sum(axis=1, keepdims=True)), eps) for x in (p, t)]


def cosine(p, t, eps, loss):
    first, second = _lengths(p, t, eps)
    loss[...] = -(p / first * (t / second)).sum(axis=1)


def cosine_grad(g, p, t, eps, dp):
    first, second = _lengths(p, t, eps)
    a, b = p / first, t / second
    inside = (first > eps) * (a * b).sum(axis=1, keepdims=True)
    dp[...] = g[:, None] * (inside * a - b) / first
