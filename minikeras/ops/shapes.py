"""Primitives that move elements about without changing them."""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.primitive import PRIMITIVES as _PRIMITIVES
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec, as_array, broadcast, result_dtype
from ..graph.abstract import symbolic
from .core import cast
from .core import ndim as _ndim

_ALL = builtins.slice(None)


def _axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ValueError(
            f"axis must lie in [{-rank}, {rank - 1}] for {rank} dimensions. Received: axis={axis}."
        )
    return axis % rank


def _full_shape(old: tuple[int, ...], new: Sequence[int]) -> tuple[int, ...]:
    """`new` with its one -1 replaced by what is left over."""
    new = tuple(operator.index(n) for n in new)
    total = math.prod(old)
    if new.count(-1) > 1:
        raise ValueError(f"At most one dimension may be -1. Received: shape={new}.")
    if -1 in new:
        known = math.prod(n for n in new if n != -1)
        left = total // known if known else 0
        new = tuple(left if n == -1 else n for n in new)
    if math.prod(new) != total:
        raise ValueError(
            f"Cannot reshape {total} elements of shape {tuple(old)}. Received: shape={new}."
        )
    return new


reshape_primitive = Primitive(
    "reshape",
    lambda x, shape: Spec(_full_shape(x.shape, shape), x.dtype),
    lambda ins, outs, shape: None,
    lambda g, ins, outs, needed, shape: [reshape(g, tuple(ins[0].shape))],
    host=True,
    view=True,
)


def reshape(x: Any, newshape: Any = None, *, shape: Any = None) -> Any:
    """`x` with another shape; one dimension may be -1."""
    new = newshape if shape is None else shape
    new = (new,) if isinstance(new, int | np.integer) else tuple(new)
    if None in new:
        new = tuple(-1 if n is None else n for n in new)
    return reshape_primitive(x, shape=new)


_transpose = Primitive(
    "transpose",
    lambda x, axes: Spec(tuple(x.shape[a] for a in axes), x.dtype),
    lambda ins, outs, axes: np.copyto(outs[0], ins[0].transpose(axes)),
    lambda g, ins, outs, needed, axes: [transpose(g, tuple(np.argsort(axes)))],
    host=True,
)


@symbolic
def transpose(x: Any, axes: Any = None) -> Any:
    rank = _ndim(x)
    axes = tuple(range(rank))[::-1] if axes is None else tuple(_axis(int(a), rank) for a in axes)
    if sorted(axes) != list(range(rank)):
        raise ValueError(f"axes must be a permutation of {tuple(range(rank))}. Received: {axes}.")
    return _transpose(x, axes=axes)


@symbolic
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    axes = list(range(_ndim(x)))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return transpose(x, axes)


@symbolic
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    rank = _ndim(x)
    sources = [_axis(a, rank) for a in ([source] if isinstance(source, int) else source)]
    targets = [
        _axis(a, rank) for a in ([destination] if isinstance(destination, int) else destination)
    ]
    order = [a for a in range(rank) if a not in sources]
    for target, s in sorted(zip(targets, sources, strict=True)):
        order.insert(target, s)
    return transpose(x, order)


@symbolic
def expand_dims(x: Any, axis: Any) -> Any:
    axes = [axis] if isinstance(axis, int) else list(axis)
    rank = _ndim(x) + len(axes)
    axes = {_axis(a, rank) for a in axes}
    old = iter(_shape(x))
    return reshape(x, tuple(1 if i in axes else next(old) for i in range(rank)))


@symbolic
def squeeze(x: Any, axis: Any = None) -> Any:
    shape = _shape(x)
    rank = len(shape)
    axes = (
        [i for i, n in enumerate(shape) if n == 1]
        if axis is None
        else [axis]
        if isinstance(axis, int)
        else axis
    )
    axes = {_axis(a, rank) for a in axes}
    if any(shape[a] != 1 for a in axes):
        raise ValueError(
            f"Only dimensions of extent 1 can be squeezed. Received: shape {shape}, axis={axis}."
        )
    return reshape(x, tuple(n for i, n in enumerate(shape) if i not in axes))


def ravel(x: Any) -> Any:
    return reshape(x, (-1,))


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(-1 if n is None else n for n in x.shape) if hasattr(x, "shape") else np.shape(x)


