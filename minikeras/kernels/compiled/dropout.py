"""Random numbers from a counter: number `k` of a stream depends on the stream's key and on k alone.

So the bits depend neither on tasks nor on how rows are spread over calls: `first` is the place of
the array's first number in its stream, `key` an array that holds the key. The key and the high
half of the place are mixed once (SplitMix64 of Steele, Lea and Flood 2014); each number is then a
32-bit hash of the low half of its place, keyed before and inside the mixing rounds (constants of
Wellons's "lowbias32" search).
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ._jit import exact, inner, noalias
from ._parts import flat_part, piece
from .maths import make_log, polynomial

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1, _MIX_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
LOW = 0xFFFFFFFF

# sin(2 pi s) / s as a polynomial in s**2 for abs(s) <= 1/4, minimax as those of maths.py
_SINE = {
    32: (6.2831853070467110, -41.341702096933267, 81.605223690957321, -76.704170284818214,
         42.007797628168317, -14.381393192122838),
    64: (6.2831853071795864753, -41.341702240399756229, 81.605249276073406022,
         -76.705859752798491687, 42.058693923785016074, -15.094641620505520117,
         3.819927050429837765, -0.71772357986895058609, 0.10085633003758276439),
}  # fmt: skip


def _mix(z):
    """SplitMix64's finaliser."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
    return z ^ (z >> np.uint64(31))


_mix = exact(_mix)


@exact
def stream_words(key, high):
    """The two 32-bit words, as int64, that key the hash of 2**32 consecutive places."""
    z = _mix(np.uint64(key) + np.uint64(_GOLDEN))
    z = _mix(z ^ (np.uint64(high) * np.uint64(_GOLDEN)))
    return np.int64(z & np.uint64(LOW)), np.int64(z >> np.uint64(32))


@intrinsic
def hashed(typingctx, place, first_word, second_word):
    """(place, words of the stream) -> 32 random bits, as uint32; only low halves count."""
    word = ir.IntType(32)

    def codegen(context, builder, sig, args):
        def shifted(h, bits):
            return builder.xor(h, builder.lshr(h, ir.Constant(word, bits)))

        def times(h, factor):
            return builder.mul(h, ir.Constant(word, factor))

        place, first_word, second_word = (builder.trunc(a, word) for a in args)
        h = builder.add(times(place, 0x9E3779B1), first_word)
        h = times(shifted(h, 16), 0x21F0AAAD)
        h = builder.xor(shifted(h, 15), second_word)
        h = times(h, 0x735A2D97)
        h = times(shifted(h, 15), 0x846CA68B)
        return shifted(h, 16)

    return types.uint32(types.int64, types.int64, types.int64), codegen


def make_unit(T):
    """Compiled function (place, words) -> uniform number in [0, 1) with all bits that T holds."""
    if T.bitwidth == 32:
        scale = T(2.0**-24)

        @exact
        def unit(place, first_word, second_word):
            return T(np.int32(hashed(place, first_word, second_word) >> np.uint32(8))) * scale
    else:
        high, low = T(2.0**-32), T(2.0**-53)

        @exact
        def unit(place, first_word, second_word):
            a = hashed(place, first_word, second_word)
            b = hashed(place, second_word, first_word) >> np.uint32(11)
            return T(a) * high + T(b) * low

    return unit


def next_key(T):
    """key = a mix of the seed and the counter that `state` holds; the counter goes up by one."""

    def task(i, n, scratch, state, key):
        if i == 0:
            z = _mix(np.uint64(state[0]) + np.uint64(_GOLDEN))
            key[0] = np.int64(_mix(z + np.uint64(state[1]) * np.uint64(_GOLDEN)))
            state[1] += 1
        return 0

    return task


def _stream_task(part):
    """Task of ``part(x, place, words, a, b, y)``, which wants a constant high half of places."""

    def task(i, n, x, key, first, a, b, y):
        lo, hi = flat_part(i, n, y.size)
        while lo < hi:
            place = first + lo
            stop = min(hi, lo + (LOW + 1 - (place & LOW)))
            first_word, second_word = stream_words(key, place >> 32)
            part(piece(x, lo, stop), place & LOW, first_word, second_word, a, b, piece(y, lo, stop))
            lo = stop
        return 0

    return inner(task)


def dropout(T):
    """y = x / (1 - rate), or 0 with probability `rate`."""
    zero = T(0)

    @inner
    def part(x, place, first_word, second_word, threshold, scale, y):
        noalias()
        for j in range(x.size):
            drop = hashed(place + j, first_word, second_word) < threshold
            y[j] = zero if drop else x[j] * scale

    run = _stream_task(part)

    def task(i, n, scratch, x, key, first, rate, y):
        threshold = np.uint32(min(rate * 4294967296.0, 4294967295.0))
        scale = T(1.0 / (1.0 - rate)) if rate < 1.0 else zero
        return run(i, n, x, key[0], first, threshold, scale, y)

    return task


def random_uniform(T):
    """out = uniform numbers in [low, high)."""
    unit = make_unit(T)

    @inner
    def part(x, place, first_word, second_word, low, width, y):
        for j in range(y.size):
            y[j] = low + width * unit(place + j, first_word, second_word)

    run = _stream_task(part)

    def task(i, n, scratch, key, first, low, high, out):
        return run(i, n, out, key[0], first, T(low), T(high - low), out)

    return task


def random_normal(T):
    """out = normal numbers, by Box and Muller's polar coordinates."""
    half, one, two = T(0.5), T(1), T(2)
    unit, log, sine = make_unit(T), make_log(T), polynomial(T, _SINE[T.bitwidth])

    @inner
    def part(x, place, first_word, second_word, mean, deviation, y):
        for j in range(y.size):
            u = unit(place + j, first_word, second_word)
            v = unit(place + j, ~second_word, ~first_word)
            s = half * (v - half)
            radius = math.sqrt(-two * log(one - u))
            y[j] = mean + deviation * (radius * (s * sine(s * s)))

    run = _stream_task(part)

    def task(i, n, scratch, key, first, mean, deviation, out):
        return run(i, n, out, key[0], first, T(mean), T(deviation), out)

    return task
