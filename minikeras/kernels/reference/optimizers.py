"""Twins of the optimizer steps: the same formulas, on numpy arrays."""

import ctypes
from functools import partial

import numpy as np

from .. import formulas

DECAYED = 1


def _weights(address: int, size: int, dtype: np.dtype) -> np.ndarray:
    """The weights of a segment, where they lie."""
    memory = (ctypes.c_byte * (size * dtype.itemsize)).from_address(address)
    return np.ctypeslib.as_array(memory).view(dtype)


def _step(rule: formulas.Rule, segments, g, *rest):
    slots, hyper = rest[:-1], rest[-1].tolist()
    rate, decay, iterations, *numbers = hyper
    constants = [g.dtype.type(c) for c in rule.constants(rate, iterations + 1, *numbers)]
    for address, offset, size, flags in segments.tolist():
        w = _weights(address, size, g.dtype)
        here = slice(offset, offset + size)
        kept = [s[here] for s in slots]
        shrink = g.dtype.type(decay if flags & DECAYED else 0) * g.dtype.type(rate)
        new = rule.step(w - w * shrink, g[here], *kept, *constants)
        for array, value in zip([w, *kept], new, strict=True):
            array[...] = value


for _name, _rule in formulas.RULES.items():
    globals()[_name] = partial(_step, _rule)
