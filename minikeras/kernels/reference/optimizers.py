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
            _step_rows(rule, w, g, [s[here] for s in slots], table, constants)
            continue
        kept = [s[here] for s in slots]
        shrink = g.dtype.type(decay if flags & DECAYED else 0) * g.dtype.type(rate)
        new = rule.step(w - w * shrink, g[here], *kept, *constants)
        for array, value in zip([w, *kept], new, strict=True):
            array[...] = value


def _step_rows(rule, w, g, slots, table, constants):
    """The step of the rows that have a mark."""
    width, marks, places, following = table
    rows, g = w.size // width, g.reshape(-1, width)
    marked = weights(marks, rows, np.dtype(np.uint8)) != 0
    places = weights(places, rows, np.dtype(np.int32))
    following = weights(following, len(g), np.dtype(np.int32))
    arrays = [a.reshape(-1, width) for a in (w, *slots)]
    w, *kept = [a[marked] for a in arrays]
    sums = [_sum(g, place, following) for place in places[marked]]
    new = rule.step(w, np.array(sums, g.dtype).reshape(-1, width), *kept, *constants)
    for array, value in zip(arrays, new, strict=True):
        array[marked] = value
    places[marked] = 0


def _sum(g, place, following):
    """The gradient of a row: the sum over its chain of places."""
    total = np.zeros(g.shape[1], g.dtype)
    while place:
        total += g[place - 1]
        place = following[place - 1]
    return total


for _name, _rule in formulas.RULES.items():
    globals()[_name] = partial(_step, _rule)
