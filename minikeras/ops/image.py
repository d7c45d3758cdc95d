"""Images (batch, height, width, channels): affine maps and other sizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import as_array
from ..core import settings
from ..core.validate import number, one_of, positive_int
from ..graph.abstract import symbolic
from . import elementwise as e
from .core import cast, floating, saturate_cast
from .linalg import tensordot
from .shapes import expand_dims, getitem, moveaxis, pad, squeeze, take, transpose
from .windows import plain

ORDERS = {"nearest": 0, "bilinear": 1}
FILL_MODES = {"constant": 0, "nearest": 1, "wrap": 2, "reflect": 3}

# --- affine maps ----------------------------------------------------------------------------------


def _affine(ins: list, outs: list, order: int, mode: int, fill: float) -> list:
    x, maps = ins
    arguments = (x, maps, order, mode, fill, outs[0])
    return [kernels.launch("affine_images", *arguments, tasks=parts(x.size, 4096))]


def _affine_grad(ins: list, outs: list, order: int, mode: int) -> list:
    g, maps = ins
    tasks = max(1, min(g.shape[0], parts(g.size, 4096)))
    return [kernels.launch("affine_images_grad", g, maps, order, mode, outs[0], tasks=tasks)]


def _affine_grad_pull(g: Any, ins: Any, outs: Any, needed: Any, order: int, mode: int) -> list:
    return [_affine_images(g, ins[1], order=order, mode=mode, fill=0.0), None]


_affine_images_grad = Primitive(
    "affine_images_grad", lambda g, maps, **static: g, _affine_grad, _affine_grad_pull
)
_affine_images = Primitive(
    "affine_images",
    lambda x, maps, **static: x,
    _affine,
    lambda g, ins, outs, needed, order, mode, fill: [
        _affine_images_grad(g, ins[1], order=order, mode=mode),
        None,
    ],
)


def affine_images(
    x: Any,
    maps: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
) -> Any:
    """Images seen through affine maps, in their own size.

    Args:
        x: Floats (batch, height, width, channels).
        maps: (batch, 6) numbers a0, a1, a2, b0, b1, b2: column x and row y of the output show what
            is at column ``a0 x + a1 y + a2`` and row ``b0 x + b1 y + b2`` of the input. Constants
            to gradients.
        interpolation: 'bilinear' or 'nearest'.
        fill_mode: What lies beyond the edges: 'reflect' (edges twice), 'wrap', 'nearest' or
            'constant'.
        fill_value: The constant.
    """
    order = ORDERS[one_of(interpolation, tuple(ORDERS), "interpolation")]
    mode = FILL_MODES[one_of(fill_mode, tuple(FILL_MODES), "fill_mode")]
    x = floating(x)
    return _affine_images(x, cast(maps, x.dtype), order=order, mode=mode, fill=float(fill_value))


# --- other sizes ----------------------------------------------------------------------------------


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0.0, 1.0 - x)


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' cubic with a = -1/2."""
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _lanczos(radius: int) -> Any:
    def weight(x: np.ndarray) -> np.ndarray:
        return np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0.0)

    return weight


