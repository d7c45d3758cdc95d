"""The geometry of convolutions: where windows lie, how large results are, what kernels are told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..autodiff.spec import Spec
from ..kernels.table import CONV_BOX, CONV_OFFSETS
from . import windows
from .linalg import NO_BIAS


class Window(NamedTuple):
    """How a kernel moves over images: one number for each axis, and the groups of channels."""

    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]  # zeros before each axis
    after: tuple[int, ...]
    groups: int = 1

    def outputs(self, sizes: Sequence[int], kernel: Sequence[int]) -> tuple[int, ...]:
        """Sizes of the result for images of some sizes."""
        axes = zip(sizes, kernel, self.strides, self.dilation, self.before, self.after, strict=True)
        return tuple(
            (n + b + a - windows.span(k, d)) // s + 1 if n + b + a >= windows.span(k, d) else 0
            for n, k, s, d, b, a in axes
        )


def geometry_of(
    images: int, inside: Sequence[int], outside: Sequence[int], kernel: Spec | Any, window: Window
) -> np.ndarray:
    """What `kernels` are told; see ``kernels/table.py``."""
    rank = len(inside)
    *sizes, channels, filters = kernel.shape

    def three(values: Sequence[int], missing: int) -> list[int]:
        return [missing] * (3 - rank) + list(values)

    return np.array(
        [
            *(images, channels * window.groups, filters, window.groups),
            *three(inside, 1), *three(outside, 1), *three(sizes, 1),
            *three(window.strides, 1), *three(window.dilation, 1), *three(window.before, 0),
        ],
        np.int64,
    )  # fmt: skip


def fits(kernel: Any, window: Window) -> bool:
    """Whether the kernels can take what one pixel of the result reads at once."""
    *sizes, channels, filters = kernel.shape
    reach = math.prod(windows.span(k, d) for k, d in zip(sizes, window.dilation, strict=True))
    most = max(channels * window.groups, filters)
    numbers = math.prod(sizes) * max(channels, filters // window.groups)
    width = np.dtype(kernel.dtype).itemsize
    return reach * most * width <= CONV_BOX and numbers <= CONV_OFFSETS


def tasks_of(geometry: np.ndarray) -> int:
    """Into how many tasks the work of a convolution is cut."""
    pixels = int(geometry[0] * geometry[7:10].prod())
    depth = int(geometry[10:13].prod() * geometry[1] // geometry[3])
    return kernels.gemm_tasks(pixels, int(geometry[2]), depth, kernels.num_threads())


def flat(x: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    """One axis for all numbers; none at all, of the same type, for None."""
    return NO_BIAS[like.dtype.name] if x is None else x.reshape(-1)


def groups_of(x: Any, kernel: Any, rank: int, owner: str) -> int:
    """The number of groups that the channels of the kernel leave.

    Raises:
        ValueError: shapes that do not fit each other.
    """
    if len(kernel.shape) != rank + 2:
        raise ValueError(
            f"{owner}: inputs with {rank + 2} dimensions need a kernel with as many. "
            f"Received: shapes {tuple(x.shape)} and {tuple(kernel.shape)}."
        )
    channels, (of_group, filters) = x.shape[-1], kernel.shape[-2:]
    if not of_group or channels % of_group or filters % max(1, channels // of_group):
        raise ValueError(
            f"{owner}: the channels of the input must be a multiple of those of the kernel, and "
            f"its filters a multiple of the groups that this makes. Received: {channels} channels "
            f"and a kernel of shape {tuple(kernel.shape)}."
        )
    return channels // of_group


def window_over(
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Any,
    padding: str,
    dilation: Any,
    owner: str,
) -> Window:
    """Where a kernel lies that slides over images, with the zeros that `padding` needs.

    Raises:
        ValueError: numbers that do not suit the axes.
    """
    rank = len(sizes)
    strides = windows.numbers(strides, rank, "strides", owner)
    dilation = windows.numbers(dilation, rank, "dilation_rate", owner)
    axes = zip(sizes, kernel, strides, dilation, strict=True)
    around = [windows.pads(n, k, s, padding, d) for n, k, s, d in axes]
    before, after = zip(*around, strict=True)
    return Window(strides, dilation, before, after)


def transpose_lengths(
    sizes: Sequence[Any],
    kernel: Any,
    strides: Any,
    padding: str,
    output_padding: Any,
    dilation: Any,
) -> tuple:
    """Sizes of the result of a transposed convolution; None for unknown ones."""
    more = (None,) * len(sizes) if output_padding is None else output_padding
    axes = zip(sizes, kernel, strides, dilation, more, strict=True)
    return tuple(
        None if n is None else _transpose_length(n, windows.span(k, d), s, padding, o)
        for n, k, s, d, o in axes
    )


def _transpose_length(length: int, reach: int, stride: int, padding: str, more: Any) -> int:
    if more is None:
        return length * stride + (max(reach - stride, 0) if padding == "valid" else 0)
    around = 2 * (reach // 2) if padding == "same" else 0
    return (length - 1) * stride + reach - around + more


def check_output_padding(value: Any, strides: Any, rank: int, owner: str) -> Any:
    """One number for each axis, below its stride, or None."""
    if value is None:
        return None
    more = windows.numbers(value, rank, "output_padding", owner, least=0)
    if any(o >= s for o, s in zip(more, strides, strict=True)):
        raise ValueError(
            f"{owner}: `output_padding` must be below the strides. "
            f"Received: output_padding={value!r}, strides={strides}."
        )
    return more
