"""Convolution, relu and pooling in one pass: programs put it in (``program/fusion``)."""

from __future__ import annotations

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from .convolution_geometry import Window, flat, geometry_of, tasks_of


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
