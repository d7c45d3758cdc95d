"""Softmax kernels."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

SHAPES = ((0, 3), (3, 0), (1, 1), (7, 3), (100, 10), (9, 65), (5, 1000), (2, 4099))


def forward_case(shape: tuple[int, int]) -> tuple:
    x = np.random.default_rng(shape).normal(0, 3, shape)
    return x, x


def gradient_case(name: str, shape: tuple[int, int]) -> tuple:
    x, y = forward_case(shape)
    y = np.empty_like(x)
    checks.twin(name)(x, y)
    return np.random.default_rng(1).normal(0, 1, shape), y, y


CASES = {
    "softmax": [forward_case(s) for s in SHAPES],
    "log_softmax": [forward_case(s) for s in SHAPES],
    "softmax_grad": [gradient_case("softmax", s) for s in SHAPES],
    "log_softmax_grad": [gradient_case("log_softmax", s) for s in SHAPES],
}


def test_every_softmax_kernel_has_cases():
    assert checks.missing("softmax", CASES) == []


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["softmax"])
def test_kernel_agrees_with_its_twin(name, floats):
    for case in CASES[name]:
        checks.check(name, floats, case, absolute=5.0)


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("width", [3, 200])
def test_huge_logits_do_not_overflow_and_nan_fills_only_its_row(width, floats):
    x = np.zeros((4, width), floats)
    x[0, 0], x[1, -1], x[2, 1] = 1e30, -np.inf, np.nan
    y = np.empty_like(x)
    run([launch("softmax", x, y)])
    assert y[0, 0] == 1
    assert y[0, 1:].max() == 0
    assert y[1, -1] == 0
    assert np.isnan(y[2]).all()
    np.testing.assert_allclose(y[[0, 1, 3]].sum(axis=1), 1, rtol=1e-6)
