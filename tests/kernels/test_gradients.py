"""What is done to flat gradients and averages around an optimizer's step."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks, guard
from .segments import layout, table

SIZES = (1, 65, 1003, 9000)
BAD = (np.nan, np.inf, -np.inf)


def case(name: str, size: int, bad: float = 0.0, divisor: tuple = (48.0, 0.0)) -> tuple:
    rng = np.random.default_rng(size)
    g = rng.normal(0, 1, size)
    g[size // 2] += bad
    known = {
        "g": g,
        "total": rng.normal(0, 1, size),
        "steps": 3,
        "divisor": np.array(divisor),
        "found": np.zeros(-(-size // 4096)),
    }
    return tuple(known[argument] for argument in TABLE["gradients"][name])


CASES = {name: [case(name, size) for size in SIZES] for name in ("unscale", "release")}
CASES["unscale_and_check"] = [
    case("unscale_and_check", size, bad) for size in SIZES for bad in (0.0, *BAD)
]
for name in ("unscale", "unscale_and_check"):
    CASES[name].append(case(name, 9000, divisor=(64.0, 1 / 64)))


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", CASES)
def test_kernel_agrees_with_its_twin(name, floats):
    for arguments in CASES[name]:
        checks.check(name, floats, arguments)


def test_every_kernel_of_the_family_is_tested():
    assert checks.missing("gradients", CASES) == ["average_weights"]  # which is tested below


def test_a_released_total_is_zero():
    g, total = np.ones(70, np.float32), np.full(70, 3, np.float32)
    run([launch("release", g, total, 2)])
    assert (g == 2).all()
    assert (total == 0).all()


class Average:
    """Weights of some sizes and their flat average."""

    def __init__(self, floats: str, side: str | None = None):
        rng = np.random.default_rng(0)

        def array(values):
            values = np.asarray(values, floats)
            return guard.guarded(values, side) if side else values.copy()

        self.weights = [array(rng.normal(0, 1, size)) for size in SIZES]
        starts = layout(SIZES, 3)
        self.average = array(rng.normal(0, 1, starts[-1] + SIZES[-1]))
        self.segments = table(SIZES, starts, self.weights)
        self.arguments = self.segments, self.average, np.array([0.9])


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_average_moves_towards_the_weights_wherever_they_lie(floats):
    twin = Average(floats)
    before = twin.average.copy()
    checks.twin("average_weights")(*twin.arguments)
    assert (twin.average[[1, 2, 3]] == before[[1, 2, 3]]).all()  # the gap behind the first one
    made = []
    for tasks, side in ((1, None), (2, None), (3, "before"), (8, "after")):
        compiled = Average(floats, side)
        run([launch("average_weights", *compiled.arguments, tasks=tasks)])
        made.append(compiled.average)
    limit = checks.TOLERANCE[floats]
    np.testing.assert_allclose(made[0], twin.average, limit, limit)
    assert all(checks.same_bits(made[0], other) for other in made)
