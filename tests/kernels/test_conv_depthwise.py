"""Convolutions of single channels against the twins."""

import numpy as np
import pytest

import minikeras as keras
from minikeras.kernels import TABLE

from . import checks
from .test_conv import geometry_of, shape

SHAPES = {
    "same": shape(3, (8, 7), 33, 33, 3, around=1),
    "stride 2": shape(2, (9, 11), 5, 5, (3, 2), 2, around=[(1, 0), (1, 1)]),
    "dilation": shape(2, (9, 10), 16, 16, 3, dilation=(2, 3), around=(2, 3)),
    "sequence": shape(3, (20,), 7, 7, 5, around=[(4,), (0,)]),
    "many channels": shape(9, (4, 5), 200, 200, 3),
    "no image": shape(0, (5, 5), 3, 3, 3),
    "one channel": shape(7, (6, 5), 1, 1, 3, around=1),
    "five wide, stride 3": shape(1, (11, 12), 17, 17, 5, 3, around=[(1, 2), (2, 2)]),
    "stride wider than the kernel": shape(2, (9, 10), 5, 5, 2, 3),
    "one pixel under the kernel": shape(2, (5, 4), 100, 100, 1),
    "a kernel larger than the image": shape(2, (2, 3), 3, 3, 5, around=2),
    "volume": shape(1, (4, 5, 6), 7, 7, (2, 3, 1), (1, 2, 1), around=[(0, 1, 0), (1, 1, 0)]),
}


def case(name: str, kind: str, parts: int, biased: int) -> tuple:
    geometry = geometry_of(*SHAPES[kind])
    rng = np.random.default_rng(len(kind))
    inside = geometry[0] * geometry[4:7].prod() * geometry[1]
    outside = geometry[0] * geometry[7:10].prod() * geometry[1]
    weights = geometry[10:13].prod() * geometry[1]
    known = {
        "x": rng.normal(0, 1, inside),
        "w": rng.normal(0, 1, weights),
        "bias": rng.normal(0, 1, geometry[1] * biased),
        "y": np.zeros(outside),
        "g": rng.normal(0, 1, outside),
        "dx": np.zeros(inside),
        "parts": np.zeros((parts, weights)),
        "biases": np.zeros((parts, geometry[1] * biased)),
        "geometry": geometry,
    }
    return tuple(known[argument] for argument in TABLE["conv_depthwise"][name])


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("name", TABLE["conv_depthwise"])
def test_kernel_agrees_with_its_twin(name, kind, floats):
    for parts, biased in ((1, 0), (3, 1)):
        checks.check(name, floats, case(name, kind, parts, biased), tolerance=8, absolute=10)


def test_taps_that_reach_far_are_taken_for_a_few_channels_at_a_time():
    x = np.random.default_rng(0).normal(0, 1, (1, 90, 90, 40)).astype("float64")
    kernel = np.random.default_rng(1).normal(0, 1, (3, 3, 40, 1))
    whole = np.asarray(keras.ops.depthwise_conv(x, kernel, padding="same", dilation_rate=44))
    each = [
        keras.ops.depthwise_conv(x[..., c : c + 1], kernel[..., c : c + 1, :], 1, "same", None, 44)
        for c in range(40)
    ]
    np.testing.assert_allclose(whole, np.concatenate(each, -1), atol=1e-12)
