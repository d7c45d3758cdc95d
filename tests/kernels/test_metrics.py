"""Metrics, one number per row."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

SHAPES = ((0, 3), (2, 0), (1, 1), (100, 10), (9, 65), (3, 1000))


def case(name: str, shape: tuple[int, int]) -> tuple:
    rng = np.random.default_rng(shape)
    rows, width = shape
    p = rng.integers(0, 5, shape) / 4  # many ties: the first maximum counts
    known = {
        "p": p,
        "t": (rng.random(shape) < 0.5).astype(float),
        "labels": p.argmax(axis=1) if width else np.zeros(rows),
        "threshold": 0.5,
        "k": 3,
        "hit": np.zeros(rows),
    }
    return tuple(known[argument] for argument in TABLE["metrics"][name])


CASES = {name: [case(name, shape) for shape in SHAPES] for name in TABLE["metrics"]}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["metrics"])
def test_kernel_agrees_with_its_twin(name, floats):
    for arguments in CASES[name]:
        checks.check(name, floats, arguments)


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("width", [5, 100])
def test_first_nan_counts_as_the_maximum_as_in_numpy(width, floats):
    p = np.zeros((2, width), floats)
    p[0, 2:4], p[1, 1], p[1, 3] = np.nan, 1, 1
    hit = np.empty(2, floats)
    run([launch("sparse_accuracy", p, np.array([2, 1]), hit)])
    assert hit.tolist() == [1, 1]
