"""Counts: decisions against thresholds, per class, by pairs of classes."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

SHAPES = ((0, 3), (1, 1), (7, 3), (100, 10), (40, 1))
NONE = float("inf")  # threshold


def numbers(shape, weighted: int) -> dict:
    """Targets, predictions (many ties, exact in any float type) and weights of a kind."""
    rng = np.random.default_rng(shape)
    rows, width = shape
    size = (0, rows, rows * width)[weighted]
    return {
        "t": (rng.random(shape) < 0.4).astype(float),
        "p": rng.integers(-3, 68, shape) / 64,
        "w": rng.integers(0, 9, size) / 4,
    }


def confusions():
    thresholds = {
        0: [-0.5, 0.125, 0.25, 0.25, 0.75],
        1: [0, 0.25, 0.5, 0.75, 1],
        2: [-1e-7, 0.25, 0.5, 0.75, 1 + 1e-7],
    }
    for shape in SHAPES:
        for weighted in range(3):
            for even, values in thresholds.items():
                known = numbers(shape, weighted)
                width = 1 if weighted % 2 else shape[1]
                states = [np.ones((len(values), width)) for _ in range(4)]
                states[weighted] = np.zeros((0, width))  # one that is not wanted
                yield (
                    *(known["t"], known["p"], known["w"], values, [1, 0, 2, 4, 3], even),
                    *(0, shape[1], np.zeros((2, len(values) + 1, width)), *states),
                )


def one_column():
    known = numbers((9, 4), 1)
    states = [np.zeros((1, 1))] * 4
    return (
        *(known["t"], known["p"], known["w"], [0.5], [0], 0, 2, 3, np.zeros((2, 2, 1))),
        *states,
    )


def betas():
    for shape in SHAPES:
        for weighted in range(2):
            for width in {1, shape[1]}:
                known = numbers(shape, weighted)
                states = [np.ones(width) for _ in range(4)]
                for threshold in (NONE, 0.5):
                    yield (
                        *(known["t"], known["p"], known["w"], threshold),
                        *(np.zeros((4, shape[1])), *states),
                    )


def r2s():
    for shape in SHAPES:
        for weighted in range(3):
            known = numbers(shape, weighted)
            states = [np.ones(shape[1]) for _ in range(4)]
            yield (
                *(known["t"], known["p"], known["w"]),
                *(np.zeros((4, shape[1])), *states, np.ones(1)),
            )


def pairs():
    rng = np.random.default_rng(0)
    for size in (0, 1, 200):
        for weighted in (0, 1):
            for whole in (0, 3):
                matrices = np.zeros((3 - whole, 3)), np.ones((whole, 3))
                labels = rng.integers(-1, 5, (2, size))
                weights = rng.integers(0, 9, size * weighted) / 4
                yield (*labels, weights, 1, np.zeros((3, 3)), *matrices)


CASES = {
    "confusion_update": [*confusions(), one_column()],
    "fbeta_update": list(betas()),
    "r2_update": list(r2s()),
    "pairs_update": list(pairs()),
    "class_of_rows": [(numbers(s, 0)["p"], np.zeros(s[0])) for s in SHAPES],
    "class_of_numbers": [
        (numbers(s, 0)["p"].ravel() * 5, threshold, np.zeros(s[0] * s[1]))
        for s in SHAPES
        for threshold in (NONE, 0.5)
    ],
    "keep_top_k": [(numbers(s, 0)["p"], k, np.zeros(s)) for s in SHAPES for k in (0, 2, 50)],
}


def test_every_kernel_has_cases():
    assert not checks.missing("counts", CASES)


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["counts"])
def test_kernel_agrees_with_its_twin(name, floats):
    for arguments in CASES[name]:
        checks.check(name, floats, arguments)


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("even", [0, 1, 2])
def test_a_prediction_that_is_no_number_lies_above_no_threshold_that_matters(even, floats):
    thresholds = np.array([-1e-7, 0.5, 1 + 1e-7], floats)
    p, t = np.array([[np.nan]], floats), np.ones((1, 1), floats)
    states = [np.zeros((3, 1), floats) for _ in range(4)]
    counts, order = np.empty((2, 4, 1)), np.arange(3)
    run(
        [
            launch(
                *("confusion_update", t, p, np.empty(0, floats), thresholds, order, even, 0, 1),
                *(counts, *states),
            )
        ]
    )
    assert states[0].ravel().tolist() == ([1, 0, 0] if even else [0, 0, 0])


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_numbers_that_are_none_are_kept_last(floats):
    x = np.array([[np.nan, 1, 3, np.nan, 2]], floats)
    y = np.empty_like(x)
    run([launch("keep_top_k", x, 2, y)])
    assert y[0].tolist() == [-1e10, -1e10, 3, -1e10, 2]
