"""Do the inputs fit the model? Asked once, before work starts; answered with what to do.

Arrays come back aligned: a missing or superfluous last axis of size 1 is added or dropped, nothing
else is ever broadcast. Shapes are those of the model, the first axis (samples) being None.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.validate import suggest
from .arrays import to_array_or_text, to_nest

__all__ = ["Shape", "align_inputs", "align_rank", "fits", "in_order"]

Shape = tuple[int | None, ...]


def in_order(value: Any, names: Sequence[str], what: str = "input") -> list[Any]:
    """The arrays of a nest in the model's order: a dict by name, a list or tuple as it comes.

    Raises ValueError for unknown or missing names and for a wrong number of arrays.

    >>> first, second = in_order({"b": [2.0], "a": [1]}, ["a", "b"])
    >>> first, second
    (array([1]), array([2.], dtype=float32))
    """
    value = to_nest(value, what, to_array_or_text)
    if isinstance(value, Mapping):
        return _by_name(value, names, what)
    arrays = list(value) if isinstance(value, list | tuple) else [value]
    if len(arrays) == len(names):
        return arrays
    shapes = [np.shape(array) for array in arrays]
    listed = ", ".join(map(str, shapes[:3])) + ", ..." * (len(shapes) > 3)
    advice = "Pass one array for each, in this order, or a dict by name."
    if len(names) == 1:
        advice = "Pass one array."
        if len(set(shapes)) == 1:
            advice = "If each array is one sample, join them into one array with `np.stack`."
    raise ValueError(
        f"The model has {len(names)} {what}{'s' * (len(names) > 1)}: {', '.join(names)}. "
        f"Received {len(arrays)} arrays, of shapes {listed}. {advice}"
    )


def align_inputs(
    arrays: Sequence[np.ndarray],
    shapes: Sequence[Shape | None],
    names: Sequence[str] = ("x",),
    owner: str = "The model",
) -> list[np.ndarray]:
    """The arrays in the rank that the model expects; a shape of None accepts anything.

    None stands for an input that is left out, and stays.

    Raises ValueError when rank or sizes do not fit, saying what would.

    >>> align_inputs([np.zeros(5)], [(None, 1)])[0].shape
    (5, 1)
    """
    return [
        array if shape is None or array is None else _align_input(array, tuple(shape), name, owner)
        for array, shape, name in zip(arrays, shapes, names, strict=True)
    ]


def align_rank(array: np.ndarray, shape: Shape) -> np.ndarray:
    """Add or drop a last axis of size 1, where that gives the rank of `shape`."""
    if array.ndim == len(shape) - 1 and shape[-1] == 1:
        return array.reshape(*array.shape, 1)
    if array.ndim == len(shape) + 1 and array.ndim > 1 and array.shape[-1] == 1:
        return array.reshape(array.shape[:-1])
    return array


def fits(sizes: Sequence[int], shape: Shape) -> bool:
    """Whether sizes agree with a shape on every axis that it knows, the first one left out."""
    return len(sizes) == len(shape) and all(
        expected in (None, size) for size, expected in zip(sizes[1:], shape[1:], strict=True)
    )


def _by_name(value: Mapping, names: Sequence[str], what: str) -> list[Any]:
    received = f"Received the keys: {', '.join(map(repr, value))}."
    for name in value:
        if name not in names:
            raise ValueError(
                f"The model has no {what} named {name!r}.{suggest(name, names)} "
                f"It has: {', '.join(names)}. {received}"
            )
    missing = [repr(name) for name in names if name not in value]
    if missing:
        raise ValueError(f"Data are missing for {what} {', '.join(missing)}. {received}")
    return [value[name] for name in names]


def _align_input(array: np.ndarray, shape: Shape, name: str, owner: str) -> np.ndarray:
    aligned = align_rank(array, shape)
    if fits(aligned.shape, shape):
        return aligned
    raise ValueError(
        f"{owner} expects `{name}` with {len(shape)} dimension{'s' * (len(shape) > 1)}, "
        f"shape {shape}. Received: shape {array.shape}. {_advice(array.shape, shape, name)}"
    )


def _advice(sizes: tuple[int, ...], shape: Shape, name: str) -> str:
    if len(sizes) == len(shape):
        return f"Pass data of this size, or build the model for input_shape={sizes[1:]}."
    if len(sizes) == len(shape) - 1 and fits((1, *sizes), shape):
        if shape[1:2] == (None,) and sizes[0] > 1:
            return (
                f"Is the batch among the sizes that Input was given? Write Input({shape[2:]}); or "
                f"pass `{name}[np.newaxis]` if this is a single sample."
            )
        return f"For a single sample pass `{name}[np.newaxis]`."
    if None not in shape[1:] and math.prod(sizes[1:]) == math.prod(size or 0 for size in shape[1:]):
        target = ", ".join(map(str, shape[1:]))
        return f"Pass `{name}.reshape(-1, {target})`, or begin the model with a Reshape layer."
    return "Reshape the data, or begin the model with a Reshape or Flatten layer."
