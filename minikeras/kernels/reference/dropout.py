"""Twins of the random kernels, with the same random bits."""

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LOW = np.uint64(0xFFFFFFFF)


def _mix(z):
    """SplitMix64's finaliser."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _unsigned(number):
    """An int64 as an array of one uint64: numpy warns of overflow in numbers, not in arrays."""
    return np.array([int(number) & 0xFFFFFFFFFFFFFFFF], np.uint64)


def _places(key, first, size):
    """Low halves of the places, and the two words that key their hash."""
    place = np.arange(size, dtype=np.uint64) + _unsigned(first)
    z = _mix(_mix(_unsigned(key[0]) + _GOLDEN) ^ ((place >> np.uint64(32)) * _GOLDEN))
    return [w.astype(np.uint32) for w in (place & _LOW, z & _LOW, z >> np.uint64(32))]


def _hashed(place, first_word, second_word):
    def shifted(h, bits):
        return h ^ (h >> np.uint32(bits))

    h = shifted(place * np.uint32(0x9E3779B1) + first_word, 16) * np.uint32(0x21F0AAAD)
    h = (shifted(h, 15) ^ second_word) * np.uint32(0x735A2D97)
    h = shifted(h, 15) * np.uint32(0x846CA68B)
    return shifted(h, 16)


def _unit(dtype, place, first_word, second_word):
    a = _hashed(place, first_word, second_word)
    if dtype == np.float32:
        return (a >> np.uint32(8)).astype(dtype) * dtype.type(2.0**-24)
    b = _hashed(place, second_word, first_word) >> np.uint32(11)
    return a * 2.0**-32 + b * 2.0**-53


def next_key(state, key):
    seed, counter = _unsigned(state[0]), _unsigned(state[1])
    key[:] = _mix(_mix(seed + _GOLDEN) + counter * _GOLDEN).view(np.int64)
    state[1] += 1


def dropout(x, key, first, rate, y):
    threshold = np.uint32(min(rate * 4294967296.0, 4294967295.0))
    kept = _hashed(*_places(key, first, x.size)) >= threshold
    y[...] = np.where(kept, x * x.dtype.type(1 / (1 - rate) if rate < 1 else 0), 0)


def random_uniform(key, first, low, high, out):
    u = _unit(out.dtype, *_places(key, first, out.size))
    out[...] = out.dtype.type(low) + out.dtype.type(high - low) * u


def random_normal(key, first, mean, deviation, out):
    place, first_word, second_word = _places(key, first, out.size)
    u = _unit(out.dtype, place, first_word, second_word)
    v = _unit(out.dtype, place, ~second_word, ~first_word)
    z = np.sqrt(-2 * np.log(1 - u)) * np.sin(np.pi * (v - out.dtype.type(0.5)))
    out[...] = out.dtype.type(mean) + out.dtype.type(deviation) * z
