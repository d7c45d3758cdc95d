"""Normalisation over groups of channels of each sample: what follows from the sums of its chunks.

The sums themselves, and the passes over the numbers, are those of batch normalisation, with
constants of its own for each sample: ``sums`` holds two rows for each chunk, and as many chunks for
one sample as for the other; all chunks have the same number of rows.
"""

import math

from numba import types

from ._jit import exact, noalias
from ._parts import row_part


@exact
def _moments(sums, k0, k1, c0, c1, count):
    """Mean and (biased) variance of channels c0 to c1 of chunks k0 to k1, of `count` rows each.

    Source: Chan, Golub and LeVeque 1983.
    """
    total, square = 0.0, 0.0
    for k in range(k0, k1):
        for c in range(c0, c1):
            total += sums[2 * k, c]
    whole = count * types.float64((k1 - k0) * (c1 - c0))
    mean = total / whole
    for k in range(k0, k1):
        for c in range(c0, c1):
            d = sums[2 * k, c] / count - mean
            square += sums[2 * k + 1, c] + count * (d * d)
    return mean, square / whole


def group_lines(T):
    """Mean and factor 1 / sqrt(variance + eps) of each sample and channel, those of its group.

    lines: scale and shift of each sample, one row each, gamma and beta taken in; those of size 0
    are 1 and 0. rows: of a sample.
    """
    zero, one = T(0), T(1)

    def task(i, n, scratch, sums, groups, rows, gamma, beta, eps, mean, factor, lines):
        samples, channels = mean.shape
        width, chunks = channels // groups, sums.shape[0] // 2 // max(1, samples)
        lo, hi = row_part(i, n, samples)
        for sample in range(lo, hi):
            for group in range(groups):
                first = group * width
                m, v = _moments(
                    sums, sample * chunks, (sample + 1) * chunks, first, first + width,
                    types.float64(rows) / chunks,
                )  # fmt: skip
                f = T(1.0 / math.sqrt(v + eps))
                for c in range(first, first + width):
                    mean[sample, c], factor[sample, c] = T(m), f
                    scale = f * (gamma[c] if gamma.size > 0 else one)
                    lines[2 * sample, c] = scale
                    lines[2 * sample + 1, c] = (beta[c] if beta.size > 0 else zero) - T(m) * scale
        return 0

    return task


def group_norm_grad_factors(T):
    """dx = g * factors[0] + (x - mean) * factors[1] + factors[2] for each sample, from the sums of
    its chunks; and what it adds to the gradients of gamma and beta (without rows: not wanted)."""

    def task(i, n, scratch, sums, groups, rows, factor, gamma, factors, dgamma, dbeta):
        noalias()
        samples, channels = factor.shape
        width, chunks = channels // groups, sums.shape[0] // 2 // max(1, samples)
        lo, hi = row_part(i, n, samples)
        for sample in range(lo, hi):
            for group in range(groups):
                first = group * width
                shift, slope = 0.0, 0.0
                for c in range(first, first + width):
                    total, product = 0.0, 0.0
                    for k in range(sample * chunks, (sample + 1) * chunks):
                        total += sums[2 * k, c]
                        product += sums[2 * k + 1, c]
                    weight = types.float64(gamma[c]) if gamma.size > 0 else 1.0
                    shift += weight * total
                    slope += weight * product
                    if dgamma.shape[0] > 0:
                        dgamma[sample, c] = T(product * factor[sample, c])
                    if dbeta.shape[0] > 0:
                        dbeta[sample, c] = T(total)
                f = types.float64(factor[sample, first])
                count = types.float64(rows * width)
                for c in range(first, first + width):
                    weight = types.float64(gamma[c]) if gamma.size > 0 else 1.0
                    factors[3 * sample, c] = T(f * weight)
                    factors[3 * sample + 1, c] = T(-f * f * f * (slope / count))
                    factors[3 * sample + 2, c] = T(-f * (shift / count))
        return 0

    return task
