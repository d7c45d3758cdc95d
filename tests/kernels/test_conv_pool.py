"""Convolution, relu and pooling in one: against the twin, and the kernels that do it one by one."""

import numpy as np
import pytest

from minikeras.kernels import launch, run

from . import checks
from .test_conv import geometry_of, shape

SHAPES = {
    "valid": shape(3, (9, 8), 5, 7, 3),
    "same": shape(2, (8, 8), 3, 33, 5, around=2),
    "small images together": shape(9, (6, 6), 1, 32, 3),
    "cut along the rows": shape(2, (40, 37), 2, 17, 3, around=1),
    "an odd number of rows": shape(2, (29, 30), 1, 8, 3),
    "stride 2": shape(2, (21, 23), 3, 20, (5, 3), 2, around=(2, 1)),
    "groups": shape(2, (6, 7), 8, 12, 3, around=1, groups=4),
    "one window": shape(1, (2, 2), 4, 3, 1),
    "no image": shape(0, (5, 5), 2, 3, 3),
}


def case(kind: str, biased: int) -> tuple:
    geometry = geometry_of(*SHAPES[kind])
    rng = np.random.default_rng(len(kind))
    images, channels, filters, groups = geometry[:4]
    pooled = images * (geometry[8] // 2) * (geometry[9] // 2) * filters
    return (
        rng.normal(0, 1, images * geometry[4:7].prod() * channels),
        rng.normal(0, 1, geometry[10:13].prod() * channels // groups * filters),
        rng.normal(0, 1, filters * biased),
        np.zeros(pooled),
        np.zeros(pooled),
        geometry,
    )


def pooling_of(geometry):
    """Of the convolution's result by 2 x 2."""
    images, filters, inside = geometry[0], geometry[2], geometry[7:10]
    sizes, ones, none = (1, 2, 2), (1, 1, 1), (0, 0, 0)
    return geometry_of(images, filters, filters, 1, inside, sizes, sizes, ones, none, none)


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("biased", [0, 1])
@pytest.mark.parametrize("kind", SHAPES)
def test_kernel_agrees_with_its_twin(kind, biased, floats):
    checks.check("conv_relu_pool", floats, case(kind, biased), 8.0, 8.0)


def gradient_case(kind: str, biased: int, parts: int) -> tuple:
    x, w, _, y, _, geometry = case(kind, biased)
    rng = np.random.default_rng(len(kind))
    index = rng.choice([0, 1, 2, 3, 255], y.size)
    filters = int(geometry[2])
    sums = np.zeros((parts, w.size)), np.zeros((parts, filters * biased))
    return (x, rng.normal(0, 1, y.size), index, geometry, *sums)


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize(("biased", "parts"), [(0, 1), (1, 3)])
@pytest.mark.parametrize("kind", SHAPES)
def test_gradient_agrees_with_its_twin(kind, biased, parts, floats):
    checks.check("conv_pool_weights_grad", floats, gradient_case(kind, biased, parts), 16.0, 16.0)


@pytest.mark.parametrize("kind", SHAPES)
def test_bits_are_those_of_the_kernels_one_by_one(kind):
    x, w, bias, y, index, geometry = checks.cast("conv_relu_pool", case(kind, 1), "float32")
    x[5::97] = np.nan
    run([launch("conv_relu_pool", x, w, bias, y, index, geometry)])
    whole = np.empty(geometry[0] * geometry[2] * geometry[7:10].prod(), np.float32)
    best, taps = np.empty_like(y), np.empty_like(index)
    run(
        [
            launch("conv", x, w, bias, whole, geometry, 1),
            launch("max_pool", whole, best, taps, pooling_of(geometry), 1),
        ]
    )
    assert y.tobytes() == best.tobytes()
    assert index.tobytes() == taps.tobytes()


@pytest.mark.parametrize("kind", SHAPES)
def test_gradients_bits_are_those_of_the_kernels_one_by_one(kind):
    name = "conv_pool_weights_grad"
    x, g, index, geometry, parts, biases = checks.cast(name, gradient_case(kind, 1, 2), "float32")
    run([launch(name, x, g, index, geometry, parts, biases)])
    whole = np.empty(geometry[0] * geometry[2] * geometry[7:10].prod(), np.float32)
    others = np.empty_like(parts), np.empty_like(biases)
    none = np.empty(0, np.float32)
    run(
        [
            launch("max_pool_grad", g, index, whole, pooling_of(geometry)),
            launch("conv_weights_grad", x, whole, none, geometry, 0, *others),
        ]
    )
    assert parts.tobytes() == others[0].tobytes()
    assert biases.tobytes() == others[1].tobytes()
