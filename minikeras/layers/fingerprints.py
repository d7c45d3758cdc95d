"""Hash values of texts: the same on every machine, for ever, and those that Keras uses.

Texts of one length are hashed together, as rows of bytes.

References:
    FarmHash64: G. Pike, "FarmHash", https://github.com/google/farmhash (Fingerprint64).
    SipHash-2-4: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF",
    INDOCRYPT 2012, https://www.aumasson.jp/siphash/siphash.pdf
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["as_bytes", "crossed", "farmhash64", "siphash64"]

U64 = np.uint64
K0, K1, K2 = U64(0xC3A5C85C97CB3127), U64(0xB492B66FBE98F273), U64(0x9AE16A3B2F90404F)
CROSS_START = 0xDECAFCAFFE  # the first of the values that `crossed` joins
CROSS = U64(0xC6A4A7935BD1E995)
SIP_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def as_bytes(texts: Sequence[Any]) -> list[bytes]:
    """Texts as UTF-8, bytes as they are, whole numbers by their decimal digits."""
    return [t if isinstance(t, bytes) else str(t).encode("utf-8", "surrogateescape") for t in texts]


def farmhash64(texts: Sequence[bytes]) -> np.ndarray:
    """FarmHash's 64-bit fingerprint of each text, uint64.

    >>> [hex(value) for value in farmhash64([b"", b"minikeras"])]
    ['0x9ae16a3b2f90404f', '0x6c21decbfbb1f677']
    """
    return _by_length(texts, _farmhash)


def siphash64(texts: Sequence[bytes], key: Sequence[int]) -> np.ndarray:
    """SipHash-2-4 of each text under a key of two 64-bit numbers, uint64.

    >>> hex(siphash64([bytes(range(15))], [0x0706050403020100, 0x0F0E0D0C0B0A0908])[0])
    '0xa129ca6149be45e5'
    """
    first, second = (U64(int(part) % 2**64) for part in key)
    return _by_length(texts, lambda rows: _siphash(rows, first, second))


def crossed(columns: Sequence[np.ndarray]) -> np.ndarray:
    """One uint64 for each row of several columns of uint64, which depends on their order."""
    value = np.full(columns[0].shape, CROSS_START, U64)
    for column in columns:
        value = value ^ CROSS ^ (_mix(column * CROSS) * CROSS)
        value = _mix(_mix(value * CROSS) * CROSS)
    return value


def _by_length(texts: Sequence[bytes], hashed: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Hash the texts of each length together, as an array (texts, length) of bytes."""
    result = np.empty(len(texts), U64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        joined = b"".join([texts[place] for place in places.tolist()])
        rows = np.frombuffer(joined, np.uint8).reshape(len(places), length)
        result[places] = hashed(rows)
    return result


def _word(rows: np.ndarray, at: int, size: int = 8) -> np.ndarray:
    """The little-endian number in the `size` bytes from a place (of 8 bytes, or 4)."""
    part = np.ascontiguousarray(rows[:, at : at + size])
    return part.view(f"<u{size}")[:, 0].astype(U64)


def _rotated(value: Any, bits: int) -> Any:
    """Rotated to the right."""
    return (value >> U64(bits)) | (value << U64(64 - bits))


def _mix(value: Any) -> Any:
    return value ^ (value >> U64(47))


def _join(u: Any, v: Any, mul: Any) -> Any:
    """FarmHash's function of two words."""
    a = _mix((u ^ v) * mul)
    return _mix((v ^ a) * mul) * mul


def _farmhash(rows: np.ndarray) -> np.ndarray:
    length = rows.shape[1]
    if length > 64:
        return _farmhash_long(rows)
    if length > 32:
        return _farmhash_33_to_64(rows)
    if length > 16:
        return _farmhash_17_to_32(rows)
    return _farmhash_short(rows)


def _multiplier(length: int) -> Any:
    return K2 + U64(2 * length)


def _farmhash_short(rows: np.ndarray) -> Any:
    length = rows.shape[1]
    if length >= 8:
        mul = _multiplier(length)
        a, b = _word(rows, 0) + K2, _word(rows, length - 8)
        return _join(_rotated(b, 37) * mul + a, (_rotated(a, 25) + b) * mul, mul)
    if length >= 4:
        first, last = _word(rows, 0, 4), _word(rows, length - 4, 4)
        return _join(U64(length) + (first << U64(3)), last, _multiplier(length))
    if length == 0:
        return K2
    a, b, c = (rows[:, at].astype(U64) for at in (0, length >> 1, length - 1))
    return _mix((a + (b << U64(8))) * K2 ^ (U64(length) + (c << U64(2))) * K0) * K2


def _ends(rows: np.ndarray) -> tuple[Any, ...]:
    """What is made of the first and last 16 bytes of texts of 17 to 64: a, b, y, and the other."""
    length = rows.shape[1]
    return _word(rows, 0), _word(rows, 8), _word(rows, length - 8), _word(rows, length - 16)


def _farmhash_17_to_32(rows: np.ndarray) -> Any:
    mul = _multiplier(rows.shape[1])
    first, b, last, before = _ends(rows)
    a, c, d = first * K1, last * mul, before * K2
    return _join(_rotated(a + b, 43) + _rotated(c, 30) + d, a + _rotated(b + K2, 18) + c, mul)


def _farmhash_33_to_64(rows: np.ndarray) -> Any:
    length = rows.shape[1]
    mul = _multiplier(length)
    first, b, last, before = _ends(rows)
    a, c, d = first * K2, last * mul, before * K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _join(y, a + _rotated(b + K2, 18) + c, mul)
    e, f = _word(rows, 16) * mul, _word(rows, 24)
    g, h = (y + _word(rows, length - 32)) * mul, (z + _word(rows, length - 24)) * mul
    return _join(_rotated(e + f, 43) + _rotated(g, 30) + h, e + _rotated(f + a, 18) + g, mul)


def _weak(rows: np.ndarray, at: int, a: Any, b: Any) -> tuple[Any, Any]:
    """Two words of 32 bytes and two seeds."""
    w, x, y, z = (_word(rows, at + 8 * place) for place in range(4))
    a = a + w
    b = _rotated(b + a + z, 21)
    c = a
    a = a + x + y
    return a + z, b + _rotated(a, 44) + c


class _State:
    """The seven words of FarmHash for long texts, and how a block of 64 bytes changes them."""

    def __init__(self, rows: np.ndarray):
        zero = np.zeros(len(rows), U64)
        self.rows = rows
        self.y = zero + U64((81 * int(K1) + 113) % 2**64)
        self.z = _mix(self.y * K2 + U64(113)) * K2
        self.x = (zero + U64(81)) * K2 + _word(rows, 0)
        self.v, self.w = (zero, zero), (zero, zero)

    def block(self, at: int, mul: Any, spread: int = 1) -> None:
        rows, nine = self.rows, U64(spread)
        x = _rotated(self.x + self.y + self.v[0] + _word(rows, at + 8), 37) * mul
        y = _rotated(self.y + self.v[1] + _word(rows, at + 48), 42) * mul
        x = x ^ (self.w[1] * nine)
        y = y + self.v[0] * nine + _word(rows, at + 40)
        z = _rotated(self.z + self.w[0], 33) * mul
        self.v = _weak(rows, at, self.v[1] * mul, x + self.w[0])
        self.w = _weak(rows, at + 32, z + self.w[1], y + _word(rows, at + 16))
        self.x, self.y, self.z = z, y, x


def _farmhash_long(rows: np.ndarray) -> Any:
    length = rows.shape[1]
    state = _State(rows)
    for at in range(0, (length - 1) // 64 * 64, 64):
        state.block(at, K1)
    mul = K1 + ((state.z & U64(0xFF)) << U64(1))
    (v, v1), (w, w1) = state.v, state.w
    w = w + U64((length - 1) & 63)
    v = v + w
    state.v, state.w = (v, v1), (w + v, w1)
    state.block(length - 64, mul, spread=9)
    (v, v1), (w, w1) = state.v, state.w
    return _join(_join(v, w, mul) + _mix(state.y) * K0 + state.z, _join(v1, w1, mul) + state.x, mul)


def _siphash(rows: np.ndarray, first: Any, second: Any) -> Any:
    count, length = rows.shape
    keys = (first, second, first, second)
    v = [np.full(count, U64(start) ^ key) for start, key in zip(SIP_START, keys, strict=True)]
    blocks = np.zeros((count, length // 8 * 8 + 8), np.uint8)
    blocks[:, :length] = rows
    blocks[:, -1] = length % 256
    for at in range(0, blocks.shape[1], 8):
        word = _word(blocks, at)
        v[3] = v[3] ^ word
        v = _sip_round(_sip_round(v))
        v[0] = v[0] ^ word
    v[2] = v[2] ^ U64(0xFF)
    for _ in range(4):
        v = _sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_round(v: list[Any]) -> list[Any]:
    a, b, c, d = v
    a, c = a + b, c + d
    b, d = _rotated(b, 64 - 13) ^ a, _rotated(d, 64 - 16) ^ c
    a = _rotated(a, 32)
    c, a = c + b, a + d
    b, d = _rotated(b, 64 - 17) ^ c, _rotated(d, 64 - 21) ^ a
    return [a, b, _rotated(c, 32), d]
