"""Long short-term memory over sequences, step by step."""

import numpy as np

from .recurrent import begin, factors, goes, sigmoid, steps


def lstm(w, h0, c0, mask, keep, backwards, gates, cells, before, outputs, h, c):
    h[...], c[...] = h0, c0
    for s, t in steps(outputs, backwards):
        before[:, t] = h * factors(keep)
        z = np.split(gates[:, t] + before[:, t] @ w, 4, axis=-1)
        i, f, g, o = sigmoid(z[0]), sigmoid(z[1]), np.tanh(z[2]), sigmoid(z[3])
        on = goes(mask, t)
        c[...] = np.where(on, f * c + i * g, c)
        h[...] = np.where(on, o * np.tanh(c), h)
        gates[:, t] = np.where(on, np.concatenate([i, f, g, o], -1), 0)
        cells[:, t], outputs[:, s] = c, h


def lstm_grad(
    w, c0, gates, cells, g_outputs, g_h, g_c, mask, keep, backwards, dz, dh0, dc0, sums
):  # fmt: skip
    dh, dc = begin(g_h, dh0), begin(g_c, dc0)
    order = list(steps(dz, backwards))
    for s, t in reversed(order):
        if g_outputs.size:
            dh += g_outputs[:, s]
        i, f, g, o = np.split(gates[:, t], 4, axis=-1)
        old = cells[:, order[s - 1][1]] if s else c0
        bent, on = np.tanh(cells[:, t]), goes(mask, t)
        up = dc + dh * o * (1 - bent**2)
        of_gates = [
            up * g * i * (1 - i), up * old * f * (1 - f), up * i * (1 - g**2),
            dh * bent * o * (1 - o),
        ]  # fmt: skip
        dz[:, t] = np.where(on, np.concatenate(of_gates, -1), 0)
        dc[...] = np.where(on, up * f, dc)
        dh[...] = np.where(on, dz[:, t] @ w.T * factors(keep), dh)
    sums[...] = dz.sum(1)
