"""Nests of shapes: as layers are built with them, as files hold them, as symbols."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.symbol import Symbol

OLD_SHAPE_ARGUMENTS = ("input_shape", "input_dim", "batch_input_shape", "batch_shape", "batch_size")


def shape_hint(old: dict[str, Any], owner: str) -> tuple | None:
    """The batch shape given by one of the older arguments of a first layer."""
    if "batch_input_shape" in old or "batch_shape" in old:
        return tuple(old.get("batch_input_shape") or old["batch_shape"])
    batch = old.get("batch_size")
    if "input_shape" in old:
        shape = old["input_shape"]
        if isinstance(shape, int):
            raise ValueError(
                f"{owner}: input_shape must be a tuple. Received: {shape}. Write ({shape},)."
            )
        return (batch, *shape)
    if "input_dim" in old:
        return (batch, int(old["input_dim"]))
    return None


def shape_with_free_batch(value: Any) -> Any:
    if not hasattr(value, "shape"):
        return None
    return (None, *tuple(value.shape)[1:])


def symbols_of(shape: Any, dtype: str) -> Any:
    """Symbols of a shape, or of a nest of shapes."""
    if shape is None:
        return None
    if isinstance(shape, list | tuple) and all(
        n is None or isinstance(n, int | np.integer) for n in shape
    ):
        return Symbol(shape, dtype, name="shape")
    if isinstance(shape, dict):
        return {k: symbols_of(v, dtype) for k, v in shape.items()}
    return [symbols_of(s, dtype) for s in shape]


def jsonable(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {k: jsonable(v) for k, v in shape.items()}
    return [jsonable(s) for s in shape] if isinstance(shape, list | tuple) else shape


def nest_of_shapes(shape: Any) -> Any:
    """JSON's lists of numbers as tuples."""
    if isinstance(shape, dict):
        return {k: nest_of_shapes(v) for k, v in shape.items()}
    if isinstance(shape, list | tuple):
        if all(n is None or isinstance(n, int) for n in shape):
            return tuple(shape)
        return [nest_of_shapes(s) for s in shape]
    return shape
