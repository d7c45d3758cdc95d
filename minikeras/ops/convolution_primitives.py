"""Convolutions as primitives, each with its gradients, for images with their channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from . import elementwise as e
from . import winograd
from .convolution_geometry import Window, flat, geometry_of, tasks_of
from .linalg import ACTIVATION_CODES, activation_grad_bias, column_sum
from .shapes import reshape

_PARTS = 8  # of the sum over images, where the weights are few
_FEW = 1 << 15


def _conv_spec(
    x: Spec, kernel: Spec, bias: Spec | None = None, *, window: Window, activation: str = "linear"
) -> tuple[Spec, ...]:
    """The result, and in Winograd's way the mapped weights."""
    sizes = window.outputs(x.shape[1:-1], kernel.shape[:-2])
    y = Spec((x.shape[0], *sizes, kernel.shape[-1]), x.dtype)
    if winograd.applies(x.shape[0], sizes, kernel, window):
        return y, winograd.mapped(kernel, x.dtype)
    return (y,)


def _with_bias(ins: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Input, kernel, and the bias or None."""
    return (*ins, None)[:3]  # type: ignore[return-value]


def _conv_forward(ins: list, outs: list, window: Window, activation: str = "linear") -> list:
    x, kernel, bias = _with_bias(ins)
    y, *mapped = outs
    geometry = geometry_of(x.shape[0], x.shape[1:-1], y.shape[1:-1], kernel, window)
    act = ACTIVATION_CODES[activation]
    if mapped:
        return [
            winograd.map_weights(kernel, mapped[0], *kernel.shape[-2:], reverse=False),
            winograd.convolve(x, None, mapped[0], bias, y, geometry, 0, act, transposed=False),
        ]
    arguments = (flat(x, y), flat(kernel, y), flat(bias, y), flat(y, y), geometry)
    return [kernels.launch("conv", *arguments, act, tasks=tasks_of(geometry))]


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
    wants_bias = bias is not None and needed[2]
    if needed[1] or wants_bias:
        sizes = tuple(kernel.shape[:-2])
        dk, db = conv_weights_grad(
            x, g, y, sizes=sizes, window=window, slope=activation, biased=wants_bias
        )
    return [dx, dk, db if wants_bias else None][: len(ins)]


def _conv_composite(x: Any, kernel: Any, bias: Any, window: Window, activation: str) -> Any:
    return finish(conv_linear(x, kernel, window=window), bias, activation)


def finish(y: Any, bias: Any, activation: str) -> Any:
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
) -> tuple[Spec, ...]:
    """The gradient, the weights in the order in which they are used, and these mapped."""
    channels = kernel.shape[-2] * window.groups
    dx, turned = Spec((g.shape[0], *sizes, channels), g.dtype), Spec((kernel.size,), g.dtype)
    if winograd.applies(g.shape[0], sizes, kernel, window):
        return dx, turned, winograd.mapped(kernel, g.dtype, turned=True)
    return dx, turned


def _turned_conv(
    g: Any,
    y: Any,
    kernel: Any,
    bias: Any,
    out: Any,
    turned: Any,
    mapped: list,
    window: Window,
    slope: str,
    act: str,
) -> list:
    """The launches of a convolution's transpose."""
    geometry = geometry_of(g.shape[0], out.shape[1:-1], g.shape[1:-1], kernel, window)
    tasks = tasks_of(geometry)
    codes = ACTIVATION_CODES[slope], ACTIVATION_CODES[act]
    turns = max(1, min(tasks, kernel.size // 16384))
    turn = kernels.launch("conv_turn_weights", flat(kernel, g), turned, geometry, tasks=turns)
    if mapped:
        sides = kernel.shape[-1], kernel.shape[-2]
        return [
            turn,
            winograd.map_weights(turned, mapped[0], *sides, reverse=True),
            winograd.convolve(g, y, mapped[0], bias, out, geometry, *codes, transposed=True),
        ]
    arrays = (flat(g, g), flat(y, g), turned, flat(bias, g), flat(out, g))
    return [turn, kernels.launch("conv_input_grad", *arrays, geometry, *codes, tasks=tasks)]


def _input_grad_forward(ins: list, outs: list, sizes: tuple, window: Window, slope: str) -> list:
    g, y, kernel = ins
    out, turned, *mapped = outs
    return _turned_conv(g, y, kernel, None, out, turned, mapped, window, slope, "linear")


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


def parts_of(images: int, weights: int) -> int:
    """Into how many sums the gradient is cut; it depends on shapes only."""
    return max(1, min(images, _PARTS)) if weights <= _FEW else 1


def _weights_grad_spec(
    x: Spec,
    g: Spec,
    y: Spec | None,
    *,
    sizes: tuple,
    window: Window,
    slope: str,
    biased: bool = True,
) -> tuple[Spec, ...]:
    """Gradients of kernel and bias (of size 0: not wanted), and the parts of their sums."""
    filters = g.shape[-1] if biased else 0
    kernel = Spec((*sizes, x.shape[-1] // window.groups, g.shape[-1]), x.dtype)
    if winograd.applies(g.shape[0], g.shape[1:-1], kernel, window):
        parts, numbers = winograd.parts_of(x.shape[0], *kernel.shape[-2:]), None
    else:
        parts, numbers = parts_of(x.shape[0], kernel.size), kernel.size
    held = parts if parts > 1 else 0
    sums = Spec((held, numbers), x.dtype) if numbers is not None else _mapped(parts, kernel)
    return kernel, Spec((filters,), x.dtype), sums, Spec((held, filters), x.dtype)


def _mapped(parts: int, kernel: Spec) -> Spec:
    return Spec((parts, winograd.mapped(kernel, kernel.dtype).size), kernel.dtype)


def _weights_grad_forward(
    ins: list, outs: list, sizes: tuple, window: Window, slope: str, biased: bool = True
) -> list:
    x, g, y = ins
    kernel, bias, parts, biases = outs
    geometry = geometry_of(x.shape[0], x.shape[1:-1], g.shape[1:-1], kernel, window)
    code, of_bias = ACTIVATION_CODES[slope], biases if len(biases) else bias.reshape(1, -1)
    if len(parts) and parts.shape[1] != kernel.size:
        launches = winograd.weights_grad(x, g, y, parts, of_bias, kernel, geometry, code)
    else:
        sums = parts if len(parts) else kernel.reshape(1, -1)
        arguments = (flat(x, x), flat(g, x), flat(y, x), geometry, code, sums, of_bias)
        launches = [kernels.launch("conv_weights_grad", *arguments, tasks=tasks_of(geometry))]
        if len(parts):
            launches.append(kernels.launch("column_sum", parts, kernel.reshape(-1)))
    if len(biases) and biased:
        launches.append(kernels.launch("column_sum", biases, bias))
    return launches


def _weights_grad_pull(
    gg: Any,
    ins: Any,
    outs: Any,
    needed: Any,
    sizes: tuple,
    window: Window,
    slope: str,
    biased: bool = True,
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
    out, turned, *mapped = outs
    return _turned_conv(x, None, kernel, bias, out, turned, mapped, window, "linear", activation)


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
    return finish(linear, bias, activation)


transpose_primitive = Primitive(
    "conv_transpose",
    lambda x, kernel, bias, sizes, window, activation: _input_grad_spec(
        x, None, kernel, sizes=sizes, window=window, slope="linear"
    ),
    _transpose_forward,
    _transpose_pull,
    composite=_transpose_composite,
)
