"""Losses of differences."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

SHAPES = ((0, 3), (1, 1), (7, 3), (100, 10), (9, 65))
NUMBERS = {"delta": 0.75, "eps": 2.0**-20}  # the same in any float type
LOSSES = [name for name in TABLE["differences"] if not name.endswith("_grad")]


def values(name: str, shape: tuple[int, int]) -> dict:
    """Arguments by name; some numbers are beyond the limits, some exactly at them."""
    rng = np.random.default_rng(shape)
    p, t = rng.normal(0, 2, shape), rng.normal(0, 2, shape)
    if "divergence" in name:
        p, t = rng.uniform(-0.1, 1.1, shape), rng.uniform(-0.1, 1.1, shape)
    if "poisson" in name:
        p, t = rng.uniform(0.1, 4, shape), rng.uniform(0, 4, shape)
    limit = NUMBERS["eps"] if "huber" not in name else 0.75
    if shape[0] > 5:
        p[3], t[3] = limit, 0
        p[4], t[4] = 1, 1
        p[5], t[5] = (1, 2) if "poisson" in name else (-limit, 0)
    return {
        **NUMBERS,
        **{"p": p, "t": t, "g": rng.normal(0, 1, shape[0])},
        **{"loss": np.zeros(shape[0]), "dp": np.zeros(shape)},
    }


def arguments(name: str, shape: tuple[int, int]) -> tuple:
    known = values(name, shape)
    return tuple(known[argument] for argument in TABLE["differences"][name])


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["differences"])
def test_kernel_agrees_with_its_twin(name, floats):
    tolerance = 2e4 if name.startswith("perc") else 10  # percents of next to nothing
    for shape in SHAPES:
        checks.check(name, floats, arguments(name, shape), tolerance, absolute=10.0)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_is_the_slope_of_the_loss(name):
    """Central differences in float64, away from the limits."""
    rng = np.random.default_rng(0)
    known = values(name, (4, 5)) | {"p": rng.uniform(0.1, 0.9, (4, 5))}
    known["t"] = rng.uniform(0.1, 0.9, (4, 5))

    def loss(p):
        given = [{**known, "p": p}[a] for a in TABLE["differences"][name]]
        ready = checks.cast(name, given, "float64")
        run([launch(name, *ready)])
        return ready[-1]

    given = [known[a] for a in TABLE["differences"][f"{name}_grad"]]
    ready = checks.cast(f"{name}_grad", given, "float64")
    run([launch(f"{name}_grad", *ready)])
    for j in range(5):
        step = np.zeros((4, 5))
        step[:, j] = 1e-6
        difference = (loss(known["p"] + step) - loss(known["p"] - step)) / 2e-6
        np.testing.assert_allclose(ready[-1][:, j], known["g"] * difference, 1e-5, 1e-6)


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_large_differences_overflow_nowhere(floats):
    p, t, loss = np.array([[300.0, -300]], floats), np.zeros((1, 2), floats), np.empty(1, floats)
    run([launch("log_cosh", p, t, loss)])
    np.testing.assert_allclose(loss, 300 - np.log(2), rtol=1e-6)


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_rows_of_zeros_have_no_direction(floats):
    p, t = np.array([[0.0, 0], [3, 4]], floats), np.array([[3.0, 4], [0, 0]], floats)
    loss, dp, g = np.empty(2, floats), np.empty((2, 2), floats), np.ones(2, floats)
    run([launch("cosine", p, t, 1e-7, loss), launch("cosine_grad", g, p, t, 1e-7, dp)])
    assert loss.tolist() == [0, 0]
    assert np.isfinite(dp).all()
    assert dp[1].tolist() == [0, 0]
