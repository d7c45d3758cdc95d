"""Convolutions: every class of shape against the twins, and the promises about bits."""

import itertools

import numpy as np
import pytest

from minikeras import kernels
from minikeras.kernels import TABLE, table

from . import checks


def shape(images, sizes, channels, filters, kernel, strides=1, dilation=1, around=0, groups=1):
    """Numbers of an axis stand for all; `around` is (before, after) or both; axes as given."""
    rank = len(sizes)

    def each(value):
        return (value,) * rank if isinstance(value, int) else value

    around = around if isinstance(around, list) else [around, around]
    axes = [sizes, *map(each, (kernel, strides, dilation, *around))]
    missing = [1, 1, 1, 1, 0, 0]
    full = [(m,) * (3 - rank) + tuple(a) for m, a in zip(missing, axes, strict=True)]
    return images, channels, filters, groups, *full


SHAPES = {
    "image without padding": shape(3, (9, 8), 5, 7, 3),
    "same": shape(2, (8, 8), 16, 33, 3, around=1),
    "one channel": shape(9, (14, 14), 1, 32, 3),
    "stride 2": shape(2, (11, 9), 3, 20, (5, 3), 2, around=(2, 1)),
    "stride wider than kernel": shape(2, (9, 10), 4, 5, (1, 2), 3),
    "dilation": shape(1, (13, 12), 6, 40, 3, dilation=(2, 3), around=(2, 3)),
    "uneven padding": shape(2, (7, 6), 3, 4, (4, 2), (2, 1), around=[(1, 0), (2, 1)]),
    "groups": shape(2, (6, 7), 8, 12, 3, (1, 2), around=1, groups=4),
    "sequence": shape(3, (40,), 12, 18, 5, around=[(4,), (0,)]),
    "volume": shape(2, (5, 6, 7), 3, 9, (2, 3, 3), (1, 2, 1), around=[(0, 1, 1), (1, 1, 1)]),
    "many channels": shape(2, (5, 5), 70, 300, 3, around=1),
    "an image of several blocks": shape(1, (40, 37), 2, 3, 3, around=1),
    "cut on both axes": shape(1, (3, 700), 2, 3, 2, around=[(0, 0), (1, 1)]),
    "no image": shape(0, (5, 5), 2, 3, 3),
    "one pixel under the kernel": shape(7, (5, 6), 17, 5, 1),
    "one pixel, groups": shape(2, (3, 4), 20, 8, 1, 2, groups=4),
    "seven wide, stride 2": shape(1, (15, 14), 3, 17, 7, 2, around=[(2, 2), (3, 3)]),
    "five wide, 100 channels": shape(1, (7, 6), 100, 5, 5, around=2),
    "groups of one channel": shape(2, (5, 6), 5, 10, 3, around=1, groups=5),
    "groups and dilation": shape(1, (9, 8), 8, 12, 2, dilation=3, groups=4),
    "a kernel as large as the image": shape(3, (5, 4), 3, 17, (5, 4)),
    "a kernel larger than the image": shape(2, (2, 3), 3, 4, 5, around=[(2, 2), (3, 3)]),
    "a row": shape(50, (1, 9), 5, 1, (1, 7), around=[(0, 3), (0, 3)]),
    "dilated causal sequence": shape(7, (11,), 5, 3, 4, dilation=3, around=[(9,), (0,)]),
    "dilated volume": shape(1, (4, 5, 6), 2, 3, 2, dilation=2, around=1),
}


