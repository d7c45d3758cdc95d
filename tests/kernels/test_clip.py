"""Gradient clipping."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks
from .segments import table

SIZES = (1, 65, 1003, 9000)


def parts(size: int) -> np.ndarray:
    """Four segments of a vector, one of them empty, with numbers of nobody between and behind."""
    ends = [0, size // 4, size // 4, size // 2, size]
    return table([b - a - (b > a) for a, b in zip(ends, ends[1:], strict=False)], ends[:-1])


def sums_of(g: np.ndarray, segments: np.ndarray) -> np.ndarray:
    sums = np.zeros(g.size // 4096 + len(segments) + 1)
    checks.twin("chunk_squares")(g, segments, sums)
    return sums


def case(name: str, size: int, limit: float) -> tuple:
    g = np.random.default_rng(size).normal(0, 1, size)
    segments = parts(size)
    known = {"g": g, "segments": segments, "sums": sums_of(g, segments), "limit": limit}
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


def test_the_places_of_the_sums_do_not_overlap():
    g, segments = np.ones(20_000, np.float32), table([5000, 100, 4096, 7], [0, 5008, 5120, 12_000])
    sums = np.zeros(20_000 // 4096 + 5)
    run([launch("chunk_squares", g, segments, sums)])
    assert sums.sum() == 5000 + 100 + 4096 + 7


def test_squares_of_large_float32_numbers_do_not_overflow():
    g = np.full(70, 1e30, np.float32)
    sums = np.zeros(2)
    run([launch("chunk_squares", g, table([70], [0]), sums)])
    run([launch("clip_global_norm", g, table([70], [0]), sums, 1.0)])
    np.testing.assert_allclose(g, 1 / np.sqrt(70), rtol=1e-6)


@pytest.mark.parametrize("square", [np.nan, np.inf])
def test_norm_that_is_not_finite_makes_the_gradient_nan(square):
    g, sums = np.ones(70, np.float32), np.array([1, square])
    run([launch("clip_global_norm", g, table([60], [0]), sums, 1.0)])
    assert np.isnan(g[:60]).all()
    assert (g[60:] == 1).all()


def test_nan_norm_of_one_segment_spoils_only_that_segment():
    g, sums = np.ones(4, np.float32), np.array([2, np.nan, 0])
    run([launch("clip_norms", g, table([2, 2], [0, 2]), sums, 1.0)])
    np.testing.assert_allclose(g[:2], np.sqrt(0.5), rtol=1e-6)
    assert np.isnan(g[2:]).all()
