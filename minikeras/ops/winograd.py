"""When convolutions go Winograd's way, which needs a quarter of the products, and their launches.

Sums are taken in another order over mapped numbers: their error is about five times that of the
direct sum (root mean square 1e-6 of the result, in float32), and a NaN or infinity spoils the whole
tile of 4 x 4 pixels. `set_winograd` switches it off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.spec import Spec
from .convolution_geometry import Window, flat

_TILE, _PLACES = 4, 36
_LEAST, _MOST = 16, 1024  # channels and filters between which the mapping pays, and fits
_TILES = 32  # tiles that make up for the mapping of the weights
_WASTE = 2  # pixels of the tiles, for each that exists, above which too many are thrown away
_PARTS, _HELD = 4, 1 << 21  # sums that the weights' gradient is cut into, and numbers of them all

_enabled = True


def set_winograd(enabled: bool) -> None:
    """Whether convolutions with 3 x 3 weights may use Winograd's algorithm (by default they do).

    Models that were compiled before keep what they recorded.

    Args:
        enabled: False for direct sums: slower, and a few units in the last place closer to those of
            Keras.

    Example:

    >>> set_winograd(False)
    >>> set_winograd(True)
    """
    global _enabled
    _enabled = bool(enabled)


def applies(images: int, sizes: Sequence[int], kernel: Any, window: Window) -> bool:
    """Whether a convolution whose result (or whose input's gradient) has these sizes goes this way.

    Its answer depends on shapes only.
    """
    if not _enabled or tuple(kernel.shape[:-2]) != (3, 3):
        return False
    plain = window.groups == 1 and max(*window.strides, *window.dilation) == 1
    if not plain or max(*window.before, *window.after) > 2:
        return False
    if not all(_LEAST <= n <= _MOST for n in kernel.shape[-2:]):
        return False
    down, across = (-(-n // _TILE) for n in sizes)
    wasted = down * across * _TILE**2 > _WASTE * sizes[0] * sizes[1]
    return images * down * across >= _TILES and not wasted


def _width(dtype: Any) -> int:
    return kernels.panel_columns(np.dtype(dtype).name)


def mapped(kernel: Any, dtype: Any, turned: bool = False) -> Spec:
    """Memory for mapped weights; turned ones go from the filters to the channels."""
    inputs, outputs = kernel.shape[-2:][::-1] if turned else kernel.shape[-2:]
    width = _width(dtype)
    return Spec((-(-outputs // width) * _PLACES * inputs * width,), dtype)


def map_weights(w: np.ndarray, u: np.ndarray, inputs: int, outputs: int, reverse: bool) -> Any:
    """The launch that maps weights (taps, inputs, outputs)."""
    tasks = min(2 * kernels.num_threads(), max(1, inputs * outputs // 4096))
    arguments = (flat(w, w), u, inputs, outputs, int(reverse), _width(w.dtype))
    return kernels.launch("winograd_weights", *arguments, tasks=tasks)


def convolve(
    x: np.ndarray,
    gate: np.ndarray | None,
    u: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: np.ndarray,
    slope: int,
    act: int,
    transposed: bool,
) -> Any:
    """The launch of a convolution, or of its transpose, with mapped weights."""
    arrays = (flat(x, x), flat(gate, x), u, flat(bias, x), flat(y, x), geometry)
    codes = (_width(x.dtype), slope, act, int(transposed))
    return kernels.launch("winograd", *arrays, *codes, tasks=4 * kernels.num_threads())


def parts_of(images: int, inputs: int, outputs: int) -> int:
    """Into how many sums the gradient of the weights is cut; it depends on shapes only."""
    most = min(images, _PARTS, _HELD // (_PLACES * inputs * outputs))
    return 1 << max(0, most.bit_length() - 1)  # so that as many threads as usual share them evenly


def weights_grad(
    x: np.ndarray,
    g: np.ndarray,
    y: np.ndarray | None,
    parts: np.ndarray,
    biases: np.ndarray,
    kernel: np.ndarray,
    geometry: np.ndarray,
    slope: int,
) -> list:
    """The launches of the gradient of the weights, and of the sums behind that of the bias."""
    inputs, outputs = kernel.shape[-2:]
    width, threads = _width(x.dtype), kernels.num_threads()
    arguments = (flat(x, x), flat(g, x), flat(y, x), geometry, width, slope, parts, biases)
    units = len(parts) * max(1, -(-threads // len(parts)))
    tasks = min(2 * threads, max(1, inputs * outputs // 4096))
    return [
        kernels.launch("winograd_weights_grad", *arguments, tasks=units),
        kernels.launch(
            "winograd_weights_sum", parts, flat(kernel, x), inputs, outputs, width, tasks=tasks
        ),
    ]
