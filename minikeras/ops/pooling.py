"""Pooling: the largest or the mean of the pixels under windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec, as_array
from ..graph.abstract import symbolic
from . import elementwise as e
from . import windows
from .core import cast, floating
from .shapes import getitem, pad


class Pool(NamedTuple):
    """Windows over images: one number for each axis."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    before: tuple[int, ...]  # pixels that windows reach before the image
    outputs: tuple[int, ...]


def _geometry(shape: Sequence[int], pool: Pool) -> np.ndarray:
    """What `kernels` are told of images of a shape; see ``kernels/table.py``."""
    rank = len(pool.sizes)

    def three(values: Sequence[int], missing: int) -> list[int]:
        return [missing] * (3 - rank) + list(values)

    images, channels = shape[0], shape[-1]
    inside, outside = three(shape[1:-1], 1), three(pool.outputs, 1)
    moves = [*three(pool.sizes, 1), *three(pool.strides, 1), 1, 1, 1, *three(pool.before, 0)]
    return np.array([images, channels, channels, 1, *inside, *outside, *moves], np.int64)


def _launch(
    kernel: str, arrays: Sequence[Any], shape: Sequence[int], pool: Pool, *numbers: int
) -> Any:
    flat = [a.reshape(-1) for a in arrays]
    tasks = parts(max(a.size for a in arrays))
    return kernels.launch(kernel, *flat, _geometry(shape, pool), *numbers, tasks=tasks)


def _pooled(x: Spec, pool: Pool) -> Spec:
    return Spec((x.shape[0], *pool.outputs, x.shape[-1]), x.dtype)


MOST = 255  # taps that a byte can count, one number being kept for "nothing"


def _wide(pool: Pool) -> str:
    """The beginning of the names of kernels for windows of many taps."""
    return "" if math.prod(pool.sizes) <= MOST else "wide_"


def _max_spec(x: Spec, pool: Pool) -> tuple[Spec, Spec]:
    """The result, and which tap of each window it is."""
    return _pooled(x, pool), Spec(_pooled(x, pool).shape, "int32" if _wide(pool) else "uint8")


def _max_launch(ins: list, outs: list, pool: Pool, gated: bool = False) -> list:
    numbers = () if _wide(pool) else (int(gated),)
    return [_launch(f"{_wide(pool)}max_pool", [*ins, *outs], ins[0].shape, pool, *numbers)]


def ordered(x: Any) -> Any:
    """`x` as a value whose largest element can be found: whole numbers stay what they are."""
    x = x if hasattr(x, "dtype") else as_array(x)
    return x if np.dtype(x.dtype).kind in "iub" else floating(x)


def max_of_windows(x: Any, pool: Pool) -> Any:
    """The largest number under each window; of whole numbers and truth values one of their type."""
    dtype = np.dtype(x.dtype)
    if dtype.kind == "b":
        return cast(_max_composite(cast(x, "uint8"), pool, 0), "bool")
    if dtype.kind in "iu":
        return _max_composite(x, pool, int(np.iinfo(dtype).min))
    return max_pool_primitive(x, pool=pool)


def _max_composite(x: Any, pool: Pool, least: float = -np.inf) -> Any:
    axes = zip(pool.outputs, pool.strides, pool.sizes, pool.before, x.shape[1:-1], strict=True)
    after = [max(0, (o - 1) * s + k - b - n) for o, s, k, b, n in axes]
    around = [(0, 0), *zip(pool.before, after, strict=True), (0, 0)]
    x = pad(x, around, constant_values=least)
    largest = None
    for tap in np.ndindex(*pool.sizes):
        axes = zip(tap, pool.strides, pool.outputs, strict=True)
        read = tuple(slice(k, k + (n - 1) * s + 1, s) for k, s, n in axes)
        part = getitem(x, (slice(None), *read, slice(None)))
        largest = part if largest is None else e.maximum(largest, part)
    return largest


_max_pool_grad = Primitive(
    "max_pool_grad",
    lambda g, index, shape, pool: Spec(shape, g.dtype),
    lambda ins, outs, shape, pool: [
        _launch(f"{_wide(pool)}max_pool_grad", [*ins, *outs], shape, pool)
    ],
)
max_pool_primitive = Primitive(
    "max_pool",
    _max_spec,
    _max_launch,
    lambda g, ins, outs, needed, pool: [
        _max_pool_grad(g, outs[1], shape=tuple(ins[0].shape), pool=pool)
    ],
    composite=_max_composite,
)
relu_max_pool = Primitive(
    "relu_max_pool",
    _max_spec,
    lambda ins, outs, pool: _max_launch(ins, outs, pool, gated=True),
)
"""The largest number, or 0, of windows of at most `MOST` taps; see ``program/fusion``."""

