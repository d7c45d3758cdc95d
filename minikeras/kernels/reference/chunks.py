"""Where the sums of the chunks of segments lie; see ``compiled/clip.py``."""

import ctypes

import numpy as np

from ..table import CHUNK


def chunks(segments):
    """(place of its sum, slice of the flat vectors) of each chunk of each segment."""
    for k, (_, start, size, _) in enumerate(segments.tolist()):
        a, stop = start, start + size
        while a < stop:
            end = min(stop, (a // CHUNK + 1) * CHUNK)
            yield a // CHUNK + k, slice(a, end)
            a = end


def sum_of_segment(sums, start: int, size: int, k: int):
    if not size:
        return np.float64(0)
    return sums[start // CHUNK + k : (start + size - 1) // CHUNK + k + 1].sum()


def weights(address: int, size: int, dtype: np.dtype) -> np.ndarray:
    """The weights of a segment, where they lie."""
    memory = (ctypes.c_byte * (size * dtype.itemsize)).from_address(address)
    return np.ctypeslib.as_array(memory).view(dtype)
