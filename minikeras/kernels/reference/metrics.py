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
