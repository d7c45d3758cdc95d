"""Gradient clipping."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

SIZES = (1, 65, 1003)


def case(name: str, size: int, limit: float) -> tuple:
    rng = np.random.default_rng(size)
    g = rng.normal(0, 1, size)
    offsets = np.array([0, size // 4, size // 4, size // 2, size])
    squares = [np.square(g[a:b]).sum() for a, b in zip(offsets, offsets[1:], strict=False)]
    known = {"g": g, "offsets": offsets, "squares": squares, "limit": limit}
    return tuple(known[argument] for argument in TABLE["clip"][name])


CASES = {
    name: [case(name, size, limit) for size in SIZES for limit in (0.5, 10.0, 1e6)]
    for name in TABLE["clip"]
}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["clip"])
def test_kernel_agrees_with_its_twin(name, floats):
    for arguments in CASES[name]:
        checks.check(name, floats, arguments)


@pytest.mark.parametrize("square", [np.nan, np.inf])
def test_norm_that_is_not_finite_makes_the_gradient_nan(square):
    g, squares = np.ones(70, np.float32), np.array([1, square], np.float32)
    run([launch("clip_global_norm", g, squares, 1.0)])
    assert np.isnan(g).all()


def test_nan_norm_of_one_segment_spoils_only_that_segment():
    g, squares = np.ones(4, np.float32), np.array([2, np.nan], np.float32)
    run([launch("clip_norms", g, np.array([0, 2, 4]), squares, 1.0)])
    np.testing.assert_allclose(g[:2], np.sqrt(0.5), rtol=1e-6)
    assert np.isnan(g[2:]).all()