def geometry_of(images, channels, filters, groups, sizes, kernel, strides, dilation, before, after):
    axes = zip(sizes, kernel, strides, dilation, before, after, strict=True)
    out = [(n + b + a - (k - 1) * d - 1) // s + 1 for n, k, s, d, b, a in axes]
    numbers = [images, channels, filters, groups]
    return np.array([*numbers, *sizes, *out, *kernel, *strides, *dilation, *before], np.int64)


def case(name: str, shape: str, act: int = 0, biased: int = 1, parts: int = 1) -> tuple:
    given = SHAPES[shape]
    geometry = geometry_of(*given)
    rng = np.random.default_rng(len(shape))
    images, channels, filters, groups = geometry[:4]
    inside = images * geometry[4:7].prod() * channels
    outside = images * geometry[7:10].prod() * filters
    weights = geometry[10:13].prod() * channels // groups * filters
    backward = name == "conv_input_grad"
    known = {
        "x": rng.normal(0, 1, inside),
        "w": rng.normal(0, 1, weights),
        "turned": np.zeros(weights),
        "bias": rng.normal(0, 1, (channels if backward else filters) * biased),
        "y": rng.normal(0, 0.6, outside if act else 0),
        "g": rng.normal(0, 1, outside),
        "dx": np.zeros(inside),
        "geometry": geometry,
        "act": act,
        "slope": act,
        "parts": np.zeros((parts, weights)),
        "biases": np.zeros((parts, filters * biased)),
    }
    if name == "conv":
        known["y"] = np.zeros(outside)
    return tuple(known[argument] for argument in TABLE["conv"][name])


def summed(name: str, shape: str) -> float:
    """About the size of the result: the root of the number of products behind it."""
    geometry = geometry_of(*SHAPES[shape])
    if name == "conv_weights_grad":
        return float(geometry[0] * geometry[7:10].prod() + 1) ** 0.5
    return float(geometry[10:13].prod() * max(geometry[1:3])) ** 0.5


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", TABLE["conv"])
def test_kernel_agrees_with_its_twin(name, shape, floats):
    variants = {"conv_turn_weights": [(0, 1, 1)], "conv_weights_grad": [(0, 1, 1), (1, 0, 2)]}
    for act, biased, parts in variants.get(name, [(0, 0, 1), (1, 1, 1)]):
        arguments = case(name, shape, act, biased, parts)
        checks.check(name, floats, arguments, tolerance=8, absolute=summed(name, shape))


@pytest.mark.parametrize("act", range(4))
@pytest.mark.parametrize("name", ["conv", "conv_input_grad", "conv_weights_grad"])
def test_activations_and_their_slopes(name, act):
    checks.check(name, "float64", case(name, "same", act), 8, summed(name, "same"))


@pytest.mark.parametrize("shape", ["same", "stride 2", "groups", "one channel"])
@pytest.mark.parametrize("name", TABLE["conv"])
def test_bits_depend_neither_on_tasks_nor_on_threads(name, shape):
    before = kernels.num_threads()
    arguments = case(name, shape)
    try:
        first = None
        for threads, tasks in itertools.product((1, 2, 3, 8), (1, 2, 3, 8)):
            kernels.set_num_threads(threads)
            out = checks.result(name, checks.cast(name, arguments, "float32"), tasks)
            first = first or {k: a.copy() for k, a in out.items()}
            assert all(checks.same_bits(out[k], first[k]) for k in out)
    finally:
        kernels.set_num_threads(before)


def test_nan_reaches_the_pixels_that_read_it_and_no_others():
    x, *rest = case("conv", "same", act=1, biased=0)
    x = x.reshape(2, 8, 8, 16)
    x[1, 4, 4, 3] = np.nan
    bound = checks.cast("conv", (x.reshape(-1), *rest), "float32")
    kernels.run([kernels.launch("conv", *bound)])
    hit = np.isnan(bound[3].reshape(2, 8, 8, 33)).all(-1)
    wanted = np.zeros((2, 8, 8), bool)
    wanted[1, 3:6, 3:6] = True
    assert (hit == wanted).all()
    assert not np.isnan(bound[3].reshape(2, 8, 8, 33)[~wanted]).any()


def test_geometry_has_a_number_for_each_name():
    assert table.CONV_PAD + 3 == len(geometry_of(*SHAPES["same"])) == 22
