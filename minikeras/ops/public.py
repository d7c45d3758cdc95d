"""Primitives as functions with names, arguments and a line of documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff.primitive import Primitive


def _named(function: Callable[..., Any], primitive: Primitive, what: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = primitive.name
    function.__module__ = __package__  # where it is found by that name
    function.__doc__ = what
    return function


def unary(primitive: Primitive, what: str) -> Callable[[Any], Any]:
    """The function ``name(x)`` of a primitive."""

    def function(x: Any) -> Any:
        return primitive(x)

    return _named(function, primitive, what)


def binary(primitive: Primitive, what: str) -> Callable[[Any, Any], Any]:
    """The function ``name(x1, x2)`` of a primitive; its inputs are broadcast."""

    def function(x1: Any, x2: Any) -> Any:
        return primitive(x1, x2)

    return _named(function, primitive, what)


def bits(primitive: Primitive, what: str) -> Callable[[Any, Any], Any]:
    """The function ``name(x, y)`` of a primitive on integers."""

    def function(x: Any, y: Any) -> Any:
        return primitive(x, y)

    return _named(function, primitive, what)
