"""Convolutions that keep channels apart, and those made of one and a mixture of channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec
from ..graph.abstract import symbolic
from ..kernels.table import CONV_BOX
from . import elementwise as e
from . import windows
from .convolution import any_conv
from .convolution_geometry import Window, flat, geometry_of, window_over
from .linalg import _floats
from .shapes import concatenate, getitem, repeat, reshape

_PARTS = 8  # of the sums over images that the weights' gradient is
_TAPS = 2048


def _launch(
    kernel: str, arrays: list, images: int, inside: Any, outside: Any, like: Any, window: Window
) -> Any:
    """The launch of a kernel; ``like`` has the shape of the weights, (*sizes, channels)."""
    channels = like.shape[-1]
    weights = Spec((*like.shape[:-1], channels, channels), "float32")
    geometry = geometry_of(images, inside, outside, weights, window)
    return kernels.launch(kernel, *arrays, geometry, tasks=parts(max(a.size for a in arrays), 8192))


def _forward(ins: list, outs: list, window: Window) -> list:
    x, w, bias, y = *ins, outs[0]
    arrays = [flat(a, y) for a in (x, w, bias, y)]
    return [_launch("depthwise", arrays, len(x), x.shape[1:-1], y.shape[1:-1], w, window)]


def _pull(g: Any, ins: Any, outs: Any, needed: Any, window: Window) -> list:
    x, w, bias = ins
    dx = dw = db = None
    if needed[0]:
        dx = _input_grad(g, w, sizes=tuple(x.shape[1:-1]), window=window)
    biased = bias is not None and needed[2]
    if needed[1] or biased:
        dw, db = _weights_grad(x, g, sizes=tuple(w.shape[:-1]), window=window, biased=biased)
    return [dx, dw, db if biased else None]


def _input_forward(ins: list, outs: list, sizes: tuple, window: Window) -> list:
    g, w, dx = *ins, outs[0]
    arrays = [flat(a, g) for a in (g, w, dx)]
    return [_launch("depthwise_input_grad", arrays, len(g), sizes, g.shape[1:-1], w, window)]


def _input_pull(gg: Any, ins: Any, outs: Any, needed: Any, sizes: tuple, window: Window) -> list:
    g, w = ins
    dg = _depthwise(gg, w, None, window=window) if needed[0] else None
    dw = None
    if needed[1]:
        sizes = tuple(w.shape[:-1])
        dw, _ = _weights_grad(gg, g, sizes=sizes, window=window, biased=False)
    return [dg, dw]


def _weights_spec(
    x: Spec, g: Spec, *, sizes: tuple, window: Window, biased: bool
) -> tuple[Spec, ...]:
    """Gradients of weights and bias (of size 0: not wanted), and the parts of their sums."""
    shape = (*sizes, x.shape[-1])
    sums, biases = max(1, min(x.shape[0], _PARTS)), x.shape[-1] if biased else 0
    return (
        Spec(shape, x.dtype), Spec((biases,), x.dtype),
        Spec((sums, math.prod(shape)), x.dtype), Spec((sums, biases), x.dtype),
    )  # fmt: skip


def _weights_forward(ins: list, outs: list, sizes: tuple, window: Window, biased: bool) -> list:
    x, g = ins
    w, bias, sums, biases = outs
    arrays = [flat(x, x), flat(g, x), sums, biases]
    inside, outside = x.shape[1:-1], g.shape[1:-1]
    launches = [
        _launch("depthwise_weights_grad", arrays, len(x), inside, outside, w, window),
        kernels.launch("column_sum", sums, w.reshape(-1)),
    ]
    return [*launches, kernels.launch("column_sum", biases, bias)] if biased else launches


def _weights_pull(
    gg: Any, ins: Any, outs: Any, needed: Any, sizes: tuple, window: Window, biased: bool
) -> list:
    """Of the weights' part, and of the bias's, which is a sum over the pixels."""
    x, g = ins
    dx = dg = None
    if gg[0] is not None:
        if needed[0]:
            dx = _input_grad(g, gg[0], sizes=tuple(x.shape[1:-1]), window=window)
        dg = _depthwise(x, gg[0], None, window=window) if needed[1] else None
    if gg[1] is not None and needed[1]:
        part = e.add(e.multiply(g, 0.0), gg[1])
        dg = part if dg is None else e.add(dg, part)
    return [dx, dg]


_depthwise = Primitive(
    "depthwise",
    lambda x, w, bias, window: Spec(
        (x.shape[0], *window.outputs(x.shape[1:-1], w.shape[:-1]), x.shape[-1]), x.dtype
    ),
    _forward,
    _pull,
)
_input_grad = Primitive(
    "depthwise_input_grad",
    lambda g, w, sizes, window: Spec((g.shape[0], *sizes, g.shape[-1]), g.dtype),
    _input_forward,
    _input_pull,
)
_weights_grad = Primitive(
    "depthwise_weights_grad", _weights_spec, _weights_forward, _weights_pull, outputs=2
)


def _check_kernel(x: Any, kernel: Any, rank: int, owner: str) -> None:
    if len(kernel.shape) != rank + 2 or kernel.shape[-2] != x.shape[-1]:
        raise ValueError(
            f"{owner}: the kernel must have shape (*sizes, channels, multiplier) with the channels "
            f"of the input. Received: shapes {tuple(x.shape)} and {tuple(kernel.shape)}."
        )


def _in_pieces(x: Any, weights: Any, bias: Any, window: Window, owner: str) -> Any:
    """`_depthwise` of so many channels at a time that what one pixel reads fits the kernels."""
    axes = zip(weights.shape[:-1], window.dilation, strict=True)
    reach = math.prod(windows.span(k, d) for k, d in axes)
    channels, most = x.shape[-1], CONV_BOX // (reach * np.dtype(x.dtype).itemsize)
    if most >= channels:
        return _depthwise(x, weights, bias, window=window)
    if not most:
        raise ValueError(
            f"{owner}: the kernel reaches too far. Received: sizes {tuple(weights.shape[:-1])}, "
            f"dilation {window.dilation}."
        )
    cuts = [(..., slice(first, first + most)) for first in range(0, channels, most)]
    pieces = [
        _depthwise(
            getitem(x, c), getitem(weights, c), None if bias is None else getitem(bias, c[1]),
            window=window,
        )
        for c in cuts
    ]  # fmt: skip
    return concatenate(pieces, axis=-1)


@symbolic
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolution of each channel with kernels of its own.

    Args:
        inputs: (batch, *sizes, channels), or (batch, channels, *sizes) for 'channels_first'.
        kernel: (*sizes, channels, multiplier): so many results for each channel, side by side.
        strides, padding, data_format, dilation_rate: As in `conv`.

    Raises:
        ValueError: shapes that do not fit, or an input smaller than the kernel.

    Example:

    >>> import numpy as np
    >>> x = np.float32([[1, 10], [2, 20], [3, 30]])[None]
    >>> depthwise_conv(x, np.ones((2, 2, 1), "float32"))
    array([[[ 3., 30.],
            [ 5., 50.]]], dtype=float32)
    """
    owner = "depthwise_conv"
    padding = windows.padding_of(padding, owner)
    return apart(inputs, kernel, None, strides, padding, data_format, dilation_rate, owner)


