"""Normalisation over groups of channels: what follows from the sums of chunks."""

import numpy as np
import pytest

from minikeras.kernels import TABLE

from . import checks

SHAPES = ((3, 2, 5, 4, 3), (2, 1, 6, 8, 1), (1, 4, 1, 1, 40), (0, 1, 3, 2, 2))


def case(name: str, shape: tuple, affine: int) -> tuple:
    samples, chunks, step, groups, width = shape
    rng = np.random.default_rng(shape)
    channels = groups * width
    sums = rng.normal(0, 1, (2 * samples * chunks, channels))
    sums[1::2] = abs(sums[1::2]) + 1
    of_samples = np.zeros((samples * affine, channels))
    known = {
        "sums": sums,
        "groups": groups,
        "rows": chunks * step,
        "gamma": rng.uniform(0.5, 2, channels * affine),
        "beta": rng.normal(0, 1, channels * affine),
        "eps": 1e-3,
        "mean": np.zeros((samples, channels)),
        "factor": np.repeat(rng.uniform(0.5, 2, (samples, groups)), width, axis=1),
        "lines": np.zeros((2 * samples, channels)),
        "factors": np.zeros((3 * samples, channels)),
        "dgamma": of_samples,
        "dbeta": of_samples,
    }
    return tuple(known[argument] for argument in TABLE["group_norm"][name])


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["group_norm"])
def test_kernel_agrees_with_its_twin(name, floats):
    for shape in SHAPES:
        for affine in (0, 1):
            checks.check(name, floats, case(name, shape, affine), 8.0, 4.0)
