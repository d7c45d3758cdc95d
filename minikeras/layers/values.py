"""Layers that look at values (text, tables, hashes): what they share.

They are computed by Python and numpy code, in programs as well, and have no gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from ..autodiff.context import NotReplayableError, context
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from ..autodiff.tensor import Tensor
from ..core import tree
from ..core.text import as_text, is_text, symbol_dtype
from ..graph.symbol import Symbol, is_symbolic
from .base import Layer

Shape = tuple[Any, ...]  # None for an extent that is not known

OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


class ValueLayer(Layer):
    """A layer whose output is computed from the values of its inputs, without a gradient."""

    takes_text = True

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.autocast = False
        self.built = True

    def _converted(self, value: Any) -> Any:
        """Text and numbers in lists, or alone, as arrays."""
        if isinstance(value, str | bytes | list | tuple | int | float | np.generic):
            flat = tree.flatten(value)
            if any(hasattr(leaf, "shape") and leaf.shape for leaf in flat):
                return tree.map_structure(self._converted, value)
            if any(isinstance(leaf, str | bytes) for leaf in flat):
                return as_text(value)
            return _numbers(value, type(self).__name__)
        if isinstance(value, np.ndarray) and is_text(value):
            return as_text(value)
        if isinstance(value, np.ndarray | Tensor | Symbol) or not hasattr(value, "__array__"):
            return value
        return self._converted(np.asarray(value))


def _numbers(value: Any, owner: str) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{owner} takes lists of one length. Received: lists of different lengths."
        ) from error


def _fill(ins: list[Any], outs: list[Any], function: Callable[..., Any], spec: Spec) -> None:
    np.copyto(outs[0], function(*ins))


_by_value = Primitive(
    "by_value",
    lambda *ins, function, spec: spec,
    _fill,
    host=True,
    register=False,
)


def by_value(
    function: Callable[..., np.ndarray],
    output_shape: Callable[..., Shape],
    dtype: str,
    *inputs: Any,
) -> Any:
    """``function(*arrays)``, now or whenever the program that is being recorded runs.

    Args:
        function: From arrays to an array.
        output_shape: The shape of the output, from those of the inputs; None for an extent that
            depends on values, which a program cannot have.
        dtype: Of the output; "object" for text.
    """
    shape = output_shape(*[tuple(value.shape) for value in inputs])
    if is_symbolic(inputs):
        return Symbol(shape, symbol_dtype(dtype))
    if any(not _is_known(value) for value in inputs):
        spec = Spec(_fixed(shape, inputs), dtype)
        return _by_value(*inputs, function=function, spec=spec)
    result = function(*[v.value if isinstance(v, Tensor) else v for v in inputs])
    return Tensor(result) if any(isinstance(v, Tensor) for v in inputs) else result


def _is_known(value: Any) -> bool:
    if isinstance(value, Tensor):
        try:
            return value.value is not None
        except NotReplayableError:
            return False
    return True


def _fixed(shape: Shape, inputs: tuple) -> tuple[int, ...]:
    """The shape for a recording, which knows all extents."""
    if None not in shape:
        return shape  # type: ignore[return-value]
    if hasattr(context.recorder, "instructions"):
        raise NotReplayableError(
            "a TextVectorization gives as many words as the longest text of a batch has. Set its "
            "`output_sequence_length`."
        )
    # only shapes are wanted: what stands for an unknown extent there stands for this one too
    return tuple(inputs[0].shape[0] if n is None else n for n in shape)


def no_sparse(sparse: Any, owner: str) -> bool:
    """Refuse sparse outputs."""
    if sparse:
        raise ValueError(
            f"{owner}: sparse outputs are not supported. Received: sparse={sparse!r}. "
            "Leave `sparse` out; the output is a dense array."
        )
    return False


# --- from numbers of categories to rows ---


def encoded_shape(shape: Shape, mode: str, depth: int | None) -> Shape:
    """The shape of what `encode` makes of numbers of this shape."""
    if mode == "int":
        return shape
    if mode == "one_hot":
        kept = shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
        return (*kept, depth)
    return (*shape[:-1], depth)


def encode(
    indices: np.ndarray, mode: str, depth: int, dtype: str, weights: np.ndarray | None = None
) -> np.ndarray:
    """Numbers of categories as such, or as rows of length `depth`; -1 names no category.

    Args:
        indices: Whole numbers, -1 to depth - 1, (..., items).
        mode: "int"; "one_hot": a row for each number, (..., items, depth), or (..., depth) for one
            item; "multi_hot": 1 where a category is among the items, (..., depth); "count": how
            often it is, times `weights`.
        weights: Of each item, shaped as `indices`.
    """
    if mode == "int":
        return indices.astype(dtype)
    if mode == "one_hot":
        return (
            (np.expand_dims(indices, -1) == np.arange(depth))
            .astype(dtype)
            .reshape(encoded_shape(indices.shape, mode, depth))
        )
    items = indices.shape[-1] if indices.ndim else 1
    rows = indices.reshape(math.prod(indices.shape[:-1]), items)  # also of no items
    result = np.zeros((len(rows), depth), dtype)
    row, item = np.nonzero(rows >= 0)
    if mode == "multi_hot":
        result[row, rows[row, item]] = 1
    else:
        added = 1 if weights is None else weights.reshape(rows.shape)[row, item]
        np.add.at(result, (row, rows[row, item]), added)
    return result.reshape(encoded_shape(indices.shape, mode, depth))


# --- data to adapt to ---


def batches_of(data: Any, steps: int | None, owner: str, lists_are_arrays: bool) -> Iterator[Any]:
    """The batches of what `adapt` was given: an array, or an iterable of batches.

    Of a batch that is a tuple the inputs count.
    """
    is_array = hasattr(data, "dtype") and hasattr(data, "shape")
    if is_array or (lists_are_arrays and isinstance(data, list | tuple)):
        if steps is not None:
            raise ValueError(
                f"{owner}.adapt: `steps` counts batches, and an array is one. "
                f"Received: steps={steps}. Pass a part of the array."
            )
        return iter([data])
    if isinstance(data, str | bytes) or not isinstance(data, Iterable):
        raise TypeError(
            f"{owner}.adapt takes an array, or an iterable of batches. "
            f"Received: {type(data).__name__}."
        )
    batches = islice(iter(data), steps)
    return (item[0] if isinstance(item, tuple) else item for item in batches)
