"""Pooling: every class of windows against the twins."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks
from .test_conv import geometry_of, shape

SHAPES = {
    "two by two": shape(3, (8, 6), 5, 5, 2, 2),
    "two by two, a rest": shape(2, (9, 7), 33, 33, 2, 2),
    "overlapping": shape(2, (9, 9), 17, 17, 3, 2),
    "same": shape(2, (7, 8), 3, 3, 3, 2, around=[(1, 0), (1, 1)]),
    "gaps": shape(2, (9, 9), 2, 2, 2, 4),
    "sequence": shape(3, (21,), 6, 6, 3, 1, around=1),
    "volume": shape(2, (5, 6, 7), 4, 4, (2, 3, 2), (2, 2, 1)),
    "whole image": shape(2, (5, 6), 300, 300, (5, 6), 1),
    "no image": shape(0, (4, 4), 3, 3, 2, 2),
    "one channel": shape(7, (6, 5), 1, 1, 3, 2),
    "100 channels, a row": shape(1, (1, 9), 100, 100, (1, 3), 2, around=[(0, 1), (0, 0)]),
    "one pixel": shape(2, (5, 4), 17, 17, 1, 2),
    "volume, same": shape(1, (3, 4, 5), 5, 5, 3, 2, around=1),
    "a window larger than the image": shape(2, (2, 3), 3, 3, 4, 1, around=[(1, 1), (2, 2)]),
}


def case(name: str, kind: str, gated: int = 0) -> tuple:
    geometry = geometry_of(*SHAPES[kind])
    rng = np.random.default_rng(len(kind))
    inside = geometry[0] * geometry[4:7].prod() * geometry[1]
    outside = geometry[0] * geometry[7:10].prod() * geometry[1]
    known = {
        "x": rng.integers(-3, 4, inside) / 3.0,  # with equal numbers in a window
        "g": rng.normal(0, 1, outside),
        "index": rng.integers(0, geometry[10:13].prod(), outside),
        "gated": gated,
        "dx": np.zeros(inside),
        "y": np.zeros(outside),
        "geometry": geometry,
    }
    return tuple(known[argument] for argument in TABLE["pooling"][name])


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("name", TABLE["pooling"])
def test_kernel_agrees_with_its_twin(name, kind, floats):
    for gated in (0, 1) if "gated" in TABLE["pooling"][name] else (0,):
        checks.check(name, floats, case(name, kind, gated), tolerance=4)


@pytest.mark.parametrize("kind", ["two by two", "overlapping", "same"])
@pytest.mark.parametrize("gated", [0, 1])
def test_nan_is_the_largest_number_of_its_windows(kind, gated):
    arguments = checks.cast("max_pool", case("max_pool", kind, gated), "float32")
    x, y, index, geometry, _ = arguments
    x[4::7] = np.nan
    run([launch("max_pool", *arguments)])
    twins = [np.empty_like(y), np.empty_like(index)]
    checks.twin("max_pool")(x, *twins, geometry, gated)
    np.testing.assert_array_equal(y, twins[0])
    np.testing.assert_array_equal(index, twins[1])
    assert np.isnan(y).any()
