"""What convolution and pooling have in common: windows that slide over the axes of an image.

Images are (batch, *sizes, channels) here; `channels_last` brings others into that order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import settings
from ..core.validate import is_integer, one_of
from .core import ndim as _ndim
from .shapes import transpose

RANKS = (1, 2, 3)  # axes that windows may slide along


def plain(value: Any) -> Any:
    """Numpy's integers and arrays, also in lists, as Python's; other values as they are."""
    if isinstance(value, np.ndarray | np.integer):
        return value.tolist()
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


def numbers(value: Any, rank: int, name: str, owner: str, least: int = 1) -> tuple[int, ...]:
    """One number for each axis, from one for all or one each.

    Raises:
        ValueError: another count of numbers, or one that is not an integer of at least `least`.
    """
    value = plain(value)
    given = (value,) * rank if isinstance(value, int) else value
    good = isinstance(given, list | tuple) and len(given) == rank
    if not good or not all(is_integer(n) for n in given):
        raise ValueError(
            f"{owner}: `{name}` must be an integer or {rank} of them. Received: {value!r}."
        )
    if min(given) < least:
        raise ValueError(
            f"{owner}: `{name}` must hold integers of at least {least}. Received: {value!r}."
        )
    return tuple(given)


def span(size: int, dilation: int) -> int:
    """From the first to the last pixel under a window."""
    return (size - 1) * dilation + 1


def output_length(length: int | None, size: int, stride: int, padding: str, dilation: int) -> Any:
    """Windows along an axis of a length; None for an unknown one."""
    if length is None:
        return None
    if padding in ("same", "causal"):
        return -(-length // stride)
    return (length - span(size, dilation)) // stride + 1


def pads(length: int, size: int, stride: int, padding: str, dilation: int) -> tuple[int, int]:
    """Zeros before and after an axis; where they are odd in number, one more after it."""
    if padding == "valid":
        return 0, 0
    reach = span(size, dilation)
    if padding == "causal":
        return reach - 1, 0
    total = max((-(-length // stride) - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


def data_format(value: Any, owner: str) -> str:
    """'channels_last' or 'channels_first'; None for the one set globally."""
    return settings.data_format_of(value, owner)


def padding_of(value: Any, owner: str, options: Sequence[str] = ("valid", "same")) -> str:
    """One of the ways to treat the edges, in capitals or not."""
    return one_of(value.lower() if isinstance(value, str) else value, options, "padding", owner)


def channels_last(function: Callable[[Any], Any], x: Any, order: str) -> Any:
    """``function(x)`` of images with their channels last, whatever the order in and out."""
    rank = _ndim(x)
    if order == "channels_last" or rank < 3:
        return function(x)
    y = function(transpose(x, [0, *range(2, rank), 1]))
    return transpose(y, [0, rank - 1, *range(1, rank - 1)])


def check_rank(x: Any, owner: str) -> int:
    """The number of axes that windows slide along."""
    rank = _ndim(x) - 2
    if rank not in RANKS:
        raise ValueError(
            f"{owner} takes inputs with 3, 4 or 5 dimensions (batch, 1 to 3 axes, channels). "
            f"Received: shape {tuple(x.shape)}."
        )
    return rank


def check_fits(shape: Sequence[int | None], sizes: Sequence[Any], what: str, owner: str) -> None:
    """Raise a ValueError where there is no place for a single window."""
    if any(n is not None and n < 1 for n in sizes):
        raise ValueError(
            f"{owner}: the input is smaller than {what}. Received: input shape {tuple(shape)}. "
            "Use a smaller one, padding='same', or larger inputs."
        )
