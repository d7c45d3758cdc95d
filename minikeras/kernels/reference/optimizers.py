"""Twins of the optimizer steps: the same formulas, on numpy arrays."""

from functools import partial

from .. import formulas
from .chunks import weights

DECAYED = 1


def _step(rule: formulas.Rule, segments, g, *rest):
    slots = rest[:-1]
    rate, decay, iterations, *numbers = rest[-1]  # numpy's: dividing by zero is no error
    constants = [g.dtype.type(c) for c in rule.constants(rate, iterations + 1, *numbers)]
    for address, offset, size, flags in segments.tolist():
        w = weights(address, size, g.dtype)
        here = slice(offset, offset + size)
        kept = [s[here] for s in slots]
        shrink = g.dtype.type(decay if flags & DECAYED else 0) * g.dtype.type(rate)
        new = rule.step(w - w * shrink, g[here], *kept, *constants)
        for array, value in zip([w, *kept], new, strict=True):
            array[...] = value


for _name, _rule in formulas.RULES.items():
    globals()[_name] = partial(_step, _rule)