@symbolic
def fused_depthwise(
    inputs: Any,
    kernel: Any,
    bias: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation_rate: Any,
) -> Any:
    """`depthwise_conv` with a bias (channels * multiplier,), or None, in the same pass."""
    owner = "depthwise_conv"
    return apart(inputs, kernel, bias, strides, padding, data_format, dilation_rate, owner)


def apart(
    inputs: Any,
    kernel: Any,
    bias: Any,
    strides: Any,
    padding: str,
    order: Any,
    dilation_rate: Any,
    owner: str,
) -> Any:
    """`depthwise_conv` with a bias, or None, and 'causal' padding; `owner` is named in messages."""
    rank = windows.check_rank(inputs, owner)

    def last(x: Any) -> Any:
        _check_kernel(x, kernel, rank, owner)
        *sizes, channels, multiplier = kernel.shape
        window = window_over(x.shape[1:-1], sizes, strides, padding, dilation_rate, owner)
        outputs = window.outputs(x.shape[1:-1], sizes)
        windows.check_fits(inputs.shape, outputs, f"a kernel of size {tuple(sizes)}", owner)
        if np.prod(sizes) > _TAPS:
            raise ValueError(f"{owner}: the kernel has more than {_TAPS} taps. Received: {sizes}.")
        x, weights, *biases = _floats(*[a for a in (x, kernel, bias) if a is not None])
        x = repeat(x, multiplier, -1) if multiplier > 1 else x
        weights = reshape(weights, (*sizes, channels * multiplier))
        return _in_pieces(x, weights, biases[0] if biases else None, window, owner)

    return windows.channels_last(last, inputs, windows.data_format(order, owner))


@symbolic
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """`depthwise_conv`, then a mixture of the channels at each pixel.

    Args:
        inputs: (batch, *sizes, channels), or (batch, channels, *sizes) for 'channels_first'.
        depthwise_kernel: (*sizes, channels, multiplier).
        pointwise_kernel: (*ones, channels * multiplier, filters).
        strides, padding, data_format, dilation_rate: Of the first of them, as in `conv`.

    Example:

    >>> import numpy as np
    >>> x = np.float32([[1, 10], [2, 20], [3, 30]])[None]
    >>> each, mixture = np.ones((2, 2, 1), "float32"), np.ones((1, 2, 1), "float32")
    >>> separable_conv(x, each, mixture)[0, :, 0]
    array([33., 55.], dtype=float32)
    """
    padding = windows.padding_of(padding, "separable_conv")
    x = apart(
        inputs, depthwise_kernel, None, strides, padding, data_format, dilation_rate,
        "separable_conv",
    )  # fmt: skip
    return any_conv(x, pointwise_kernel, None, 1, "valid", data_format, 1, owner="separable_conv")
