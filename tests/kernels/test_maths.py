"""Accuracy of the scalar functions inside kernels, against numpy in a wider type."""

import math

import numpy as np
import pytest

from minikeras.kernels import launch, run

from . import checks

ULPS = 4
SMALL = {"float32": 2e-7, "float64": 1e-15}  # absolute error that is always allowed
WIDE = {"float32": np.float64, "float64": np.longdouble}
math_erf = np.vectorize(math.erf, otypes=[np.float64])


def near_zero(rng: np.random.Generator) -> np.ndarray:
    return 10 ** rng.uniform(-30, 0.5, 20_000) * rng.choice([-1, 1], 20_000)


CASES = {  # kernel: (exact function, range in float32, range in float64)
    "exp": (np.exp, (-87, 88.7), (-708, 709.7)),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), (-87, 40), (-700, 60)),
    "tanh": (np.tanh, (-12, 12), (-25, 25)),
    "log": (np.log, (1e-6, 100), (1e-6, 100)),
    "softplus": (lambda x: np.logaddexp(x, 0), (-87, 200), (-700, 1000)),
    "erf": (math_erf, (-6, 6), (-7, 7)),
    "elu": (np.expm1, (-30, 0), (-50, 0)),
}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", CASES)
def test_error_is_a_few_units_in_the_last_place(name, floats, rng):
    exact, *ranges = CASES[name]
    x = np.concatenate([rng.uniform(*ranges[floats == "float64"], 60_000), near_zero(rng)])
    x = x.astype(floats)
    if name == "log":
        x = np.abs(x)
    if name == "elu":
        x = -np.abs(x)
    y = np.empty_like(x)
    run([launch(name, x, *([1.0] if name == "elu" else []), y)])
    with np.errstate(under="ignore"):
        wanted = exact(x.astype(WIDE[floats]))
        error = np.abs(y - wanted)
        unit = np.spacing(np.abs(wanted).astype(floats))
    allowed = np.maximum(ULPS * unit, SMALL[floats] if name == "erf" else 0)
    allowed = np.maximum(allowed, 2 * np.finfo(floats).tiny)  # subnormal numbers become zero
    worst = np.argmax(error / allowed)
    assert error[worst] <= allowed[worst], (x[worst], y[worst], wanted[worst])


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_logarithm_of_subnormal_numbers_zero_and_negatives(floats):
    tiny = np.finfo(floats).smallest_subnormal
    x = np.array([tiny, 7 * tiny, np.finfo(floats).tiny, 0, -0.0, -1, np.inf], floats)
    y = np.empty_like(x)
    run([launch("log", x, y)])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(y, np.log(x.astype(WIDE[floats])), rtol=1e-6)


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_exponential_overflows_and_vanishes_at_the_ends_of_the_type(floats):
    top, bottom = np.log(np.finfo(floats).max), np.log(np.finfo(floats).tiny)
    x = np.array([top * 1.001, 1e30, np.inf, bottom * 1.03, -1e30, -np.inf], floats)
    y = np.empty_like(x)
    run([launch("exp", x, y)])
    assert y[:3].tolist() == [np.inf, np.inf, np.inf]
    assert 0 <= y[3] < np.finfo(floats).tiny
    assert y[4:].tolist() == [0, 0]


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_gelu_keeps_its_relative_accuracy_in_the_lower_tail(floats):
    x = np.linspace(-8, 0, 1001, dtype=floats)
    y = np.empty_like(x)
    run([launch("gelu", x, y)])
    tail = np.vectorize(math.erfc)(-x.astype(np.float64) * math.sqrt(0.5)) / 2
    np.testing.assert_allclose(y, x * tail, rtol=1e-5 if floats == "float32" else 1e-13)
