"""Winograd's convolution: every class of shape against the twins and against the direct sum."""

import itertools

import numpy as np
import pytest

from minikeras import kernels
from minikeras.kernels import TABLE

from . import checks
from .test_conv import geometry_of, shape

SHAPES = {
    "whole tiles": shape(2, (8, 8), 16, 32, 3, around=1),
    "tiles cut on both axes": shape(3, (9, 13), 5, 33, 3),
    "uneven padding": shape(2, (7, 6), 3, 4, 3, around=[(1, 0), (2, 1)]),
    "smaller than a tile": shape(2, (3, 2), 17, 9, 3, around=2),
    "more tiles than are taken at once": shape(5, (18, 21), 2, 3, 3, around=1),
    "more channels than are summed at once": shape(1, (5, 5), 300, 70, 3, around=1),
    "no image": shape(0, (5, 5), 2, 3, 3),
}


def width(floats: str) -> int:
    return kernels.panel_columns(floats)


def case(name: str, which: str, floats: str, act=0, biased=1, transposed=0, parts=1) -> tuple:
    geometry = geometry_of(*SHAPES[which])
    rng = np.random.default_rng(len(which))
    images, channels, filters = geometry[:3]
    inside = images * geometry[4:7].prod() * channels
    outside = images * geometry[7:10].prod() * filters
    inputs, outputs = (filters, channels) if transposed else (channels, filters)
    source, target = (outside, inside) if transposed else (inside, outside)
    panels = -(-outputs // width(floats))
    mapped = panels * 36 * inputs * width(floats)
    u = rng.normal(0, 1, mapped).reshape(panels, 36, inputs, -1)
    u[-1, ..., outputs - (panels - 1) * width(floats) :] = 0
    known = {
        "x": rng.normal(0, 1, source),
        "gate": rng.normal(0, 0.6, source if transposed and act else 0),
        "u": u.reshape(-1),
        "w": rng.normal(0, 1, 9 * inputs * outputs),
        "bias": rng.normal(0, 1, outputs * biased),
        "y": np.zeros(target),
        "g": rng.normal(0, 1, outside),
        "dw": np.zeros(9 * inputs * outputs),
        "geometry": geometry,
        "act": act,
        "slope": act,
        "transposed": transposed,
        "reverse": transposed,
        "inputs": inputs,
        "outputs": outputs,
        "width": width(floats),
        "parts": np.zeros((parts, mapped)),
        "biases": np.zeros((parts, filters * biased)),
    }
    if name == "winograd_weights":
        known["u"] = np.zeros(mapped)
    if name == "winograd_weights_grad":
        known["y"] = rng.normal(0, 0.6, outside if act else 0)
    if name == "winograd_weights_sum":
        known["parts"] = np.stack([u.reshape(-1)] * parts)
    return tuple(known[argument] for argument in TABLE["winograd"][name])


VARIANTS = {
    "winograd": [{}, {"transposed": 1, "act": 1, "biased": 0}, {"act": 1}],
    "winograd_weights": [{}, {"transposed": 1}],
    "winograd_weights_grad": [{"biased": 0}, {"act": 1, "parts": 2}],
    "winograd_weights_sum": [{}, {"parts": 3}],
}


def size_of(which: str) -> float:
    """About the size of the largest result: the root of the number of products behind it."""
    geometry = geometry_of(*SHAPES[which])
    return 30 * float(geometry[0] * geometry[7:10].prod() + 36 * geometry[1:3].max()) ** 0.5


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("which", SHAPES)
@pytest.mark.parametrize("name", TABLE["winograd"])
def test_kernel_agrees_with_its_twin(name, which, floats):
    for variant in VARIANTS[name]:
        arguments = case(name, which, floats, **variant)
        checks.check(name, floats, arguments, tolerance=8, absolute=size_of(which))


@pytest.mark.parametrize("act", range(4))
@pytest.mark.parametrize(
    ("name", "transposed"), [("winograd", 0), ("winograd", 1), ("winograd_weights_grad", 0)]
)
def test_activations_and_their_slopes(name, transposed, act):
    arguments = case(name, "tiles cut on both axes", "float64", act, transposed=transposed)
    checks.check(name, "float64", arguments, 8, size_of("tiles cut on both axes"))


@pytest.mark.parametrize("which", ["whole tiles", "tiles cut on both axes"])
@pytest.mark.parametrize("name", TABLE["winograd"])
def test_bits_depend_neither_on_tasks_nor_on_threads(name, which):
    before = kernels.num_threads()
    arguments = case(name, which, "float32", parts=2)
    try:
        first = None
        for threads, tasks in itertools.product((1, 2, 3, 8), (1, 2, 3, 8)):
            kernels.set_num_threads(threads)
            out = checks.result(name, checks.cast(name, arguments, "float32"), tasks)
            first = first or {k: a.copy() for k, a in out.items()}
            assert all(checks.same_bits(out[k], first[k]) for k in out)
    finally:
        kernels.set_num_threads(before)
