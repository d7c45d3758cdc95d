"""Convolutions: `conv` and `conv_transpose`, and with groups of one channel `depthwise_conv`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from ..core.validate import one_of
from ..graph.abstract import symbolic
from ..kernels.table import CONV_BOX, CONV_OFFSETS
from . import elementwise as e
from . import windows
from .linalg import (
    ACTIVATION_CODES,
    NO_BIAS,
    _floats,
    activation_grad_bias,
    column_sum,
    dense,
    matmul,
)
from .shapes import concatenate, getitem, pad, reshape

_PARTS = 8  # of the sum over images, where the weights are few
_FEW = 1 << 15


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


def _geometry(
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


def _fits(kernel: Any, window: Window) -> bool:
    """Whether the kernels can take what one pixel of the result reads at once."""
    *sizes, channels, filters = kernel.shape
    reach = math.prod(windows.span(k, d) for k, d in zip(sizes, window.dilation, strict=True))
    most = max(channels * window.groups, filters)
    numbers = math.prod(sizes) * max(channels, filters // window.groups)
    width = np.dtype(kernel.dtype).itemsize
    return reach * most * width <= CONV_BOX and numbers <= CONV_OFFSETS


def _tasks(geometry: np.ndarray) -> int:
    pixels = int(geometry[0] * geometry[7:10].prod())
    depth = int(geometry[10:13].prod() * geometry[1] // geometry[3])
    return kernels.gemm_tasks(pixels, int(geometry[2]), depth, kernels.num_threads())


def _flat(x: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    return NO_BIAS[like.dtype.name] if x is None else x.reshape(-1)


# ------------------------------------------------------------------ primitives


def _conv_spec(
    x: Spec, kernel: Spec, bias: Spec | None = None, *, window: Window, activation: str = "linear"
) -> Spec:
    sizes = window.outputs(x.shape[1:-1], kernel.shape[:-2])
    return Spec((x.shape[0], *sizes, kernel.shape[-1]), x.dtype)


def _with_bias(ins: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Input, kernel, and the bias or None."""
    return (*ins, None)[:3]  # type: ignore[return-value]


def _conv_forward(ins: list, outs: list, window: Window, activation: str = "linear") -> list:
    x, kernel, bias = _with_bias(ins)
    y = outs[0]
    geometry = _geometry(x.shape[0], x.shape[1:-1], y.shape[1:-1], kernel, window)
    arguments = (_flat(x, y), _flat(kernel, y), _flat(bias, y), _flat(y, y), geometry)
    act = ACTIVATION_CODES[activation]
    return [kernels.launch("conv", *arguments, act, tasks=_tasks(geometry))]


def _conv_pull(
    g: Any, ins: Any, outs: Any, needed: Any, window: Window, activation: str = "linear"
) -> list:
    x, kernel, bias = _with_bias(ins)
    y = None if activation == "linear" else outs[0]
    dx = dk = db = None
    if needed[0]:
        dx = conv_input_grad(
            g, y, kernel, sizes=tuple(x.shape[1:-1]), window=window, slope=activation
        )
    if needed[1] or (bias is not None and needed[2]):
        sizes = tuple(kernel.shape[:-2])
        dk, db = conv_weights_grad(x, g, y, sizes=sizes, window=window, slope=activation)
    return [dx, dk, db][: len(ins)]


def _conv_composite(x: Any, kernel: Any, bias: Any, window: Window, activation: str) -> Any:
    return _finish(conv_linear(x, kernel, window=window), bias, activation)


def _finish(y: Any, bias: Any, activation: str) -> Any:
    """Bias and activation as operations of their own."""
    y = y if bias is None else e.add(y, bias)
    if activation == "linear":
        return y
    return _activated(y, activation)


def _activated(y: Any, activation: str) -> Any:
    if activation == "relu":
        return e.where(e.less_equal(y, 0.0), 0.0, y)
    positive = e.reciprocal(
        e.add(e.exp(e.multiply(y, -2.0 if activation == "tanh" else -1.0)), 1.0)
    )
    return e.subtract(e.multiply(positive, 2.0), 1.0) if activation == "tanh" else positive


def _input_grad_spec(
    g: Spec, y: Spec | None, kernel: Spec, *, sizes: tuple, window: Window, slope: str
) -> tuple[Spec, Spec]:
    """The gradient, and the weights in the order in which they are used."""
    channels = kernel.shape[-2] * window.groups
    return Spec((g.shape[0], *sizes, channels), g.dtype), Spec((kernel.size,), g.dtype)