_broadcast_to = Primitive(
    "broadcast_to",
    lambda x, shape: Spec(broadcast(x.shape, shape), x.dtype),
    lambda ins, outs, shape: np.copyto(outs[0], ins[0]),
    lambda g, ins, outs, needed, shape: [_summed(g, tuple(ins[0].shape))],
    host=True,
)


def _summed(g: Any, shape: tuple[int, ...]) -> Any:
    from_left = len(g.shape) - len(shape)
    axes = tuple(range(from_left)) + tuple(
        i + from_left for i, n in enumerate(shape) if n == 1 and g.shape[i + from_left] != 1
    )
    return reshape(_PRIMITIVES["sum"](g, axis=axes, keepdims=True), shape)


def broadcast_to(x: Any, shape: Any) -> Any:
    return _broadcast_to(x, shape=tuple(shape))


def _concat_spec(*xs: Spec, axis: int) -> Spec:
    first = xs[0].shape
    for x in xs[1:]:
        if x.shape[:axis] + x.shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            raise ValueError(
                f"Arrays joined along axis {axis} must agree in all other dimensions. "
                f"Received: {[tuple(s.shape) for s in xs]}."
            )
    total = builtins.sum(x.shape[axis] for x in xs)
    return Spec((*first[:axis], total, *first[axis + 1 :]), xs[0].dtype)


def _concat_pull(g: Any, ins: Any, outs: Any, needed: Any, axis: int) -> list:
    pieces, at = [], 0
    for x, need in zip(ins, needed, strict=True):
        index = (_ALL,) * axis + (builtins.slice(at, at + x.shape[axis]),)
        pieces.append(getitem(g, index) if need else None)
        at += x.shape[axis]
    return pieces


_concatenate = Primitive(
    "concatenate",
    _concat_spec,
    lambda ins, outs, axis: np.concatenate(ins, axis=axis, out=outs[0]),
    _concat_pull,
    host=True,
)


@symbolic
def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Arrays joined along an existing axis."""
    xs = [x if hasattr(x, "dtype") else as_array(x) for x in xs]
    dtype = result_dtype(*[np.dtype(x.dtype).name for x in xs])
    xs = [cast(x, dtype) for x in xs]
    return _concatenate(*xs, axis=_axis(axis, _ndim(xs[0])))


@symbolic
def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one shape joined along a new axis."""
    axis = _axis(axis, _ndim(x[0]) + 1)
    return concatenate([expand_dims(part, axis) for part in x], axis)


@symbolic
def hstack(xs: Sequence[Any]) -> Any:
    return concatenate(xs, axis=0 if _ndim(xs[0]) == 1 else 1)


@symbolic
def vstack(xs: Sequence[Any]) -> Any:
    return concatenate([expand_dims(x, 0) if _ndim(x) == 1 else x for x in xs], axis=0)


@symbolic
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list:
    """Parts of `x` along an axis: a number of equal ones, or cut at the given indices."""
    axis = _axis(axis, _ndim(x))
    extent = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if extent % indices_or_sections:
            raise ValueError(
                f"An axis of {extent} cannot be split into {indices_or_sections} equal parts."
            )
        step = extent // indices_or_sections
        cuts = list(range(step, extent, step))
    else:
        cuts = [int(i) for i in indices_or_sections]
    bounds = [0, *cuts, extent]
    before = (_ALL,) * axis
    return [
        getitem(x, (*before, builtins.slice(a, b)))
        for a, b in zip(bounds, bounds[1:], strict=False)
    ]


@symbolic
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list:
    """The slices of `x` along an axis, which disappears."""
    axis = _axis(axis, _ndim(x))
    before = (_ALL,) * axis
    return [getitem(x, (*before, i)) for i in range(x.shape[axis] if num is None else num)]


class _Index:
    """A basic index as a hashable static argument."""

    def __init__(self, index: Any):
        self.index = index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Index) and repr(self.index) == repr(other.index)

    def __hash__(self) -> int:
        return hash(repr(self.index))

    def __repr__(self) -> str:
        return repr(self.index)


