"""Twins of connectionist temporal classification."""

import numpy as np

NEVER, OUTSIDE = -1e5, -1e30


def _samples(logits, labels, lengths, frames, blank):
    """(sample, classes of its states, weights of skips, number of frames)."""
    for b in range(len(logits)):
        n = lengths[b] if lengths.size else (labels[b] != blank).sum()
        last = frames[b] if frames.size else logits.shape[1]
        inside = 0 <= n <= labels.shape[1] and 0 <= last <= logits.shape[1]
        own = labels[b, : max(n, 0)]
        if not inside or ((own < 0) | (own >= logits.shape[2])).any():
            raise ValueError(f"Labels must be at least 0 and less than {logits.shape[2]}.", 1)
        states = np.full(2 * n + 1, blank)
        states[1::2] = own
        skips = np.full(2 * n + 1, -np.inf)
        skips[3::2] = np.where(own[1:] == own[:-1], NEVER, 0.0)
        yield b, states, skips, last


def _log_softmax(x):
    top = x.max(axis=-1, keepdims=True)
    norm = top + np.log(np.exp(x - top).sum(axis=-1, keepdims=True))
    return x - norm, norm[..., 0]


def _total(a):
    return np.logaddexp.reduce(a[-2:])


def ctc(logits, labels, lengths, frames, blank, norms, alphas, loss):
    norms[...], alphas[...] = 0, 0
    for b, states, skips, last in _samples(logits, labels, lengths, frames, blank):
        own, norms[b, :last] = _log_softmax(logits[b, :last].astype("float64"))
        a = np.full(states.size, NEVER)
        a[0] = 0
        alphas[b, 0, : a.size] = a
        for f in range(last):
            before = np.concatenate([[-np.inf], a[:-1]])
            skipped = np.concatenate([[-np.inf] * 2, a[:-2]])[: a.size] + skips
            a = np.logaddexp(np.logaddexp(a, before), skipped) + own[f, states]
            alphas[b, f + 1, : a.size] = a
        loss[b] = -_total(a)


def ctc_grad(g, logits, labels, lengths, frames, blank, norms, alphas, dlogits):
    dlogits[...] = 0
    for b, states, skips, last in _samples(logits, labels, lengths, frames, blank):
        own, _ = _log_softmax(logits[b, :last].astype("float64"))
        betas = np.full(states.size, OUTSIDE)
        betas[-2:] = 0
        whole = _total(alphas[b, last, : states.size])
        for f in reversed(range(last)):
            shares = np.exp(alphas[b, f + 1, : states.size] + betas - whole)
            read = np.bincount(states, shares, logits.shape[2])
            dlogits[b, f] = g[b] * (np.exp(own[f]) - read)
            after = betas + own[f, states]
            skipped = np.concatenate([after[2:] + skips[2:], [-np.inf] * 2])[: after.size]
            following = np.concatenate([after[1:], [-np.inf]])
            betas = np.logaddexp(np.logaddexp(after, following), skipped)
