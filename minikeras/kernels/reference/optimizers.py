"""Twins of the optimizer steps: the same formulas, on numpy arrays."""

from functools import partial
from typing import Any

import numpy as np

from .. import formulas
from .chunks import weights

DECAYED, ROWS = 1, 2


def _step(rule: formulas.Rule, segments, g, *rest):
    slots = rest[:-1]
    rate, decay, iterations, *numbers = rest[-1]  # numpy's: dividing by zero is no error
    constants = [g.dtype.type(c) for c in rule.constants(rate, iterations + 1, *numbers)]
    for address, offset, size, flags, *table in segments.tolist():
        w = weights(address, size, g.dtype)
        here: Any = slice(offset, offset + size)
        if flags & ROWS:
            _step_rows(rule, w, g, slots, offset, table, constants)
            continue
        kept = [s[here] for s in slots]
        shrink = g.dtype.type(decay if flags & DECAYED else 0) * g.dtype.type(rate)
        new = rule.step(w - w * shrink, g[here], *kept, *constants)
        for array, value in zip([w, *kept], new, strict=True):
            array[...] = value


def _step_rows(rule, w, g, slots, offset, table, constants):
    """The step of the rows that have a mark, or of those whose slots lie together."""
    width, *addresses, begin = table
    rows, g = w.size // width, g.reshape(-1, width)
    marks = weights(addresses[0], rows, np.dtype(np.uint8))
    places = weights(addresses[1], rows, np.dtype(np.int32))
    following = weights(addresses[2], len(g), np.dtype(np.int32))
    near = weights(addresses[3], 1, np.dtype(np.int64))[0]
    chosen = at = np.flatnonzero(marks)
    if near >= 0:
        chosen, at = weights(addresses[4], near, np.dtype(np.int32)), np.arange(near)
    start = offset if near < 0 else begin
    count = rows if near < 0 else near
    kept = [s[start : start + count * width].reshape(-1, width) for s in slots]
    sums = [_sum(g, place, following) for place in places[at]]
    w, g = w.reshape(-1, width), np.array(sums, g.dtype).reshape(-1, width)
    w[chosen], *new = rule.step(w[chosen], g, *[s[at] for s in kept], *constants)
    for array, value in zip(kept, new, strict=True):
        array[at] = value
    places[at] = 0


def _sum(g, place, following):
    """The gradient of a row: the sum over its chain of places."""
    total = np.zeros(g.shape[1], g.dtype)
    while place:
        total += g[place - 1]
        place = following[place - 1]
    return total


for _name, _rule in formulas.RULES.items():
    globals()[_name] = partial(_step, _rule)