def _turned_conv(
    g: Any,
    y: Any,
    kernel: Any,
    bias: Any,
    out: Any,
    turned: Any,
    window: Window,
    slope: str,
    act: str,
) -> list:
    """The launches of a convolution's transpose."""
    geometry = _geometry(g.shape[0], out.shape[1:-1], g.shape[1:-1], kernel, window)
    tasks = _tasks(geometry)
    codes = ACTIVATION_CODES[slope], ACTIVATION_CODES[act]
    arrays = (_flat(g, g), _flat(y, g), turned, _flat(bias, g), _flat(out, g))
    turns = max(1, min(tasks, kernel.size // 16384))
    return [
        kernels.launch("conv_turn_weights", _flat(kernel, g), turned, geometry, tasks=turns),
        kernels.launch("conv_input_grad", *arrays, geometry, *codes, tasks=tasks),
    ]


def _input_grad_forward(ins: list, outs: list, sizes: tuple, window: Window, slope: str) -> list:
    g, y, kernel = ins
    out, turned = outs
    return _turned_conv(g, y, kernel, None, out, turned, window, slope, "linear")


def _input_grad_pull(
    gg: Any, ins: Any, outs: Any, needed: Any, sizes: tuple, window: Window, slope: str
) -> list:
    """Of the linear one only: gradients of gradients go through composites, which have no slope."""
    g, _, kernel = ins
    dg = conv_linear(gg, kernel, window=window) if needed[0] else None
    dk = None
    if needed[2]:
        shape = tuple(kernel.shape[:-2])
        dk, _ = conv_weights_grad(gg, g, None, sizes=shape, window=window, slope="linear")
    return [dg, None, dk]


def _parts(images: int, weights: int) -> int:
    """Into how many sums the gradient is cut; it depends on shapes only."""
    return max(1, min(images, _PARTS)) if weights <= _FEW else 1


def _weights_grad_spec(
    x: Spec, g: Spec, y: Spec | None, *, sizes: tuple, window: Window, slope: str
) -> tuple[Spec, ...]:
    """Gradients of kernel and bias, and the parts of the sums that they are."""
    filters = g.shape[-1]
    shape = (*sizes, x.shape[-1] // window.groups, filters)
    parts = _parts(x.shape[0], math.prod(shape))
    held = parts if parts > 1 else 0
    return (
        Spec(shape, x.dtype), Spec((filters,), x.dtype),
        Spec((held, math.prod(shape)), x.dtype), Spec((held, filters), x.dtype),
    )  # fmt: skip


def _weights_grad_forward(ins: list, outs: list, sizes: tuple, window: Window, slope: str) -> list:
    x, g, y = ins
    kernel, bias, parts, biases = outs
    geometry = _geometry(x.shape[0], x.shape[1:-1], g.shape[1:-1], kernel, window)
    whole = not len(parts)
    sums = (kernel.reshape(1, -1), bias.reshape(1, -1)) if whole else (parts, biases)
    arguments = (_flat(x, x), _flat(g, x), _flat(y, x), geometry, ACTIVATION_CODES[slope])
    launches = [kernels.launch("conv_weights_grad", *arguments, *sums, tasks=_tasks(geometry))]
    if not whole:
        launches += [
            kernels.launch("column_sum", parts, kernel.reshape(-1)),
            kernels.launch("column_sum", biases, bias),
        ]
    return launches


def _weights_grad_pull(
    gg: Any, ins: Any, outs: Any, needed: Any, sizes: tuple, window: Window, slope: str
) -> list:
    """Of the linear one only, as `_input_grad_pull`."""
    x, g, _ = ins
    dx = dg = None
    if gg[0] is not None:
        if needed[0]:
            shape = tuple(x.shape[1:-1])
            dx = conv_input_grad(g, None, gg[0], sizes=shape, window=window, slope="linear")
        dg = conv_linear(x, gg[0], window=window) if needed[1] else None
    if gg[1] is not None and needed[1]:
        part = e.add(e.multiply(g, 0.0), gg[1])
        dg = part if dg is None else e.add(dg, part)
    return [dx, dg, None]


conv_linear = Primitive("conv_linear", _conv_spec, _conv_forward, _conv_pull)
conv_primitive = Primitive("conv", _conv_spec, _conv_forward, _conv_pull, composite=_conv_composite)
conv_input_grad = Primitive(
    "conv_input_grad", _input_grad_spec, _input_grad_forward, _input_grad_pull
)
conv_weights_grad = Primitive(
    "conv_weights_grad", _weights_grad_spec, _weights_grad_forward, _weights_grad_pull, outputs=2
)


def _transpose_forward(
    ins: list, outs: list, sizes: tuple, window: Window, activation: str
) -> list:
    x, kernel, bias = ins
    out, turned = outs
    return _turned_conv(x, None, kernel, bias, out, turned, window, "linear", activation)


def _transpose_pull(
    g: Any, ins: Any, outs: Any, needed: Any, sizes: tuple, window: Window, activation: str
) -> list:
    x, kernel, bias = ins
    dz, db = g, None
    if activation != "linear" or bias is not None:
        rows = [reshape(a, (-1, a.shape[-1])) for a in (g, outs[0])]
        if activation == "linear":
            db = column_sum(rows[0])
        else:
            dz, db = activation_grad_bias(*rows, activation=activation)
            dz = reshape(dz, tuple(g.shape))
    dx = conv_linear(dz, kernel, window=window) if needed[0] else None
    dk = None
    if needed[1]:
        shape = tuple(kernel.shape[:-2])
        dk, _ = conv_weights_grad(dz, x, None, sizes=shape, window=window, slope="linear")
    return [dx, dk, None if bias is None else db]


def _transpose_composite(
    x: Any, kernel: Any, bias: Any, sizes: tuple, window: Window, activation: str
) -> Any:
    linear = conv_input_grad(x, None, kernel, sizes=sizes, window=window, slope="linear")
    return _finish(linear, bias, activation)


transpose_primitive = Primitive(
    "conv_transpose",
    lambda x, kernel, bias, sizes, window, activation: _input_grad_spec(
        x, None, kernel, sizes=sizes, window=window, slope="linear"
    ),
    _transpose_forward,
    _transpose_pull,
    composite=_transpose_composite,
)


# ------------------------------------------------------------------ functions


def _check(x: Any, kernel: Any, rank: int, owner: str) -> int:
    """The number of groups that the channels of the kernel leave."""
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


def _window(
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Any,
    padding: str,
    dilation: Any,
    owner: str,
) -> Window:
    rank = len(sizes)
    strides = windows.numbers(strides, rank, "strides", owner)
    dilation = windows.numbers(dilation, rank, "dilation_rate", owner)
    if max(strides) > 1 and max(dilation) > 1:
        raise ValueError(
            f"{owner}: strides and dilation_rate cannot both be above 1. "
            f"Received: strides={strides}, dilation_rate={dilation}."
        )
    axes = zip(sizes, kernel, strides, dilation, strict=True)
    around = [windows.pads(n, k, s, padding, d) for n, k, s, d in axes]
    before, after = zip(*around, strict=True)
    return Window(strides, dilation, before, after)


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
    flat = max(*sizes, *window.strides, window.groups) == 1 and not any(
        (*window.before, *window.after)
    )
    if flat:  # a product for each pixel
        return dense(x, reshape(kernel, (channels, filters)), bias, activation)
    if not _fits(kernel, window):
        return _finish(_by_taps(x, kernel, window), bias, activation)
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
        dilation_rate: Distance of the pixels under the kernel; above 1 only with stride 1.

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
    one_of(padding, ("valid", "same"), "padding", "conv")
    return _conv(inputs, kernel, None, strides, padding, data_format, dilation_rate)


def _conv(
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
        groups = _check(x, kernel, rank, owner)
        sizes = kernel.shape[:-2]
        window = _window(x.shape[1:-1], sizes, strides, padding, dilation_rate, owner)
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
    return _conv(
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
    one_of(padding, ("valid", "same"), "padding", "conv_transpose")
    return fused_transpose(
        inputs, kernel, None, strides, padding, output_padding, data_format, dilation_rate,
        "linear", "conv_transpose",
    )  # fmt: skip


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
    if not _fits(kernel, window):
        raise ValueError(
            "The kernel of a transposed convolution is too large. "
            f"Received: shape {tuple(kernel.shape)}, dilation {window.dilation}."
        )
    return transpose_primitive(
        x, kernel, bias, sizes=tuple(sizes), window=window, activation=activation
    )
