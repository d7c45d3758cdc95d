"""Simple recurrence over sequences, step by step."""

import numpy as np

from .recurrent import begin, factors, goes, sigmoid, steps

_ACTIVATIONS = [lambda z: z, lambda z: np.where(z < 0, 0, z), sigmoid, np.tanh]
_SLOPES = [
    lambda y: 1,
    lambda y: np.where(y <= 0, 0, 1),
    lambda y: y * (1 - y),
    lambda y: 1 - y**2,
]


def simple_rnn(w, h0, mask, keep, act, backwards, z, before, outputs, h):
    h[...] = h0
    for s, t in steps(outputs, backwards):
        before[:, t] = h * factors(keep)
        on = goes(mask, t)
        z[:, t] = np.where(on, z[:, t] + before[:, t] @ w, 0)
        h[...] = np.where(on, _ACTIVATIONS[act](z[:, t]), h)
        outputs[:, s] = h


def simple_rnn_grad(w, outputs, g_outputs, g_h, mask, keep, act, backwards, dz, dh0, sums):
    dh = begin(g_h, dh0)
    for s, t in reversed(steps(dz, backwards)):
        if g_outputs.size:
            dh += g_outputs[:, s]
        on = goes(mask, t)
        dz[:, t] = np.where(on, dh * _SLOPES[act](outputs[:, s]), 0)
        dh[...] = np.where(on, dz[:, t] @ w.T * factors(keep), dh)
    sums[...] = dz.sum(1)
