"""Convolutions: `conv` and `conv_transpose`, also with bias and activation in the same pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.abstract import symbolic
from . import elementwise as e
from . import windows
from .convolution_geometry import (
    Window,
    check_output_padding,
    fits,
    groups_of,
    transpose_lengths,
    window_over,
)
from .convolution_primitives import conv_primitive, finish, transpose_primitive
from .linalg import _floats, dense, matmul
from .shapes import concatenate, getitem, pad, reshape


def _by_taps(x: Any, kernel: Any, window: Window) -> Any:
    """A convolution as a sum over the taps of the kernel, for any size."""
    *sizes, of_group, filters = kernel.shape
    outputs = window.outputs(x.shape[1:-1], sizes)
    around = [(0, 0), *zip(window.before, window.after, strict=True), (0, 0)]
    x = pad(x, around)
    each = filters // window.groups
    groups = []
    for group in range(window.groups):
        total = None
        for tap in np.ndindex(*sizes):
            axes = zip(tap, window.dilation, window.strides, outputs, strict=True)
            read = tuple(slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, s, n in axes)
            channels = slice(group * of_group, (group + 1) * of_group)
            weights = getitem(kernel, (*tap, slice(None), slice(group * each, (group + 1) * each)))
            part = matmul(getitem(x, (slice(None), *read, channels)), weights)
            total = part if total is None else e.add(total, part)
        groups.append(total)
    return groups[0] if len(groups) == 1 else concatenate(groups, axis=-1)


def convolve(x: Any, kernel: Any, bias: Any, window: Window, activation: str = "linear") -> Any:
    """``activation(conv(x, kernel) + bias)`` of images with their channels last, in one pass.

    Args:
        x: (batch, *sizes, channels).
        kernel: (*sizes, channels of a group, filters).
        bias: (filters,) or None.
        window: Strides and the rest.
        activation: 'linear', 'relu', 'sigmoid' or 'tanh'.
    """
    given = _floats(*[a for a in (x, kernel, bias) if a is not None])
    x, kernel, bias = (*given, None)[:3]
    *sizes, channels, filters = kernel.shape
    alone = max(*sizes, *window.strides, window.groups) == 1 and not any(
        (*window.before, *window.after)
    )
    if alone:  # a product for each pixel
        return dense(x, reshape(kernel, (channels, filters)), bias, activation)
    if not fits(kernel, window):
        return finish(_by_taps(x, kernel, window), bias, activation)
    return conv_primitive(x, kernel, bias, window=window, activation=activation)


@symbolic
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolution (cross-correlation) over 1 to 3 axes; without a flip, as usual in networks.

    Args:
        inputs: (batch, *sizes, channels), or (batch, channels, *sizes) for 'channels_first'.
        kernel: (*sizes, channels, filters); with a divisor of the channels, groups of channels are
            convolved each with its share of the filters.
        strides: Step of the kernel, one number or one for each axis.
        padding: 'valid': only where the kernel lies within; 'same': zeros around, so that with
            stride 1 sizes stay.
        data_format: 'channels_last' or 'channels_first'; by default as configured.
        dilation_rate: Distance of the pixels under the kernel.

    Raises:
        ValueError: shapes that do not fit, or an input smaller than the kernel.

    Example:

    >>> import numpy as np
    >>> image = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    >>> conv(image, np.ones((2, 2, 1, 1), "float32"))[0, :, :, 0]
    array([[10., 14., 18.],
           [26., 30., 34.],
           [42., 46., 50.]], dtype=float32)
    """
    padding = windows.padding_of(padding, "conv")
    return any_conv(inputs, kernel, None, strides, padding, data_format, dilation_rate)


def any_conv(
    inputs: Any,
    kernel: Any,
    bias: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation_rate: Any,
    activation: str = "linear",
    owner: str = "conv",
) -> Any:
    rank = windows.check_rank(inputs, owner)

    def last(x: Any) -> Any:
        groups = groups_of(x, kernel, rank, owner)
        sizes = kernel.shape[:-2]
        window = window_over(x.shape[1:-1], sizes, strides, padding, dilation_rate, owner)
        window = window._replace(groups=groups)
        outputs = window.outputs(x.shape[1:-1], sizes)
        windows.check_fits(inputs.shape, outputs, f"a kernel of size {tuple(sizes)}", owner)
        return convolve(x, kernel, bias, window, activation)

    return windows.channels_last(last, inputs, windows.data_format(data_format, owner))