def _getitem_spec(x: Spec, *arrays: Spec, index: _Index) -> Spec:
    key = _filled(index.index, [np.broadcast_to(np.int64(0), a.shape) for a in arrays])
    whole = _whole_axis(index.index, len(x.shape)) if arrays else None
    if whole is not None:  # arrays as indices make an array, which can be as large as x
        found = _probe((*x.shape[:whole], 0, *x.shape[whole + 1 :]))[key].shape
        if found.count(0) == 1:
            return Spec(tuple(x.shape[whole] if size == 0 else size for size in found), x.dtype)
    return Spec(_probe(x.shape)[key].shape, x.dtype)


def _probe(shape: tuple) -> np.ndarray:
    """An array of any size that takes no memory."""
    return np.broadcast_to(np.empty((), "bool"), shape)


def _whole_axis(index: tuple, rank: int) -> int | None:
    """An axis that an index takes as it is, or None."""
    parts = [part for part in index if part is not None]
    axes = rank - len(parts) + (Ellipsis in parts)  # that the index does not name
    if axes > 0:
        return parts.index(Ellipsis) if Ellipsis in parts else rank - 1
    return next((axis for axis, part in enumerate(parts) if part == _ALL), None)


def _filled(index: Any, arrays: Sequence[np.ndarray]) -> Any:
    """The index with its placeholders (functions of position) replaced by arrays."""
    if not arrays:
        return index
    left = iter(arrays)
    return tuple(next(left) if part is _ARRAY else part for part in index)


_ARRAY = "array"


def _getitem(ins: list, outs: list, index: _Index) -> None:
    np.copyto(outs[0], ins[0][_filled(index.index, [a.astype(np.int64) for a in ins[1:]])])


def _getitem_pull(g: Any, ins: Any, outs: Any, needed: Any, index: _Index) -> list:
    spread = _scatter(g, *ins[1:], index=index, shape=tuple(ins[0].shape))
    return [spread] + [None] * (len(ins) - 1)


def _scatter_add(ins: list, outs: list, index: _Index, shape: tuple) -> None:
    outs[0][...] = 0
    place = _filled(index.index, [a.astype(np.int64) for a in ins[1:]])
    if ins[1:]:
        np.add.at(outs[0], place, ins[0])
    else:
        outs[0][place] += ins[0]


_getitem_primitive = Primitive("getitem", _getitem_spec, _getitem, _getitem_pull, host=True)
_scatter = Primitive(
    "scatter_add",
    lambda g, *arrays, index, shape: Spec(shape, g.dtype),
    _scatter_add,
    lambda g, ins, outs, needed, index, shape: [
        _getitem_primitive(g, *ins[1:], index=index),
        *[None] * (len(ins) - 1),
    ],
    host=True,
)


def getitem(x: Any, key: Any) -> Any:
    """``x[key]`` with slices, integers, None, Ellipsis and integer arrays."""
    parts = key if isinstance(key, tuple) else (key,)
    arrays, index = [], []
    for part in parts:
        if isinstance(part, list | np.ndarray) or hasattr(type(part), "__primitive__"):
            part = as_array(part) if isinstance(part, list) else part
            if np.dtype(part.dtype) == np.bool_:
                raise ValueError(
                    "A boolean mask has no fixed shape. Use ops.where or ops.multiply instead."
                )
            arrays.append(part)
            index.append(_ARRAY)
        else:
            index.append(part)
    return _getitem_primitive(x, *arrays, index=_Index(tuple(index)))


@symbolic
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements of `x` at `indices` along an axis."""
    if axis is None:
        return take(ravel(x), indices, 0)
    axis = _axis(axis, _ndim(x))
    indices = indices if hasattr(indices, "dtype") else np.asarray(indices)
    return getitem(x, (*(_ALL,) * axis, indices))


@symbolic
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements picked along one axis, by an index for every position of the others."""
    if axis is None:
        return take_along_axis(ravel(x), ravel(indices), 0)
    rank = _ndim(x)
    axis = _axis(axis, rank)
    indices = indices if hasattr(indices, "dtype") else np.asarray(indices)
    grid: list[Any] = []
    for a in range(rank):
        if a == axis:
            grid.append(indices)
        else:
            n = x.shape[a]
            grid.append(np.arange(n).reshape([n if b == a else 1 for b in range(rank)]))
    return getitem(x, tuple(grid))


@symbolic
def flip(x: Any, axis: Any = None) -> Any:
    rank = _ndim(x)
    axes = range(rank) if axis is None else [axis] if isinstance(axis, int) else axis
    axes = {_axis(a, rank) for a in axes}
    return getitem(
        x, tuple(builtins.slice(None, None, -1) if a in axes else _ALL for a in range(rank))
    )


