"""Installs Python's operators on tensors, variables and symbols."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff.context import context
from ..graph.symbol import Symbol
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
# numpy's names of the operators that an array on the left hands over to it
OF_ARRAYS = {
    **{"add": e.add, "subtract": e.subtract, "multiply": e.multiply, "divide": e.divide},
    **{"floor_divide": e.floor_divide, "remainder": e.mod, "power": e.power, "matmul": matmul},
    **{"bitwise_and": e.logical_and, "bitwise_or": e.logical_or, "bitwise_xor": e.logical_xor},
    **{"less": e.less, "less_equal": e.less_equal, "greater": e.greater},
    **{"greater_equal": e.greater_equal, "not_equal": e.not_equal, "equal": e.equal},
}
OPS = __name__.rpartition(".")[0]
UNARY = {"neg": e.negative, "abs": e.absolute, "invert": e.logical_not}


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(other, self)


def _equal(self: Any, other: Any) -> Any:
    return NotImplemented if other is None else e.equal(self, other)


def _of_numpy(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """A function of numpy that was given one of ours: an operator, or numpy's own affair."""
    function = OF_ARRAYS.get(ufunc.__name__) if method == "__call__" else None
    out = kwargs.get("out", (inputs[0],))  # `array += tensor` gives a tensor
    if function is not None and out[0] is inputs[0] and kwargs.keys() <= {"out"}:
        return function(*inputs)
    if isinstance(self, Symbol) or context.tracing:
        ours = getattr(sys.modules[OPS], ufunc.__name__, None)
        advice = f"ops.{ufunc.__name__}" if ours else "the functions of minikeras.ops"
        raise TypeError(
            f"numpy's `{ufunc.__name__}` cannot compute with a {type(self).__name__.lower()} of "
            f"shape {tuple(self.shape)}: it would not know its value, or its gradient. "
            f"Use {advice}."
        )
    arrays = [np.asarray(i) if type(i) is type(self) else i for i in inputs]
    return getattr(ufunc, method)(*arrays, **kwargs)


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
    kind.__array_ufunc__ = _of_numpy  # type: ignore[attr-defined]
    kind.__pos__ = lambda self: self  # type: ignore[attr-defined]
    kind.__getitem__ = getitem  # type: ignore[attr-defined]
    kind.T = property(transpose)  # type: ignore[attr-defined]
    kind.reshape = lambda self, *shape: reshape(self, shape[0] if len(shape) == 1 else shape)  # type: ignore[attr-defined]
    if not identity_equality:
        kind.__eq__ = _equal  # type: ignore[assignment]
        kind.__hash__ = object.__hash__  # type: ignore[assignment]
