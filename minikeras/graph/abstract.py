"""Functions of several primitives as one node of a graph."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

from ..autodiff.context import context
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec, as_array
from ..autodiff.tensor import Tensor
from ..core import tree
from ..core.names import auto_name
from .symbol import FILLS, Node, Operation, Symbol, unknown_in_messages

LARGEST = 1 << 25  # elements of a constant that is computed where only shapes are wanted


class _Shapes:
    """Stands where a program's recorder would, when only shapes are wanted."""

    def stands_in(self, primitive: Primitive, args: Sequence[Any], static: dict) -> bool:
        """Whether an operation on constants is not carried out.

        Their sizes may come from numbers that stand for unknown ones: a mask (batch, time, time)
        made of shapes would fill the memory.
        """
        ins = [None if a is None else as_array(a) for a in args]
        return sum(math.prod(spec.shape) for spec in primitive.specs(ins, static)) > LARGEST

    def apply(self, primitive: Primitive, ins: Sequence[Any], static: dict) -> list[Tensor]:
        return [Tensor(None, spec) for spec in primitive.specs(ins, static)]

    def variable(self, variable: Any) -> Tensor:
        return Tensor(None, variable.spec)

    def writes(self, variable: Any) -> bool:
        return False


def shapes_only() -> bool:
    """Whether tensors have no values now, because only the shapes of a result are wanted."""
    return isinstance(context.recorder, _Shapes)


@contextmanager
def _only_shapes():
    """Within the block tensors have no values and nothing is recorded."""
    before = context.recorder, context.tapes, context.lifted
    context.recorder, context.tapes, context.lifted = _Shapes(), [], {}
    try:
        yield
    finally:
        context.recorder, context.tapes, context.lifted = before


def _trial(function: Callable[..., Any], args: tuple, kwargs: dict, fill: int) -> Any:
    """What `function` returns for tensors in which `fill` stands for each unknown dimension."""

    def tensor(value: Any) -> Any:
        if not isinstance(value, Symbol):
            return value
        return Tensor(None, Spec(tuple(fill if n is None else n for n in value.shape), value.dtype))

    with _only_shapes():
        return function(*tree.map_structure(tensor, args), **tree.map_structure(tensor, kwargs))


def symbolic_call(function: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
    """The symbols that stand for ``function(*args, **kwargs)``, as the outputs of one node."""
    with unknown_in_messages():
        first, second = (_trial(function, args, kwargs, fill) for fill in FILLS)
    node = Node(Operation(function), args, kwargs, [])

    def symbol(one: Any, other: Any) -> Any:
        if not hasattr(one, "shape"):
            return one
        shape = tuple(a if a == b else None for a, b in zip(one.shape, other.shape, strict=True))
        dtype = one.dtype if isinstance(one.dtype, str) else one.dtype.name
        made = Symbol(shape, dtype, auto_name("keras_tensor"), node, len(node.outputs))
        node.outputs.append(made)
        return made

    return tree.map_structure(symbol, first, second)


def symbolic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: on symbols the function is one node, which may look at shapes as if known."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            kind = type(value)
            if kind is Symbol or (kind in (list, tuple) and _holds_symbol(value)):
                return symbolic_call(call, args, kwargs)
        if kwargs and _holds_symbol(tuple(kwargs.values())):
            return symbolic_call(call, args, kwargs)
        return function(*args, **kwargs)

    return call


def _holds_symbol(values: Sequence[Any]) -> bool:
    return any(type(v) is Symbol or (type(v) in (list, tuple) and _holds_symbol(v)) for v in values)
