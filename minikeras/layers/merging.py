"""Layers that make one value of several: sums, products, extrema, concatenation, dot products."""

from __future__ import annotations

import functools
import string
from collections.abc import Sequence
from typing import Any

from .. import ops
from ..core.registry import register
from .base import Layer


class Merge(Layer):
    """Base of layers that combine values of shapes that broadcast, element by element.

    Values of lower rank get axes of size 1 after the batch.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def merged(self, inputs: list[Any]) -> Any:
        """The one value of several of the same rank."""
        raise NotImplementedError(f"{type(self).__name__} must define merged(inputs).")

    def build(self, input_shape: Any) -> None:
        shapes = _require_several(self, input_shape)
        rank = max(map(len, shapes))
        aligned = [(s[0], *(1,) * (rank - len(s)), *s[1:]) for s in shapes]
        for sizes in zip(*[s[1:] for s in aligned], strict=True):
            if len({n for n in sizes if n not in (None, 1)}) > 1:
                raise ValueError(
                    f"{type(self).__name__} '{self.name}' needs shapes that broadcast to one "
                    f"another. Received: {', '.join(map(str, shapes))}. Bring them to one shape "
                    "first, as with a Dense layer, a Reshape or a slice."
                )

    def call(self, inputs: Any) -> Any:
        return self.merged(self._aligned(inputs))

    def _aligned(self, inputs: Any) -> list[Any]:
        _require_several(self, [v.shape for v in inputs] if _is_several(inputs) else None)
        rank = max(len(v.shape) for v in inputs)
        return [_with_rank(v, rank) for v in inputs]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Where any input counts, if each has a mask; else none."""
        masks = previous_mask
        if masks is None or any(m is None for m in masks):
            return None
        return functools.reduce(ops.logical_or, masks)


def _is_several(inputs: Any) -> bool:
    return isinstance(inputs, list | tuple)


def _require_several(layer: Layer, shapes: Any) -> list[tuple]:
    if not _is_several(shapes) or not shapes or not _is_several(shapes[0]):
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}' takes a list of values. Received: "
            f"{'one value' if shapes is None or shapes else 'an empty list'}. Call it as "
            f"{type(layer).__name__}()([a, b])."
        )
    return [tuple(shape) for shape in shapes]


def _with_rank(value: Any, rank: int) -> Any:
    for _ in range(rank - len(value.shape)):
        value = ops.expand_dims(value, 1)
    return value


@register("layers")
class Add(Merge):
    """The sum of its inputs.

    >>> import numpy as np
    >>> Add()([np.float32([[1, 2]]), np.float32([[10, 20]])])
    array([[11., 22.]], dtype=float32)
    """

    def merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.add, inputs)


@register("layers")
class Subtract(Merge):
    """The first of two inputs minus the second."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        _require_two(self, input_shape)

    def merged(self, inputs: list[Any]) -> Any:
        _require_two(self, inputs)
        return ops.subtract(*inputs)


class _OfCounted(Merge):
    """Values at steps that a mask rules out do not take part."""

    def call(self, inputs: Any, mask: Any = None) -> Any:  # type: ignore[override]
        values = self._aligned(inputs)
        if mask is None or all(m is None for m in mask):
            return self.merged(values)
        return self.counted(
            values,
            [None if m is None else _mask_like(v, m) for v, m in zip(values, mask, strict=True)],
        )

    def counted(self, inputs: list[Any], masks: list[Any]) -> Any:
        """The one value of several, of which those count where their masks hold."""
        output, where = inputs[0], masks[0]
        for value, mask in zip(inputs[1:], masks[1:], strict=True):
            other = value if mask is None else ops.where(mask, value, output)
            output = output if where is None else ops.where(where, output, other)
            where = None if where is None or mask is None else ops.logical_or(where, mask)
            output = self.merged([output, other])
        return output


@register("layers")
class Multiply(_OfCounted):
    """The product of its inputs, element by element.

    Of inputs with masks those count that a mask lets through; where none does, the product is 0.

    >>> import numpy as np
    >>> Multiply()([np.float32([[1, 2]]), np.float32([[10, 20]])])
    array([[10., 40.]], dtype=float32)
    """

    def counted(self, inputs: list[Any], masks: list[Any]) -> Any:
        ones = [
            v if m is None else ops.where(m, v, 1.0) for v, m in zip(inputs, masks, strict=True)
        ]
        output = self.merged(ones)
        if any(m is None for m in masks):
            return output
        return ops.where(functools.reduce(ops.logical_or, masks), output, 0.0)

    def merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.multiply, inputs)


@register("layers")
class Average(Merge):
    """The mean of its inputs."""

    def merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.add, inputs) / len(inputs)


@register("layers")
class Maximum(_OfCounted):
    """The largest of its inputs, element by element: of those that masks let through."""

    def merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.maximum, inputs)


@register("layers")
class Minimum(_OfCounted):
    """The smallest of its inputs, element by element: of those that masks let through."""

    def merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.minimum, inputs)


@register("layers")
class Concatenate(Merge):
    """Its inputs one after the other along an axis.

    Args:
        axis: The axis along which they are joined; in all others their sizes agree.
    """

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        shapes = _require_several(self, input_shape)
        ranks = {len(s) for s in shapes}
        others = [_without(s, self.axis) for s in shapes] if len(ranks) == 1 else []
        agree = all(
            len({n for n in sizes if n is not None}) <= 1 for sizes in zip(*others, strict=True)
        )
        if len(ranks) > 1 or not agree:
            raise ValueError(
                f"Concatenate '{self.name}' joins along axis {self.axis}: all other sizes must "
                f"agree. Received: {', '.join(map(str, shapes))}."
            )

    def merged(self, inputs: list[Any]) -> Any:
        return ops.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Where any value along the last axis counts; inputs without a mask count everywhere."""
        masks = previous_mask
        if masks is None or all(m is None for m in masks):
            return None
        full = [_mask_like(v, m) for v, m in zip(inputs, masks, strict=True)]
        return ops.any(ops.concatenate(full, axis=self.axis), axis=-1)


