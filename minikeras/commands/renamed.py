"""Functions of `ops` under the names, and with the arguments, that another library gives them.

A row such as ``"reduce_mean": "mean input_tensor:x axis keepdims"`` names our function and then its
arguments in the other's order: "theirs:ours" where the names differ, "axis=0" where the default
does, and "*" before those that are given by name only.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..autodiff.context import context
from ..autodiff.spec import as_array
from ..autodiff.tensor import Tensor
from ..core import tree

__all__ = ["functions", "tensors"]


def functions(table: dict[str, str], wrap: Callable[[Any], Any]) -> dict[str, Callable[..., Any]]:
    """The functions of a table; `wrap` is applied to what they return."""
    return {name: _function(name, row.split(), wrap) for name, row in table.items()}


def tensors(value: Any) -> Any:
    """Arrays in a nest as tensors, which have `numpy()` and can be watched by a tape."""

    def made(leaf: Any) -> Any:
        return Tensor(as_array(leaf)) if isinstance(leaf, np.ndarray | np.generic) else leaf

    return value if context.recorder is not None else tree.map_structure(made, value)


def _function(name: str, row: list[str], wrap: Callable[[Any], Any]) -> Callable[..., Any]:
    target = getattr(ops, row[0])
    signature, ours = _signature(target, row[1:])

    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("name", None)  # a label, which changes no number
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}() here takes {', '.join(ours)}: {error}.") from None
        bound.apply_defaults()
        given = {ours[k]: v for k, v in bound.arguments.items() if v is not _LEFT_OUT}
        return wrap(target(**given))

    call.__name__ = call.__qualname__ = name
    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__doc__ = f"`keras.ops.{row[0]}` under another name."
    return call


class _LeftOut:
    """The value of an argument that is not given."""


_LEFT_OUT = _LeftOut()


def _signature(
    target: Callable[..., Any], words: list[str]
) -> tuple[inspect.Signature, dict[str, str]]:
    """What a row says of the arguments: their signature, and the name that each has here."""
    known = inspect.signature(target).parameters
    parameters, ours = [], {}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    for word in words:
        if word == "*":
            kind = inspect.Parameter.KEYWORD_ONLY
            continue
        names, _, default = word.partition("=")
        theirs, _, own = names.partition(":")
        ours[theirs] = own or theirs
        value: Any = inspect.Parameter.empty
        if default:
            value = ast.literal_eval(default)
        elif known[ours[theirs]].default is not inspect.Parameter.empty:
            value = _LEFT_OUT
        parameters.append(inspect.Parameter(theirs, kind, default=value))
    return inspect.Signature(parameters), ours
