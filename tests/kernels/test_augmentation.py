"""Images under affine maps."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

SHAPES = ((2, 5, 7, 3), (1, 1, 1, 1), (3, 6, 4, 1), (0, 3, 3, 2))


def case(name: str, shape: tuple[int, ...], order: int, mode: int) -> tuple:
    rng = np.random.default_rng(shape)
    maps = rng.uniform(-1.5, 1.5, (shape[0], 6))
    maps[:, [2, 5]] *= 4
    x = rng.normal(0, 1, shape)
    known = {"x": x, "g": x, "maps": maps, "order": order, "mode": mode, "fill": 2.5}
    return tuple(known.get(argument, x) for argument in TABLE["augmentation"][name])


CASES = {
    name: [case(name, s, order, mode) for s in SHAPES for order in (0, 1) for mode in range(4)]
    for name in TABLE["augmentation"]
}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["augmentation"])
def test_kernel_agrees_with_its_twin(name, floats):
    for arguments in CASES[name]:
        checks.check(name, floats, arguments, tolerance=20.0)


@pytest.mark.parametrize("order", [0, 1])
def test_places_far_away_or_not_a_number_are_filled(order):
    x = np.ones((3, 2, 2, 1), np.float32)
    maps = np.zeros((3, 6), np.float32)
    maps[:, 2] = 1e30, np.nan, -np.inf
    y = np.empty_like(x)
    run([launch("affine_images", x, maps, order, 3, 7.0, y)])
    np.testing.assert_array_equal(y, 7)
