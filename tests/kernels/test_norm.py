"""Batch normalisation."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

STEP = 16  # rows of a chunk
SHAPES = ((1, 1), (100, 10), (33, 65), (40, 1500), (70, 3), (2 * STEP, 7), (0, 2))
EPS = 1e-3


def case(
    name: str, shape: tuple[int, int], affine: bool, from_batch: int = 1, gated: int = 0
) -> tuple:
    rng = np.random.default_rng(shape)
    rows, channels = shape
    with_lines = "lines" in TABLE["norm"][name]
    shares = 1 + (rows == 2 * STEP) if with_lines else 1
    x = rng.normal(0.5, 2, shape)
    per_channel = channels if affine else 0
    sums = rng.uniform(0.5, 2, (2 * -(-rows // STEP), channels))
    known = {
        "g": rng.normal(0, 1, shape),
        "x": x,
        "step": STEP,
        "rows": rows * from_batch if "grad" in name else rows,
        "sums": sums,
        "lines": rng.normal(0, 1, (2 * gated, channels)),
        "factors": rng.normal(0, 1, (3 * shares, channels)),
        "mean": rng.normal(0, 1, (shares, channels) if with_lines else channels),
        "variance": rng.uniform(0.5, 2, channels),
        "gamma": rng.uniform(0.5, 2, per_channel),
        "beta": rng.normal(0, 1, per_channel),
        "eps": EPS,
        "dx": x,
        "y": x,
        "dgamma": np.zeros(per_channel),
        "dbeta": np.zeros(per_channel),
        "moving": rng.normal(0, 1, channels),
        "batch": rng.normal(0, 1, channels),
        "momentum": 0.99,
    }
    return tuple(known[argument] for argument in TABLE["norm"][name])


CASES = {
    name: [
        case(name, s, affine, b, gated)
        for s in (SHAPES[:-1] if name == "batch_moments" else SHAPES)
        for affine in (0, 1)
        for b in (0, 1)
        for gated in ((0, 1) if "lines" in TABLE["norm"][name] else (0,))
    ]
    for name in TABLE["norm"]
}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["norm"])
def test_kernel_agrees_with_its_twin(name, floats):
    for arguments in CASES[name]:
        checks.check(name, floats, arguments, tolerance=4.0, absolute=4.0)


@pytest.mark.parametrize("channels", [1, 3, 64, 100])
def test_variance_of_numbers_far_from_zero_is_accurate_in_float32(channels):
    rng = np.random.default_rng(0)
    x = (rng.normal(0, 1, (1000, channels)) + 1000).astype(np.float32)
    sums = np.empty((8, channels))
    mean, variance = np.empty(channels, np.float32), np.empty(channels, np.float32)
    run(
        [
            launch("batch_sums", x, 250, sums),
            launch("batch_moments", sums, 1000, 250, mean, variance),
        ]
    )
    np.testing.assert_allclose(mean, x.mean(axis=0, dtype=np.float64), rtol=1e-7)
    np.testing.assert_allclose(variance, x.var(axis=0, dtype=np.float64), rtol=1e-5)
