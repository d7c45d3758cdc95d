"""Twins of the optimizer steps: the same formulas, on numpy arrays."""

import ctypes
from functools import partial

import numpy as np

from .. import formulas


def _weights(address: int, size: int, dtype: np.dtype) -> np.ndarray:
    """The weights of a segment, where they lie."""
    memory = (ctypes.c_char * (size * dtype.itemsize)).from_address(address)
    return np.frombuffer(memory, dtype)


def _step(name, segments, g, *rest):
    slots, hyper = rest[:-1], rest[-1]
    numbers = [g.dtype.type(v) for v in hyper[1:]]
    for address, offset, size, decays in segments.tolist():
        w = _weights(address, size, g.dtype)
        here = slice(offset, offset + size)
        decay = g.dtype.type(hyper[0] if decays else 0)
        mine = [s[here] for s in slots]
        new = getattr(formulas, name)(w - w * decay, g[here], *mine, *numbers)
        for array, value in zip([w, *mine], new, strict=True):
            array[...] = value


for _name in formulas.RULES:
    globals()[_name] = partial(_step, _name)