average_pool_primitive = Primitive(
    "average_pool",
    _pooled,
    lambda ins, outs, pool: [_launch("average_pool", [*ins, *outs], ins[0].shape, pool)],
    lambda g, ins, outs, needed, pool: [
        _average_pool_grad(g, shape=tuple(ins[0].shape), pool=pool)
    ],
)
_average_pool_grad = Primitive(
    "average_pool_grad",
    lambda g, shape, pool: Spec(shape, g.dtype),
    lambda ins, outs, shape, pool: [_launch("average_pool_grad", [*ins, *outs], shape, pool)],
    lambda g, ins, outs, needed, shape, pool: [average_pool_primitive(g, pool=pool)],
)


def _wide_shape(shape: Sequence[int], sizes: Sequence[int]) -> tuple[int, ...]:
    inside = [n * size for n, size in zip(shape[1:-1], sizes, strict=True)]
    return (shape[0], *inside, shape[-1])


def _repeat_pixels(ins: list, outs: list, sizes: tuple[int, ...]) -> None:
    x, y = ins[0], outs[0]
    once = [part for n in x.shape[1:-1] for part in (n, 1)]
    often = [part for n, size in zip(x.shape[1:-1], sizes, strict=True) for part in (n, size)]
    ends = x.shape[0], x.shape[-1]
    y.reshape(ends[0], *often, ends[1])[...] = x.reshape(ends[0], *once, ends[1])


_upsample = Primitive(
    "upsample",
    lambda x, sizes: Spec(_wide_shape(x.shape, sizes), x.dtype),
    _repeat_pixels,
    lambda g, ins, outs, needed, sizes: [_window_sums(g, sizes)],
    host=True,
)


def _window_sums(g: Any, sizes: tuple[int, ...]) -> Any:
    return e.multiply(average_pool(g, sizes), float(math.prod(sizes)))


@symbolic
def upsample(inputs: Any, sizes: Sequence[int], data_format: str | None = None) -> Any:
    """Each pixel of images repeated, along each axis as often as `sizes` says.

    >>> import numpy as np
    >>> upsample(np.arange(2.0).reshape(1, 2, 1), (3,))[0, :, 0]
    array([0., 0., 0., 1., 1., 1.])
    """
    return windows.channels_last(
        lambda x: _upsample(x, sizes=tuple(sizes)),
        inputs,
        windows.data_format(data_format, "upsample"),
    )


def _pool(
    function: Callable[..., Any],
    x: Any,
    size: Any,
    strides: Any,
    padding: str,
    order: Any,
    owner: str,
) -> Any:
    rank = windows.check_rank(x, owner)
    padding = windows.padding_of(padding, owner)
    sizes = windows.numbers(size, rank, "pool_size", owner)
    steps = sizes if strides is None else windows.numbers(strides, rank, "strides", owner)

    def last(x: Any) -> Any:
        inside = tuple(x.shape[1:-1])
        axes = list(zip(inside, sizes, steps, strict=True))
        outputs = tuple(windows.output_length(n, k, s, padding, 1) for n, k, s in axes)
        windows.check_fits(x.shape, outputs, f"a window of size {sizes}", owner)
        before = tuple(windows.pads(n, k, s, padding, 1)[0] for n, k, s in axes)
        return function(x, pool=Pool(sizes, steps, before, outputs))

    return windows.channels_last(last, x, windows.data_format(order, owner))


@symbolic
def max_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The largest number under windows that slide over 1 to 3 axes; NaN where one holds a NaN.

    The gradient goes to the first of equal numbers. Whole numbers and truth values stay such.

    Args:
        inputs: (batch, *sizes, channels), or (batch, channels, *sizes) for 'channels_first'.
        pool_size: Size of the window, one number or one for each axis.
        strides: Its step; by default its size.
        padding: 'valid': only windows within; 'same': also those that begin within, or reach as
            far before the first pixel as behind the last.
        data_format: 'channels_last' or 'channels_first'; by default as configured.

    Example:

    >>> import numpy as np
    >>> max_pool(np.arange(8, dtype="float32").reshape(1, 8, 1), 2)[0, :, 0]
    array([1., 3., 5., 7.], dtype=float32)
    """
    inputs = ordered(inputs)
    return _pool(max_of_windows, inputs, pool_size, strides, padding, data_format, "max_pool")


@symbolic
def average_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The mean of the pixels under windows, of those within the image; arguments as `max_pool`.

    Example:

    >>> import numpy as np
    >>> average_pool(np.arange(8, dtype="float32").reshape(1, 8, 1), 3, padding="same")[0, :, 0]
    array([1. , 4. , 6.5], dtype=float32)
    """
    primitive, inputs = average_pool_primitive, floating(inputs)
    return _pool(primitive, inputs, pool_size, strides, padding, data_format, "average_pool")