@symbolic
def repeat(x: Any, repeats: int, axis: int | None = None) -> Any:
    """Each element repeated `repeats` times along an axis."""
    if axis is None:
        return repeat(ravel(x), repeats, 0)
    axis, shape = _axis(axis, _ndim(x)), _shape(x)
    if not isinstance(repeats, (int, np.integer)):
        return take(x, np.repeat(np.arange(shape[axis]), repeats), axis)
    before, after = shape[: axis + 1], shape[axis + 1 :]
    wide = broadcast_to(expand_dims(x, axis + 1), (*before, repeats, *after))
    return reshape(wide, (*shape[:axis], shape[axis] * repeats, *after))


@symbolic
def tile(x: Any, repeats: Any) -> Any:
    """`x` repeated as a whole along each axis."""
    repeats = [repeats] if isinstance(repeats, int) else list(repeats)
    rank = max(_ndim(x), len(repeats))
    x = reshape(x, (1,) * (rank - _ndim(x)) + _shape(x))
    repeats = [1] * (rank - len(repeats)) + repeats
    for axis, times in enumerate(repeats):
        if times != 1:
            x = concatenate([x] * times, axis)
    return x


@symbolic
def roll(x: Any, shift: int, axis: int | None = None) -> Any:
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), tuple(x.shape))
    n = x.shape[axis]
    return take(x, (np.arange(n) - shift) % n, axis)


_pad = Primitive(
    "pad",
    lambda x, widths, value: Spec(
        tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)), x.dtype
    ),
    lambda ins, outs, widths, value: _pad_fill(ins[0], outs[0], widths, value),
    lambda g, ins, outs, needed, widths, value: [getitem(g, _inside(ins[0].shape, widths))],
    host=True,
)


def _inside(shape: Sequence[int], widths: Sequence[tuple[int, int]]) -> tuple:
    return tuple(builtins.slice(a, a + n) for n, (a, _) in zip(shape, widths, strict=True))


def _pad_fill(x: np.ndarray, out: np.ndarray, widths: Any, value: float) -> None:
    out[...] = value
    out[_inside(x.shape, widths)] = x


@symbolic
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """`x` with borders: of `constant_values` (0), or mode ``reflect`` or ``symmetric``."""
    rank = _ndim(x)
    widths = np.broadcast_to(np.asarray(pad_width), (rank, 2)).tolist()
    widths = tuple((int(a), int(b)) for a, b in widths)
    if mode == "constant":
        return _pad(x, widths=widths, value=constant_values or 0)
    if mode not in ("reflect", "symmetric"):
        raise ValueError(
            f"mode must be 'constant', 'reflect' or 'symmetric'. Received: mode={mode!r}."
        )
    if constant_values is not None:
        raise ValueError(
            f"constant_values only goes with mode='constant'. Received: mode={mode!r}."
        )
    for axis, (a, b) in enumerate(widths):
        if a or b:
            index = np.pad(np.arange(x.shape[axis]), (a, b), mode=mode)
            x = take(x, index, axis)
    return x


@symbolic
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of the matrices in two axes of `x`, as a new last axis."""
    rank = _ndim(x)
    x = moveaxis(x, (axis1, axis2), (rank - 2, rank - 1))
    rows = np.arange(x.shape[-2])
    rows = rows[(rows + offset >= 0) & (rows + offset < x.shape[-1])]
    return getitem(x, (Ellipsis, rows, rows + offset))


@symbolic
def diag(x: Any, k: int = 0) -> Any:
    """The matrix with `x` on its diagonal, or the diagonal of a matrix."""
    if _ndim(x) == 2:
        return diagonal(x, k)
    n = x.shape[0]
    row, column = np.arange(n) + max(-k, 0), np.arange(n) + max(k, 0)
    size = n + abs(k)
    return _scatter(x, row, column, index=_Index((_ARRAY, _ARRAY)), shape=(size, size))


@symbolic
def _triangle(x: Any, k: int, lower: bool) -> Any:
    rows, columns = x.shape[-2:]
    inside = np.tri(rows, columns, k if lower else k - 1, bool)
    keep = cast(inside if lower else ~inside, np.dtype(x.dtype).name)
    return _PRIMITIVES["multiply"](x, keep)


def tril(x: Any, k: int = 0) -> Any:
    """`x` with zeros above diagonal `k` of its last two axes."""
    return _triangle(x, k, True)


def triu(x: Any, k: int = 0) -> Any:
    """`x` with zeros below diagonal `k` of its last two axes."""
    return _triangle(x, k, False)


def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The block of `inputs` of the given shape that starts at `start_indices`."""
    starts = [int(i) for i in start_indices]
    return getitem(
        inputs, tuple(builtins.slice(a, a + n) for a, n in zip(starts, shape, strict=True))
    )


