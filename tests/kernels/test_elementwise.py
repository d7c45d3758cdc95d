"""Elementwise kernels."""

import numpy as np
import pytest

from minikeras.kernels import SIGNATURES, TABLE, launch, run
from minikeras.kernels.table import FUNCTIONS

from . import checks

SIZES = (0, 1, 15, 64, 65, 1003)
PARAMETERS = {"slope": 0.2, "top": 1.5, "threshold": 0.4, "alpha": 0.7, "value": 3.0, "b": 4.0}
POSITIVE = {"log", "sqrt"}


def function_case(name: str, size: int) -> tuple:
    x = np.random.default_rng(size).normal(0, 3, size)
    if name in POSITIVE:
        x = np.abs(x) + 1e-3
    return x, *[PARAMETERS[p] for p in FUNCTIONS[name]], x


def gradient_case(name: str, size: int) -> tuple:
    """The gradient's arguments, with y as the function's twin gives it."""
    *arguments, y = function_case(name, size)
    y = np.empty_like(y)
    checks.twin(name)(*arguments, y)
    g = np.random.default_rng(size + 1).normal(0, 1, size)
    return g, arguments[0], y, *arguments[1:], y


def binary_case(size: int) -> tuple:
    rng = np.random.default_rng(size)
    return rng.normal(0, 2, size), rng.normal(0, 2, size) + 3, np.zeros(size)


CASES = {
    **{name: [function_case(name, size) for size in SIZES] for name in FUNCTIONS},
    **{f"{name}_grad": [gradient_case(name, size) for size in SIZES] for name in FUNCTIONS},
    **{
        name: [binary_case(size) for size in SIZES]
        for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum")
    },
    "scale": [(x, 0.3, z) for x, _, z in map(binary_case, SIZES)],
    "accumulate": [(x, y) for x, y, _ in map(binary_case, SIZES)],
    "add_scaled": [(x, -0.3, y) for x, y, _ in map(binary_case, SIZES)],
}


def test_every_elementwise_kernel_has_cases():
    assert checks.missing("elementwise", CASES) == []


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["elementwise"])
def test_kernel_agrees_with_its_twin(name, floats):
    for case in CASES[name]:
        checks.check(name, floats, case)


def call(name: str, *arguments) -> np.ndarray:
    """Result of a kernel whose last argument, a new array like the first, is left out."""
    y = np.empty_like(arguments[0])
    run([launch(name, *arguments, y)])
    return y


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_passes_through(name, floats):
    parameters = [PARAMETERS[p] for p in FUNCTIONS[name]]
    x = np.full(70, np.nan, floats)
    assert np.isnan(call(name, x, *parameters)).all()


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize(
    ("name", "below", "above"),
    [
        ("relu", 0, np.inf),
        ("relu6", 0, 6),
        ("selu", -1.7580993408473766, np.inf),
        ("sigmoid", 0, 1),
        ("tanh", -1, 1),
        ("softplus", 0, np.inf),
        ("log_sigmoid", -np.inf, 0),
        ("exp", 0, np.inf),
        ("log", np.nan, np.inf),
        ("erf", -1, 1),
        ("hard_sigmoid", 0, 1),
        ("sparse_plus", 0, np.inf),
    ],
)
def test_infinities_give_the_limits(name, below, above, floats):
    x = np.repeat(np.array([-np.inf, np.inf], floats), 35)
    limits = np.repeat(np.array([below, above], floats), 35)
    np.testing.assert_allclose(call(name, x), limits, rtol=1e-6)


WITH_OUTPUT = [n for n, s in TABLE["elementwise"].items() if "out F1" in s.values()]


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", WITH_OUTPUT)
def test_output_may_be_an_input(name, floats):
    apart = checks.cast(name, CASES[name][-1], floats)
    run([launch(name, *apart)])
    for place, kind in enumerate(SIGNATURES[name].values()):
        if kind == "F1":
            within = checks.cast(name, CASES[name][-1], floats)
            within[-1] = within[place]
            run([launch(name, *within)])
            assert checks.same_bits(within[-1], apart[-1])


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_bits_do_not_depend_on_the_place_in_the_array(name, floats):
    parameters = [PARAMETERS[p] for p in FUNCTIONS[name]]
    x = np.array(function_case(name, 203)[0], floats)
    whole = call(name, x, *parameters)
    for start in (1, 7, 150, 202):
        assert checks.same_bits(call(name, x[start:], *parameters), whole[start:])