RESAMPLING = {
    "bilinear": _triangle,
    "nearest": None,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def resampling_weights(size: int, target: int, interpolation: str, antialias: bool) -> np.ndarray:
    """(target, size): the share of each old place in each new one, for one axis.

    Pixels are areas: the centre of new pixel k lies at ``(k + 1/2) size / target`` of the old axis.
    `antialias` widens the window when there are fewer new pixels than old ones.
    """
    step = size / target
    centres = (np.arange(target) + 0.5) * step - 0.5
    apart = np.abs(centres[:, None] - np.arange(size)) / (max(step, 1.0) if antialias else 1.0)
    weights = RESAMPLING[interpolation](apart)  # type: ignore[misc]
    total = weights.sum(axis=1, keepdims=True)
    return np.where(np.abs(total) > 1e-6, weights / np.where(total == 0, 1, total), 0.0)


def middle(images: Any, height: int, width: int) -> Any:
    """The middle of images, so many pixels high and wide."""
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return getitem(images, np.s_[:, top : top + height, left : left + width])


def in_proportion(images: Any, height: int, width: int) -> Any:
    """The largest middle part with the proportions of a height and a width."""
    _, tall, wide, _ = images.shape
    rows = max(min(tall, int(wide * height / width)), 1)
    columns = max(min(wide, int(tall * width / height)), 1)
    return middle(images, rows, columns)


def filled_up(images: Any, height: int, width: int, value: float) -> Any:
    """Images with borders of a value, as wide as the proportions of a height and a width need."""
    _, rows, columns, _ = images.shape
    tall, wide = max(rows, int(columns * height / width)), max(columns, int(rows * width / height))
    above, beside = (tall - rows) // 2, (wide - columns) // 2
    widths = [(0, 0), (above, above), (0, 0) if above > 0 else (beside, beside), (0, 0)]
    return pad(images, widths, constant_values=value)


def whole(mixed: Any, given: Any) -> Any:
    """What was mixed of the pixels `given`, in their type: rounded and limited to what it holds."""
    dtype = np.dtype(given.dtype)
    if dtype.kind == "b":
        return cast(mixed, "bool")
    return saturate_cast(e.round(mixed), dtype.name) if dtype.kind in "iu" else mixed


def resize_images(
    x: Any, size: tuple[int, int], interpolation: str = "bilinear", antialias: bool = False
) -> Any:
    """Images in another size.

    Args:
        x: Floats (batch, height, width, channels).
        size: New height and width.
        interpolation: 'bilinear', 'nearest', 'bicubic', 'lanczos3' or 'lanczos5'.
        antialias: Whether shrinking averages over all that a new pixel covers.
    """
    one_of(interpolation, tuple(RESAMPLING), "interpolation")
    old = tuple(x.shape)[1:3]
    if interpolation == "nearest":
        rows, columns = (
            [math.floor((k + 0.5) * n / target) for k in range(target)]
            for n, target in zip(old, size, strict=True)
        )
        return take(take(x, np.array(rows), 1), np.array(columns), 2)
    x = floating(x)
    down, across = (
        resampling_weights(n, target, interpolation, antialias).astype(np.dtype(x.dtype))
        for n, target in zip(old, size, strict=True)
    )
    y = tensordot(tensordot(x, down, axes=[[1], [1]]), across, axes=[[1], [1]])
    return transpose(y, (0, 2, 3, 1))  # the new axes came last, channels before them


@symbolic
def resize(
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Images in another size. Whole numbers are rounded, and limited to what their type holds.

    Args:
        images: (batch, height, width, channels), or one image of rank 3.
        size: New height and width.
        interpolation: 'bilinear', 'nearest', 'bicubic', 'lanczos3' or 'lanczos5'.
        antialias: Whether shrinking averages over all that a new pixel covers.
        crop_to_aspect_ratio: Whether to cut images to the new proportions first.
        pad_to_aspect_ratio: Whether to fill images up to the new proportions first.
        fill_mode: How to fill: 'constant'.
        fill_value: The constant.
        data_format: 'channels_last' or 'channels_first'; by default as configured.

    Raises:
        ValueError: what are no images, or no size.

    Example:

    >>> import numpy as np
    >>> resize(np.arange(4, dtype="float32").reshape(2, 2, 1), (2, 4))[..., 0]
    array([[0.  , 0.25, 0.75, 1.  ],
           [2.  , 2.25, 2.75, 3.  ]], dtype=float32)
    """
    one_of(interpolation, tuple(RESAMPLING), "interpolation", "resize")
    one_of(fill_mode, ("constant",), "fill_mode", "resize")
    height, width = _height_and_width(size)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "resize either cuts or fills images up to the new proportions. Received: both "
            "crop_to_aspect_ratio=True and pad_to_aspect_ratio=True."
        )
    given = images if hasattr(images, "dtype") else as_array(images)
    if len(given.shape) not in (3, 4):
        raise ValueError(
            "resize takes images of shape (height, width, channels), or batches of them. "
            f"Received: shape {tuple(given.shape)}."
        )
    first = settings.data_format_of(data_format, "resize") == "channels_first"
    x = moveaxis(given, -3, -1) if first else given
    x = expand_dims(x, 0) if len(given.shape) == 3 else x
    if crop_to_aspect_ratio:
        x = in_proportion(x, height, width)
    if pad_to_aspect_ratio:
        x = filled_up(x, height, width, number(fill_value, "fill_value", "resize"))
    x = whole(resize_images(x, (height, width), interpolation, bool(antialias)), given)
    x = squeeze(x, 0) if len(given.shape) == 3 else x
    return moveaxis(x, -1, -3) if first else x


def _height_and_width(size: Any) -> tuple[int, int]:
    pair = plain(size)
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ValueError(f"resize: `size` must be a height and a width. Received: {size!r}.")
    return positive_int(pair[0], "size", "resize"), positive_int(pair[1], "size", "resize")
