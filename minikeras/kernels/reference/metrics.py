"""Twins of the metrics."""

import numpy as np


def _argmax(x):
    return x.argmax(axis=1) if x.shape[1] else np.full(x.shape[0], -1)


def sparse_accuracy(p, labels, hit):
    hit[...] = (_argmax(p) == labels) & (p.shape[1] > 0)


def categorical_accuracy(t, p, hit):
    hit[...] = (_argmax(p) == _argmax(t)) & (p.shape[1] > 0)


def binary_accuracy(t, p, threshold, hit):
    hit[...] = (t == (p > threshold)).sum(axis=1) / p.dtype.type(p.shape[1])


def top_k_accuracy(p, labels, k, hit):
    known = (labels >= 0) & (labels < p.shape[1])
    hit[...] = 0
    own = p[known, labels[known]][:, None]
    own = np.where(np.isnan(own), -np.inf, own)
    hit[known] = (p[known] > own).sum(axis=1) < k
