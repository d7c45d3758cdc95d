"""Convolution, relu and pooling in one pass: programs put it in (``program/fusion``)."""

from __future__ import annotations

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from .convolution_geometry import Window, flat, geometry_of, tasks_of
from .convolution_primitives import parts_of


def _specs(x: Spec, kernel: Spec, bias: Spec | None, window: Window) -> tuple[Spec, Spec]:
    """The largest numbers of windows of 2 x 2, and where they lie."""
    height, width = window.outputs(x.shape[1:-1], kernel.shape[:-2])
    shape = (x.shape[0], height // 2, width // 2, kernel.shape[-1])
    return Spec(shape, x.dtype), Spec(shape, "uint8")


def _forward(ins: list, outs: list, window: Window) -> list:
    x, kernel, bias = ins
    y, index = outs
    sizes = window.outputs(x.shape[1:-1], kernel.shape[:-2])
    geometry = geometry_of(x.shape[0], x.shape[1:-1], sizes, kernel, window)
    arguments = (flat(x, y), flat(kernel, y), flat(bias, y), flat(y, y), index.reshape(-1))
    return [kernels.launch("conv_relu_pool", *arguments, geometry, tasks=tasks_of(geometry))]


conv_relu_pool = Primitive("conv_relu_pool", _specs, _forward)


def _grad_specs(
    x: Spec, g: Spec, index: Spec, *, sizes: tuple, window: Window, biased: bool
) -> tuple[Spec, ...]:
    """Gradients of kernel and bias (of size 0: not wanted), and the parts of their sums."""
    kernel = Spec((*sizes, x.shape[-1] // window.groups, g.shape[-1]), x.dtype)
    filters = g.shape[-1] if biased else 0
    parts = parts_of(x.shape[0], kernel.size)
    held = parts if parts > 1 else 0
    sums = Spec((held, kernel.size), x.dtype), Spec((held, filters), x.dtype)
    return kernel, Spec((filters,), x.dtype), *sums


def _grad(ins: list, outs: list, sizes: tuple, window: Window, biased: bool) -> list:
    x, g, index = ins
    kernel, bias, parts, biases = outs
    outside = window.outputs(x.shape[1:-1], sizes)
    geometry = geometry_of(x.shape[0], x.shape[1:-1], outside, kernel, window)
    held = (parts, biases) if len(parts) else (kernel.reshape(1, -1), bias.reshape(1, -1))
    arguments = (flat(x, x), flat(g, x), index.reshape(-1), geometry, *held)
    launches = [kernels.launch("conv_pool_weights_grad", *arguments, tasks=tasks_of(geometry))]
    if len(parts):
        launches.append(kernels.launch("column_sum", parts, kernel.reshape(-1)))
    if len(biases) and biased:
        launches.append(kernels.launch("column_sum", biases, bias))
    return launches


conv_pool_weights_grad = Primitive("conv_pool_weights_grad", _grad_specs, _grad, outputs=2)
