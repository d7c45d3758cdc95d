"""Optimizer steps and gradient clipping, in one pass over flat vectors.

Gradients and slots are flat vectors. `segments` says whose they are, one row per variable: the
address of its numbers, their place in the flat vectors, how many they are, and flags (`DECAYED`:
weight decay applies). `hyper` holds `formulas.COMMON`, then the rule's own numbers, always in float64.
A task owns a part of the flat vectors and touches the variables that it overlaps.
"""

from numba import types

from .. import formulas
from ._jit import exact, inner, noalias, view
from ._parts import flat_part, piece, row_part

DECAYED = 1


def _make_cast(T, count: int):
    """Compiled function: tuple of `count` float64 numbers -> tuple of the working type."""
    source = f"lambda c: ({''.join(f'T(c[{k}]), ' for k in range(count))})"
    return exact(eval(source, {"T": T}))


def _make_constants(T, rule: formulas.Rule):
    """Compiled function hyper -> constants of the step about to be made, in the working type."""
    first, count = len(formulas.COMMON), len(rule.numbers)
    numbers = ", ".join(f"h[{first + k}]" for k in range(count))
    constants = inner(rule.constants)
    source = f"lambda h: constants(h[0], h[2] + 1.0, {numbers})"
    in_double = inner(eval(source, {"constants": constants}))
    return in_double
