"""What the twins of recurrent kernels share."""

import numpy as np


def steps(x, backwards):
    """For each step of the processing its number, and its place in the input."""
    count = x.shape[1]
    return [(s, count - 1 - s if backwards else s) for s in range(count)]


def factors(keep):
    return keep if keep.size else 1


def goes(mask, t):
    """Which rows take part in a step, as a column."""
    return mask[:, t, None] != 0 if mask.size else True


def begin(g, d):
    """`d`, filled with the gradient that comes from outside, if any does."""
    d[...] = g if g.size else 0
    return d


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