@symbolic
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """`inputs` with a block, from `start_indices` on, replaced by `updates`."""
    starts = [int(i) for i in start_indices]
    widths = [(a, n - a - m) for a, n, m in zip(starts, inputs.shape, updates.shape, strict=True)]
    inside = np.pad(np.ones(tuple(updates.shape), bool), widths)
    return _PRIMITIVES["where"](inside, pad(updates, widths), inputs)


@symbolic
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros of `shape` to which `values` are added at `indices` (their last axis is the place)."""
    indices = indices if hasattr(indices, "dtype") else np.asarray(indices)
    values = values if hasattr(values, "dtype") else as_array(values)
    depth = indices.shape[-1]
    places = [getitem(indices, (Ellipsis, i)) for i in range(depth)]
    return _scatter(values, *places, index=_Index((_ARRAY,) * depth), shape=tuple(shape))


@symbolic
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """`inputs` whose elements at `indices` are replaced by `updates` (added to with "add")."""
    if reduction not in (None, "add"):
        raise ValueError(f"reduction must be None or 'add'. Received: {reduction!r}.")
    added = scatter(indices, updates, tuple(inputs.shape))
    if reduction == "add":
        return _PRIMITIVES["add"](inputs, added)
    count = scatter(indices, np.ones(tuple(updates.shape), "int32"), tuple(inputs.shape))
    return _PRIMITIVES["where"](_PRIMITIVES["equal"](count, 0), inputs, added)


@symbolic
def meshgrid(*x: Any, indexing: str = "xy") -> list:
    """Coordinate arrays of a grid, from the coordinates along each axis."""
    rank = len(x)
    order = list(range(rank))
    if indexing == "xy" and rank > 1:
        order[:2] = [1, 0]
    shape = [1] * rank
    extents = [0] * rank
    for part, axis in zip(x, order, strict=True):
        extents[axis] = part.shape[0]
    grids = []
    for part, axis in zip(x, order, strict=True):
        own = [*shape[:axis], -1, *shape[axis + 1 :]]
        grids.append(broadcast_to(reshape(part, own), extents))
    return grids


def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """`x2` behind `x1` along an axis (both flattened without one)."""
    if axis is None:
        return concatenate([ravel(x1), ravel(x2)], 0)
    return concatenate([x1, x2], axis)


@symbolic
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list:
    """As `split`, into parts whose extents may differ by one."""
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    extent = x.shape[axis]
    bounds = np.arange(1, indices_or_sections)
    small, larger = divmod(extent, indices_or_sections)
    return split(x, (bounds * small + np.minimum(bounds, larger)).tolist(), axis)


def dstack(xs: Sequence[Any]) -> Any:
    """Arrays joined along a third axis."""
    return concatenate([_at_least_3d(x) for x in xs], 2)


def _at_least_3d(x: Any) -> Any:
    if _ndim(x) == 1:
        return expand_dims(x, (0, 2))
    return expand_dims(x, 2) if _ndim(x) == 2 else x


@symbolic
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences between neighbours along an axis, `n` times."""
    before = (_ALL,) * _axis(axis, _ndim(a))
    for _ in range(n):
        later = getitem(a, (*before, builtins.slice(1, None)))
        a = _PRIMITIVES["subtract"](later, getitem(a, (*before, builtins.slice(None, -1))))
    return a


def fliplr(x: Any) -> Any:
    return flip(x, 1)


def flipud(x: Any) -> Any:
    return flip(x, 0)


@symbolic
def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """`array` turned by 90 degrees in a plane of two axes, `k` times."""
    for _ in range(k % 4):
        array = flip(swapaxes(array, *axes), axes[0])
    return array
