"""Gated recurrent units over sequences, step by step."""

import numpy as np

from .recurrent import begin, factors, goes, sigmoid, steps


def gru_after(w, bias, h0, mask, keep, backwards, gates, inside, before, outputs, h):
    h[...] = h0
    units = h.shape[1]
    for s, t in steps(outputs, backwards):
        before[:, t] = h * factors(keep)
        own = before[:, t] @ w + (bias if bias.size else 0)
        z, r = np.split(sigmoid(gates[:, t, : 2 * units] + own[:, : 2 * units]), 2, axis=-1)
        g = np.tanh(gates[:, t, 2 * units :] + r * own[:, 2 * units :])
        _finish(s, t, z, r, g, own[:, 2 * units :], mask, gates, inside, outputs, h)


def gru_before(w, h0, mask, keep, backwards, gates, inside, before, outputs, h):
    h[...] = h0
    units = h.shape[1]
    for s, t in steps(outputs, backwards):
        before[:, t] = h * factors(keep)
        own = before[:, t] @ w[:, : 2 * units]
        z, r = np.split(sigmoid(gates[:, t, : 2 * units] + own), 2, axis=-1)
        g = np.tanh(gates[:, t, 2 * units :] + (r * before[:, t]) @ w[:, 2 * units :])
        _finish(s, t, z, r, g, r * before[:, t], mask, gates, inside, outputs, h)


def _finish(s, t, z, r, g, own, mask, gates, inside, outputs, h):
    on = goes(mask, t)
    h[...] = np.where(on, z * h + (1 - z) * g, h)
    gates[:, t] = np.where(on, np.concatenate([z, r, g], -1), 0)
    inside[:, t] = np.where(on, own, 0)
    outputs[:, s] = h


def gru_after_grad(
    w, h0, gates, inside, outputs, g_outputs, g_h, mask, keep, backwards, dz, di, dh0, sums
):  # fmt: skip
    dh = begin(g_h, dh0)
    for s, t in reversed(steps(dz, backwards)):
        if g_outputs.size:
            dh += g_outputs[:, s]
        z, r, g = np.split(gates[:, t], 3, axis=-1)
        old, on = outputs[:, s - 1] if s else h0, goes(mask, t)
        dg = dh * (1 - z) * (1 - g**2)
        both = [dh * (old - g) * z * (1 - z), dg * inside[:, t] * r * (1 - r)]
        dz[:, t] = np.where(on, np.concatenate([*both, dg], -1), 0)
        di[:, t] = np.where(on, np.concatenate([*both, dg * r], -1), 0)
        dh[...] = np.where(on, dh * z + di[:, t] @ w.T * factors(keep), dh)
    sums[...] = np.concatenate([dz.sum(1), di[..., 2 * dh.shape[1] :].sum(1)], -1)


def gru_before_grad(
    w, h0, gates, before, outputs, g_outputs, g_h, mask, keep, backwards, dz, dh0, sums
):  # fmt: skip
    dh = begin(g_h, dh0)
    units = dh.shape[1]
    of_gates, of_candidate = w[:, : 2 * units], w[:, 2 * units :]
    for s, t in reversed(steps(dz, backwards)):
        if g_outputs.size:
            dh += g_outputs[:, s]
        z, r, g = np.split(gates[:, t], 3, axis=-1)
        old, on = outputs[:, s - 1] if s else h0, goes(mask, t)
        dg = dh * (1 - z) * (1 - g**2)
        up = dg @ of_candidate.T
        both = [dh * (old - g) * z * (1 - z), up * before[:, t] * r * (1 - r)]
        dz[:, t] = np.where(on, np.concatenate([*both, dg], -1), 0)
        own = up * r + dz[:, t, : 2 * units] @ of_gates.T
        dh[...] = np.where(on, dh * z + own * factors(keep), dh)
    sums[...] = dz.sum(1)
