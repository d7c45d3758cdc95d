"""Batch normalisation with a relu, a pooling or a convolution beside it, against the twins."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

SHAPES = ((3, 2, 5), (7, 3, 33), (2, 8, 64), (1, 1, 300), (0, 2, 4))  # rows, windows, channels
STEP = 5  # windows of a chunk


def case(name: str, shape: tuple[int, int, int], affine: int = 1, act: int = 1) -> tuple:
    rows, width, channels = shape
    rng = np.random.default_rng(shape)
    windows = rows * width
    images = rng.normal(0, 1, windows * 4 * channels)
    given = channels * affine
    matrix = name == "scale_shift"
    sets = 2 if matrix and rows == 2 else 1
    known = {
        "mean": rng.normal(0, 1, channels),
        "variance": rng.uniform(0.5, 2, channels),
        "gamma": rng.uniform(0.5, 2, given),
        "beta": rng.normal(0, 1, given),
        "bias": rng.normal(0, 1, given),
        "eps": 1e-3,
        "sets": sets,
        "lines": rng.normal(0, 1, ((1 + affine) * sets if matrix else 2, channels)),
        "width": width,
        "step": STEP,
        "act": act,
        "x": images.reshape(-1, channels) if matrix else images,
        "g": rng.normal(0, 1, windows * channels),
        "index": rng.integers(0, 5, windows * channels),
        "y": images.reshape(-1, channels) if matrix else np.zeros(windows * channels),
        "sums": np.zeros((2 * -(-windows // STEP), channels)),
        "factors": rng.normal(0, 1, (3, channels)),
        "dx": np.zeros(images.size),
    }
    return tuple(known[argument] for argument in TABLE["norm_fused"][name])


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["norm_fused"])
def test_kernel_agrees_with_its_twin(name, floats):
    for shape in SHAPES:
        for affine in (0, 1):
            for act in (0, 1) if "act" in TABLE["norm_fused"][name] else (1,):
                checks.check(name, floats, case(name, shape, affine, act), 4.0, 4.0)


def test_nan_is_the_largest_number_of_its_window_and_passes_no_gradient():
    x, lines, width, y, index = checks.cast(
        "scale_relu_pool", case("scale_relu_pool", (2, 3, 17)), "float32"
    )
    x[5::11] = np.nan
    run([launch("scale_relu_pool", x, lines, width, y, index)])
    twins = np.empty_like(y), np.empty_like(index)
    checks.twin("scale_relu_pool")(x, lines, width, *twins)
    np.testing.assert_allclose(y, twins[0], 1e-5, 1e-6)
    np.testing.assert_array_equal(index, twins[1])
    assert np.isnan(y).any()
    assert (index[np.isnan(y)] == 4).all()
