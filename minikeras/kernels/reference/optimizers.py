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
            _step_rows(rule, w, g[here], [s[here] for s in slots], table, constants)
            continue
        kept = [s[here] for s in slots]
        shrink = g.dtype.type(decay if flags & DECAYED else 0) * g.dtype.type(rate)
        new = rule.step(w - w * shrink, g[here], *kept, *constants)
        for array, value in zip([w, *kept], new, strict=True):
            array[...] = value


def _step_rows(rule, w, g, slots, table, constants):
    """The step of the rows that have a mark."""
    width, address = table
    marked = weights(address, w.size // width, np.dtype(np.uint8)) != 0
    arrays = [a.reshape(-1, width) for a in (w, g, *slots)]
    w, g, *kept = [a[marked] for a in arrays]
    new = rule.step(w, g, *kept, *constants)
    for array, value in zip([arrays[0], *arrays[2:]], new, strict=True):
        array[marked] = value


for _name, _rule in formulas.RULES.items():
    globals()[_name] = partial(_step, _rule)
