"""Installs Python's operators on tensors, variables and symbols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import elementwise as e
from .linalg import matmul
from .shapes import getitem, reshape, transpose

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": e.add,
    "sub": e.subtract,
    "mul": e.multiply,
    "truediv": e.divide,
    "floordiv": e.floor_divide,
    "mod": e.mod,
    "pow": e.power,
    "matmul": matmul,
    "and": e.logical_and,
    "or": e.logical_or,
    "xor": e.logical_xor,
}
COMPARISONS = {
    "lt": e.less,
    "le": e.less_equal,
    "gt": e.greater,
    "ge": e.greater_equal,
    "ne": e.not_equal,
}
UNARY = {"neg": e.negative, "abs": e.absolute, "invert": e.logical_not}


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(other, self)


def _equal(self: Any, other: Any) -> Any:
    return NotImplemented if other is None else e.equal(self, other)


def install(kind: type, identity_equality: bool = False) -> None:
    """Give `kind` the operators. Things compared by identity keep ``==`` and ``!=``."""
    for name, function in BINARY.items():
        setattr(kind, f"__{name}__", lambda self, other, f=function: f(self, other))
        setattr(kind, f"__r{name}__", _reflected(function))
    for name, function in COMPARISONS.items():
        if not (identity_equality and name == "ne"):
            setattr(kind, f"__{name}__", lambda self, other, f=function: f(self, other))
    for name, function in UNARY.items():
        setattr(kind, f"__{name}__", lambda self, f=function: f(self))
    kind.__pos__ = lambda self: self  # type: ignore[attr-defined]
    kind.__getitem__ = getitem  # type: ignore[attr-defined]
    kind.T = property(transpose)  # type: ignore[attr-defined]
    kind.reshape = lambda self, *shape: reshape(self, shape[0] if len(shape) == 1 else shape)  # type: ignore[attr-defined]
    if not identity_equality:
        kind.__eq__ = _equal  # type: ignore[assignment]
        kind.__hash__ = object.__hash__  # type: ignore[assignment]
