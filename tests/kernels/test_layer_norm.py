"""Normalisation of rows."""

import numpy as np
import pytest

from minikeras.kernels import ROWS, TABLE, launch, run

from . import checks

SHAPES = ((1, 1), (7, 3), (150, 10), (9, 65), (3, 5000), (0, 4))
EPS = 1e-3


def case(name: str, shape: tuple[int, int], scaled: bool, shifted: bool, centred: int) -> tuple:
    rng = np.random.default_rng(shape)
    rows, width = shape
    x = rng.normal(0.5, 2, shape)
    chunks = -(-rows // ROWS)
    known = {
        "g": rng.normal(0, 1, shape),
        "x": x,
        "mean": x.sum(axis=1) / width,
        "factor": rng.uniform(0.5, 2, rows),
        "gamma": rng.uniform(0.5, 2, width if scaled else 0),
        "beta": rng.normal(0, 1, width if shifted else 0),
        "eps": EPS,
        "centred": centred,
        "y": x,
        "dx": x,
        "of_gamma": np.zeros((chunks, width) if scaled else (0, 0)),
        "of_beta": np.zeros((chunks, width) if shifted else (0, 0)),
    }
    return tuple(known[argument] for argument in TABLE["layer_norm"][name])


VARIANTS = [(False, False, 1), (True, True, 1), (True, False, 0), (False, True, 1)]
CASES = {
    name: [case(name, s, *v) for s in SHAPES for v in VARIANTS] for name in TABLE["layer_norm"]
}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["layer_norm"])
def test_kernel_agrees_with_its_twin(name, floats):
    for arguments in CASES[name]:
        checks.check(name, floats, arguments, tolerance=4.0, absolute=8.0)


def test_rows_far_from_zero_are_normalised_accurately_in_float32():
    rng = np.random.default_rng(0)
    x = (rng.normal(0, 1, (4, 3000)) + 1000).astype(np.float32)
    y, mean, factor = np.empty_like(x), np.empty(4, np.float32), np.empty(4, np.float32)
    none = np.empty(0, np.float32)
    run([launch("layer_norm", x, none, none, 0.0, 1, y, mean, factor)])
    exact = x.astype(np.float64)
    exact = (exact - exact.mean(1, keepdims=True)) / exact.std(1, keepdims=True)
    np.testing.assert_allclose(y, exact, atol=2e-4)


def test_nan_fills_only_its_row():
    x = np.ones((3, 5), np.float32)
    x[1, 2] = np.nan
    y, mean, factor = np.empty_like(x), np.empty(3, np.float32), np.empty(3, np.float32)
    none = np.empty(0, np.float32)
    run([launch("layer_norm", x, none, none, EPS, 1, y, mean, factor)])
    assert np.isnan(y[1]).all()
    assert not np.isnan(y[[0, 2]]).any()
