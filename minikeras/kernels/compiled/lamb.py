"""LAMB: Adam's step of each variable scaled by norms; two passes over flat vectors.

`segments` is the table of `optimizers`. The first pass leaves the unscaled step in the gradient's
place, and in `sums` the sums of squares of weights and of steps, chunk by chunk: those of the
weights at place ``chunk + segment``, those of the steps as far behind again. `hyper` holds
`formulas.COMMON`, beta_1, beta_2 and epsilon.
"""

import math

from numba import types

from ..table import CHUNK
from ._jit import inner, noalias, view
from ._parts import chunk_part, end_of_chunk, flat_part, piece, sum_of_segment
from .maths import make_cast
from .optimizers import DECAYED


@inner
def _constants(step, beta_1, beta_2, epsilon):
    mean, square = 1.0 - beta_1**step, 1.0 - beta_2**step
    return 1.0 - beta_1, 1.0 - beta_2, 1.0 / mean, 1.0 / math.sqrt(square), epsilon


def lamb_moments(T):
    """Momentum and velocity, then g = the unscaled step; weights decay where that is flagged."""
    at, cast, zero = view(T), make_cast(T), T(0)

    @inner
    def decay(w, share):
        noalias()
        for j in range(w.size):
            w[j] -= w[j] * share

    @inner
    def part(w, g, m, v, rest_1, rest_2, mean, root, epsilon):
        noalias()
        of_weights, of_steps = zero, zero
        for j in range(w.size):
            m[j] += (g[j] - m[j]) * rest_1
            v[j] += (g[j] * g[j] - v[j]) * rest_2
            g[j] = m[j] * mean / (math.sqrt(v[j]) * root + epsilon)
            of_weights += w[j] * w[j]
            of_steps += g[j] * g[j]
        return types.float64(of_weights), types.float64(of_steps)

    def task(i, n, scratch, segments, g, momentum, velocity, sums, hyper):
        c = cast(_constants(hyper[2] + 1.0, hyper[3], hyper[4], hyper[5]))
        share, half = T(hyper[0] * hyper[1]), sums.size // 2
        lo, hi = chunk_part(i, n, g.size)
        for k in range(segments.shape[0]):
            start, size = segments[k, 1], segments[k, 2]
            a, b = max(lo, start), min(hi, start + size)
            while a < b:
                stop = end_of_chunk(a, b)
                w = piece(at(segments[k, 0], size), a - start, stop - start)
                if segments[k, 3] & DECAYED and share != zero:
                    decay(w, share)
                m, v = piece(momentum, a, stop), piece(velocity, a, stop)
                place = a // CHUNK + k
                sums[place], sums[half + place] = part(w, piece(g, a, stop), m, v, *c)
                a = stop
        return 0

    return task


def lamb_step(T):
    """w -= rate * |w| / |g| * g for each segment; the ratio is 1 where a norm is zero."""
    at = view(T)

    @inner
    def part(w, g, rate):
        noalias()
        for j in range(w.size):
            w[j] -= rate * g[j]

    def task(i, n, scratch, segments, g, sums, hyper):
        half = sums.size // 2
        lo, hi = flat_part(i, n, g.size)
        for k in range(segments.shape[0]):
            start, size = segments[k, 1], segments[k, 2]
            a, b = max(lo, start), min(hi, start + size)
            if a < b:
                of_weights = sum_of_segment(sums, start, size, k)
                of_steps = sum_of_segment(sums, start, size, half + k)
                ratio = 1.0
                if of_weights > 0.0 and of_steps > 0.0:
                    ratio = math.sqrt(of_weights) / math.sqrt(of_steps)
                w = piece(at(segments[k, 0], size), a - start, b - start)
                part(w, piece(g, a, b), T(hyper[0] * ratio))
        return 0

    return task
