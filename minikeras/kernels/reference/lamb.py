"""Twins of LAMB's kernels."""

import numpy as np

from .chunks import chunks, sum_of_segment, weights
from .optimizers import DECAYED


def _shrink(segments, dtype, share):
    for address, _, size, flags in segments.tolist():
        if flags & DECAYED:
            w = weights(address, size, dtype)
            w -= w * dtype.type(share)


def _flat_weights(segments, flat):
    """The weights, laid out as the flat vectors are."""
    result = np.zeros_like(flat)
    for address, start, size, _ in segments.tolist():
        result[start : start + size] = weights(address, size, flat.dtype)
    return result


def lamb_moments(segments, g, momentum, velocity, sums, hyper):
    rate, decay, iterations, beta_1, beta_2, epsilon = hyper
    T, step, half = g.dtype.type, iterations + 1, sums.size // 2
    _shrink(segments, g.dtype, rate * decay)
    w = _flat_weights(segments, g)
    mean, root = T(1 / (1 - beta_1**step)), T(1 / np.sqrt(1 - beta_2**step))
    for place, here in chunks(segments):
        m, v = momentum[here], velocity[here]
        m += (g[here] - m) * T(1 - beta_1)
        v += (g[here] * g[here] - v) * T(1 - beta_2)
        g[here] = m * mean / (np.sqrt(v) * root + T(epsilon))
        sums[place], sums[half + place] = np.square(w[here]).sum(), np.square(g[here]).sum()


def lamb_step(segments, g, sums, hyper):
    half = sums.size // 2
    for k, (address, start, size, _) in enumerate(segments.tolist()):
        of_weights = sum_of_segment(sums, start, size, k)
        of_steps = sum_of_segment(sums, start, size, half + k)
        ratio = 1.0
        if of_weights > 0 and of_steps > 0:
            ratio = np.sqrt(of_weights) / np.sqrt(of_steps)
        w = weights(address, size, g.dtype)
        w -= g.dtype.type(hyper[0] * ratio) * g[start : start + size]
