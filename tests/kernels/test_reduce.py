"""Sums."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

SHAPES = ((0, 3), (3, 0), (1, 1), (100, 10), (33, 65), (70, 1500))


def matrix_case(name: str, shape: tuple[int, int], act: int = 0) -> tuple:
    rng = np.random.default_rng(shape)
    x = rng.normal(0, 1, shape)
    y = {0: x, 1: np.maximum(x, 0), 2: 1 / (1 + np.exp(-x)), 3: np.tanh(x)}[act]
    known = {"x": x, "g": rng.normal(0, 1, shape), "y": y, "dz": x, "act": act}
    sums = np.zeros(shape[1])
    return tuple(known.get(argument, sums) for argument in TABLE["reduce"][name])


def vector_case(name: str, size: int, weighted: bool) -> tuple:
    rng = np.random.default_rng(size)
    known = {
        "x": rng.normal(0, 1, size),
        "w": rng.uniform(0, 2, size if weighted else 0),
        "total": np.ones(1),
        "count": np.ones(1),
        "divisor": 7.0,
        "g": np.array([0.3]),
        "dx": np.zeros(size),
    }
    return tuple(known[argument] for argument in TABLE["reduce"][name])


def vector_cases(name: str) -> list[tuple]:
    return [
        vector_case(name, size, weighted) for size in (0, 1, 1000) for weighted in (False, True)
    ]


CASES = {
    "column_sum": [matrix_case("column_sum", s) for s in SHAPES],
    "activation_grad_bias": [
        matrix_case("activation_grad_bias", s, act) for s in SHAPES for act in (0, 1, 2, 3)
    ],
    "weighted_sum": vector_cases("weighted_sum"),
    "weighted_sum_grad": vector_cases("weighted_sum_grad"),
    "mean_update": vector_cases("mean_update"),
}


def test_every_sum_has_cases():
    assert checks.missing("reduce", CASES) == []


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["reduce"])
def test_kernel_agrees_with_its_twin(name, floats):
    for case in CASES[name]:
        checks.check(name, floats, case, absolute=10.0)


def test_bias_gradient_may_be_left_out():
    g = np.ones((3, 70), np.float32)
    dz, none = np.empty_like(g), np.empty(0, np.float32)
    run([launch("activation_grad_bias", g, g, dz, none, 1)])
    assert (dz == 1).all()


def test_long_sums_keep_their_accuracy_in_float32():
    x = np.full((100_000, 1), 0.1, np.float32)
    out = np.empty(1, np.float32)
    run([launch("column_sum", x, out)])
    np.testing.assert_allclose(out, 100_000 * np.float64(np.float32(0.1)), rtol=1e-6)


def test_running_mean_is_updated_by_one_launch():
    total, count = np.zeros(1, np.float32), np.zeros(1, np.float32)
    update = launch("mean_update", np.float32([1, 2, 6]), np.float32([1, 1, 0.5]), total, count)
    run([update, update])
    assert (total[0], count[0]) == (12, 5)
