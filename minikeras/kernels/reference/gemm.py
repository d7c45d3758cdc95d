"""Twin of the matrix product."""

import numpy as np


def gemm(a, b, bias, c, ta, tb, act, accumulate):
    total = (a.T if ta else a) @ (b.T if tb else b)
    if bias.size:
        total = total + bias
    if accumulate:
        total = total + c
    if act == 1:
        total = np.where(total <= 0, 0, total)
    elif act == 2:
        total = 1 / (1 + np.exp(-total))
    elif act == 3:
        total = np.tanh(total)
    c[...] = total
