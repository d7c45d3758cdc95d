"""Batch normalisation."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

SHAPES = ((1, 1), (100, 10), (33, 65), (40, 1500))
EPS = 1e-3


def case(name: str, shape: tuple[int, int], affine: bool, from_batch: int = 1) -> tuple:
    rng = np.random.default_rng(shape)
    channels = shape[1]
    x = rng.normal(0.5, 2, shape)
    per_channel = channels if affine else 0
    known = {
        "g": rng.normal(0, 1, shape),
        "x": x,
        "mean": x.mean(axis=0),
        "variance": x.var(axis=0),
        "gamma": rng.uniform(0.5, 2, per_channel),
        "beta": rng.normal(0, 1, per_channel),
        "eps": EPS,
        "from_batch": from_batch,
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
    name: [case(name, s, affine, b) for s in SHAPES for affine in (0, 1) for b in (0, 1)]
    for name in TABLE["norm"]
}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["norm"])
def test_kernel_agrees_with_its_twin(name, floats):
    for arguments in CASES[name]:
        checks.check(name, floats, arguments, tolerance=4.0, absolute=4.0)


def test_variance_of_numbers_far_from_zero_is_accurate_in_float32():
    x = (np.random.default_rng(0).normal(0, 1, (1000, 3)) + 1000).astype(np.float32)
    mean, variance = np.empty(3, np.float32), np.empty(3, np.float32)
    run([launch("batch_statistics", x, mean, variance)])
    np.testing.assert_allclose(mean, x.mean(axis=0, dtype=np.float64), rtol=1e-7)
    np.testing.assert_allclose(variance, x.var(axis=0, dtype=np.float64), rtol=1e-5)


@pytest.mark.parametrize("from_batch", [0, 1])
def test_gradient_is_the_slope_of_the_normalisation(from_batch):
    g, x, mean, variance, gamma, *_ = checks.cast(
        "batch_norm_grad", case("batch_norm_grad", (6, 3), True), "float64"
    )
    beta = np.array([0.1, 0.2, 0.3])

    def objective(x, gamma, beta):
        m, v, y = mean.copy(), variance.copy(), np.empty_like(x)
        if from_batch:
            run([launch("batch_statistics", x, m, v)])
        run([launch("normalise", x, m, v, gamma, beta, EPS, y)])
        return (g * y).sum()

    slopes = [np.empty_like(x), np.empty(3), np.empty(3)]
    run([launch("batch_norm_grad", g, x, mean, variance, gamma, EPS, from_batch, *slopes)])
    point = [x, gamma, beta]
    for k, slope in enumerate(slopes):
        for place in np.ndindex(point[k].shape):
            above, below = [p.copy() for p in point], [p.copy() for p in point]
            above[k][place] += 1e-5
            below[k][place] -= 1e-5
            difference = (objective(*above) - objective(*below)) / 2e-5
            np.testing.assert_allclose(slope[place], difference, 1e-6, 1e-8)