def _without(shape: Sequence[Any], axis: int) -> list[Any]:
    """The sizes but that of `axis` and of the batch."""
    place = axis % len(shape)
    return [n for i, n in enumerate(shape) if i not in (0, place)]


def _mask_like(value: Any, mask: Any) -> Any:
    """The mask, or ones, with the shape of the value."""
    if mask is None:
        return ops.ones_like(value, dtype="bool")
    if len(mask.shape) == len(value.shape):
        return mask
    return ops.logical_or(ops.expand_dims(mask, -1), ops.zeros_like(value, dtype="bool"))


@register("layers")
class Dot(Merge):
    """The dot products of two inputs, sample by sample.

    Axes that are not summed over remain, those of the first input first; of two vectors per sample
    a column of shape (batch, 1) remains.

    Args:
        axes: The axis to sum over, or one for each input. Axis 0 is the batch.
        normalize: Whether to scale both to norm 1 along it first (cosine similarity).

    >>> import numpy as np
    >>> Dot(axes=1)([np.float32([[1, 2]]), np.float32([[3, 4]])])
    array([[11.]], dtype=float32)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        given = [axes] if isinstance(axes, int) else list(axes) if _is_several(axes) else []
        if len(given) != (1 if isinstance(axes, int) else 2) or any(
            not isinstance(a, int) or isinstance(a, bool) for a in given
        ):
            raise ValueError(f"Dot: `axes` is an integer or a pair of them. Received: {axes!r}.")
        self.axes = axes
        self.normalize = bool(normalize)

    def build(self, input_shape: Any) -> None:
        shapes = _require_several(self, input_shape)
        _require_two(self, shapes)
        places = self._places(shapes)
        sizes = [shape[place] for shape, place in zip(shapes, places, strict=True)]
        if 0 in places:
            raise ValueError(f"Dot '{self.name}' cannot sum over the batch. Received: axes=0.")
        if sizes[0] != sizes[1] and None not in sizes:
            raise ValueError(
                f"Dot '{self.name}' sums over axes {places} of inputs of shapes {shapes[0]} and "
                f"{shapes[1]}, whose sizes differ. Received: {sizes[0]} and {sizes[1]}."
            )

    def call(self, inputs: Any) -> Any:
        _require_several(self, [v.shape for v in inputs] if _is_several(inputs) else None)
        _require_two(self, inputs)
        first, second = inputs
        one, other = self._places([first.shape, second.shape])
        if self.normalize:
            first, second = ops.normalize(first, axis=one), ops.normalize(second, axis=other)
        letters = iter(string.ascii_lowercase[2:])
        a = ["b" if i == 0 else "a" if i == one else next(letters) for i in range(first.ndim)]
        b = ["b" if i == 0 else "a" if i == other else next(letters) for i in range(second.ndim)]
        kept = [x for x in a if x != "a"] + [x for x in b if x not in "ab"]
        result = ops.einsum(f"{''.join(a)},{''.join(b)}->{''.join(kept)}", first, second)
        return ops.expand_dims(result, -1) if len(kept) == 1 else result

    def _places(self, shapes: Sequence[Sequence[Any]]) -> tuple[int, int]:
        axes = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        one, other = (axis % len(shape) for axis, shape in zip(axes, shapes, strict=True))
        return one, other

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None


def _require_two(layer: Layer, values: Sequence[Any]) -> None:
    if len(values) != 2:
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}' takes two values. Received: {len(values)}."
        )


def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of several values, as a layer."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The first of two values minus the second, as a layer."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of several values, as a layer."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """The mean of several values, as a layer."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The largest of several values, as a layer."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The smallest of several values, as a layer."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Several values one after the other along an axis, as a layer."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """The dot products of two values, as a layer."""
    return Dot(axes=axes, **kwargs)(inputs)
