"""Blocks of pixels as channels, and channels as blocks of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import settings
from ..core.validate import integer
from ..graph.abstract import shapes_only, symbolic
from ..graph.symbol import FILLS
from .shapes import getitem, reshape, transpose


def _checked(x: Any, block_size: Any, owner: str) -> int:
    size = integer(block_size, "block_size", owner)
    if size < 2:
        raise ValueError(f"{owner}: `block_size` must be at least 2. Received: {block_size}.")
    if len(x.shape) != 4:
        raise ValueError(
            f"{owner} takes images of shape (batch, height, width, channels). "
            f"Received: shape {tuple(x.shape)}."
        )
    return size


def _require_multiple(lengths: Sequence[int], of: int, what: str, x: Any, owner: str) -> None:
    unknown = FILLS if shapes_only() else ()
    if any(n % of for n in lengths if n not in unknown):
        raise ValueError(
            f"{owner}: {what} must be a multiple of {of}. Received: shape {tuple(x.shape)}."
        )


@symbolic
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Channels laid out as blocks of pixels: images `block_size` times as high and wide.

    The inverse of `space_to_depth`; the last step of sub-pixel convolution (Shi et al. 2016).

    Args:
        x: (batch, height, width, channels), the channels a multiple of ``block_size ** 2``, those
            of one pixel of a block side by side; or (batch, channels, height, width), the channels
            that make one block side by side.
        block_size: Height and width of the blocks, at least 2.
        data_format: 'channels_last' or 'channels_first'.

    Example:

    >>> import numpy as np
    >>> depth_to_space(np.arange(4.0).reshape(1, 1, 1, 4), 2)[0, :, :, 0]
    array([[0., 1.],
           [2., 3.]])
    """
    owner = "depth_to_space"
    size = _checked(x, block_size, owner)
    first = settings.data_format_of(data_format, owner) == "channels_first"
    count, *sizes = x.shape
    channels, rows, columns = sizes if first else (sizes[2], *sizes[:2])
    _require_multiple([channels], size * size, "the number of channels", x, owner)
    depth, tall, wide = channels // size**2, rows * size, columns * size
    if first:
        blocks = reshape(x, (count, depth, size, size, rows, columns))
        return reshape(transpose(blocks, (0, 1, 4, 2, 5, 3)), (count, depth, tall, wide))
    blocks = reshape(x, (count, rows, columns, size, size, depth))
    return reshape(transpose(blocks, (0, 1, 3, 2, 4, 5)), (count, tall, wide, depth))


@symbolic
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Blocks of pixels laid out as channels: images that many times lower and narrower.

    Args:
        x: (batch, height, width, channels), or (batch, channels, height, width); height and width
            multiples of `block_size`. The order of the channels is that of `depth_to_space`.
        block_size: Height and width of the blocks, at least 2.
        data_format: 'channels_last' or 'channels_first'.

    Example:

    >>> import numpy as np
    >>> space_to_depth(np.arange(4.0).reshape(1, 2, 2, 1), 2)[0, 0, 0]
    array([0., 1., 2., 3.])
    """
    owner = "space_to_depth"
    size = _checked(x, block_size, owner)
    first = settings.data_format_of(data_format, owner) == "channels_first"
    _require_multiple(x.shape[2:] if first else x.shape[1:3], size, "height and width", x, owner)
    count, *sizes = x.shape
    channels, rows, columns = sizes if first else (sizes[2], *sizes[:2])
    rows, columns, depth = rows // size, columns // size, channels * size**2
    if first:
        x = getitem(x, np.s_[:, :, : rows * size, : columns * size])  # cuts what is unknown only
        blocks = reshape(x, (count, channels, rows, size, columns, size))
        return reshape(transpose(blocks, (0, 1, 3, 5, 2, 4)), (count, depth, rows, columns))
    x = getitem(x, np.s_[:, : rows * size, : columns * size])
    blocks = reshape(x, (count, rows, size, columns, size, channels))
    return reshape(transpose(blocks, (0, 1, 3, 2, 4, 5)), (count, rows, columns, depth))