@symbolic
def fused_conv(
    inputs: Any,
    kernel: Any,
    bias: Any,
    strides: Any,
    padding: str,
    data_format: str,
    dilation_rate: Any,
    activation: str,
    owner: str,
) -> Any:
    """`conv` with bias and activation in the same pass, and 'causal' padding (zeros before only).

    Args:
        bias: (filters,) or None.
        activation: 'linear', 'relu', 'sigmoid' or 'tanh'.
        owner: Who is named in messages.
    """
    return any_conv(
        inputs, kernel, bias, strides, padding, data_format, dilation_rate, activation, owner
    )


@symbolic
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """The transpose of `conv`, as its gradient for the input is: sizes grow by the strides.

    Args:
        inputs: (batch, *sizes, channels), or (batch, channels, *sizes) for 'channels_first'.
        kernel: (*sizes, filters, channels).
        strides: How far apart the pixels of the input come to lie.
        padding: Of the convolution that this is the transpose of.
        output_padding: How many pixels the result has more along an axis than it must have; by
            default 'same' multiplies sizes by the strides.
        data_format: 'channels_last' or 'channels_first'; by default as configured.
        dilation_rate: Distance of the pixels that a pixel contributes to.

    Raises:
        ValueError: shapes that do not fit.

    Example:

    >>> import numpy as np
    >>> x = np.float32([1, 2, 3]).reshape(1, 3, 1)
    >>> conv_transpose(x, np.ones((2, 1, 1), "float32"), 2)[0, :, 0]
    array([1., 1., 2., 2., 3., 3.], dtype=float32)
    """
    padding = windows.padding_of(padding, "conv_transpose")
    return fused_transpose(
        inputs, kernel, None, strides, padding, output_padding, data_format, dilation_rate,
        "linear", "conv_transpose",
    )  # fmt: skip


@symbolic
def fused_transpose(
    inputs: Any,
    kernel: Any,
    bias: Any,
    strides: Any,
    padding: str,
    output_padding: Any,
    data_format: str | None,
    dilation_rate: Any,
    activation: str,
    owner: str,
) -> Any:
    """`conv_transpose` with bias (filters,) or None, and activation, in the same pass."""
    rank = windows.check_rank(inputs, owner)
    strides = windows.numbers(strides, rank, "strides", owner)
    dilation = windows.numbers(dilation_rate, rank, "dilation_rate", owner)
    more = check_output_padding(output_padding, strides, rank, owner)

    def last(x: Any) -> Any:
        if len(kernel.shape) != rank + 2 or kernel.shape[-1] != x.shape[-1]:
            raise ValueError(
                f"{owner}: the last dimension of the kernel must be the channels of the input. "
                f"Received: shapes {tuple(x.shape)} and {tuple(kernel.shape)}."
            )
        taps = tuple(kernel.shape[:-2])
        sizes = transpose_lengths(x.shape[1:-1], taps, strides, padding, more, dilation)
        windows.check_fits(inputs.shape, sizes, f"a kernel of size {taps}", owner)
        axes = zip(x.shape[1:-1], sizes, taps, strides, dilation, strict=True)
        around = [(n - 1) * s + windows.span(k, d) - size for n, size, k, s, d in axes]
        before = tuple(max(a, 0) // 2 if padding == "same" else 0 for a in around)
        after = tuple(a - b for a, b in zip(around, before, strict=True))
        return transposed(
            x, kernel, bias, sizes, Window(strides, dilation, before, after), activation
        )

    return windows.channels_last(last, inputs, windows.data_format(data_format, owner))


def transposed(
    x: Any, kernel: Any, bias: Any, sizes: tuple, window: Window, activation: str = "linear"
) -> Any:
    """The transpose of the convolution of images of some sizes, their channels last."""
    given = _floats(*[a for a in (x, kernel, bias) if a is not None])
    x, kernel, bias = (*given, None)[:3]
    if not fits(kernel, window):
        raise ValueError(
            "The kernel of a transposed convolution is too large. "
            f"Received: shape {tuple(kernel.shape)}, dilation {window.dilation}."
        )
    return transpose_primitive(
        x, kernel, bias, sizes=tuple(sizes), window=window, activation=activation
    )
