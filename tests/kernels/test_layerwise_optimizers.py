"""Optimizers whose step depends on whole variables: LAMB, Adafactor, Muon."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks, guard
from .segments import layout, table

SIZES = (1, 70, 0, 5003, 5, 9000)
HYPER = {
    "lamb": (0.01, 0.02, 4.0, 0.9, 0.999, 1e-7),
    "adafactor": (0.01, 0.02, 4.0, -0.8, 1e-30, 1e-3, 0.7),
    "muon": (0.01, 0.02, 4.0, 0.95, 1.0, 3.4445, -4.775, 2.0315),
}
# rows and columns of a stack of matrices: (stack, rows, columns)
STACKS = ((1, 1, 1), (1, 5, 3), (2, 70, 33), (1, 150, 1100), (3, 64, 16))


class Lamb:
    """Variables of some sizes with flat gradient and slots, all from one seed."""

    def __init__(self, floats: str, side: str | None = None):
        rng = np.random.default_rng(0)

        def array(values):
            values = np.asarray(values, floats)
            return guard.guarded(values, side) if side else values.copy()

        self.weights = [array(rng.normal(0, 1, size)) for size in SIZES]
        self.weights[1][:] = 0  # a norm of zero
        starts = layout(SIZES, 3)
        flat = starts[-1] + SIZES[-1]
        self.g, self.m = array(rng.normal(0, 1, flat)), array(rng.normal(0, 1, flat))
        self.v = array(rng.uniform(0, 1, flat))
        self.sums = np.zeros(2 * (flat // 4096 + len(SIZES) + 1))
        segments, hyper = table(SIZES, starts, self.weights), np.array(HYPER["lamb"])
        self.moments = segments, self.g, self.m, self.v, self.sums, hyper
        self.last = segments, self.g, self.sums, hyper

    def results(self) -> list[np.ndarray]:
        return [*self.weights, self.g, self.m, self.v, self.sums]


def lamb(floats: str, tasks: int = 1, side: str | None = None) -> list[np.ndarray]:
    problem = Lamb(floats, side)
    run([launch("lamb_moments", *problem.moments, tasks=tasks)])
    run([launch("lamb_step", *problem.last, tasks=tasks)])
    return problem.results()


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_lamb_agrees_with_its_twins_for_any_number_of_tasks(floats):
    twin, limit = Lamb(floats), checks.TOLERANCE[floats] * 2
    checks.twin("lamb_moments")(*twin.moments)
    checks.twin("lamb_step")(*twin.last)
    made = lamb(floats)
    for a, b in zip(made, twin.results(), strict=True):
        np.testing.assert_allclose(a, b, limit, limit)
    for tasks, side in ((2, None), (3, "before"), (8, "after")):
        for a, b in zip(lamb(floats, tasks, side), made, strict=True):
            assert checks.same_bits(a, b)


def adafactor_case(name: str, shape: tuple[int, int, int]) -> tuple:
    rng = np.random.default_rng(shape)
    stack, rows, columns = shape
    blocks = stack * -(-rows // 64)
    matrix = (stack * rows, columns)
    flat = "vector" in name
    known = {
        "w": rng.normal(0, 1, matrix), "g": rng.normal(0, 1, matrix),
        "r": rng.uniform(1, 2, (stack, rows)), "c": rng.uniform(1, 2, (stack, columns)),
        "factors": rng.uniform(1, 2, (stack, rows)), "v": rng.uniform(1, 2, matrix),
        "partial": rng.uniform(1, 2, (blocks, columns)), "decays": 1,
        "hyper": np.array(HYPER["adafactor"]),
        "of_weights": rng.uniform(1, 2, blocks), "of_steps": rng.uniform(1, 2, blocks) * 9000,
    }  # fmt: skip
    if flat:
        sums = np.zeros(-(-np.prod(matrix) // 4096))
        known |= {"of_weights": sums, "of_steps": sums}
        known |= {k: known[k].reshape(-1) for k in "wgv"}
    return tuple(known[argument] for argument in TABLE["adafactor"][name])


def muon_case(name: str, shape: tuple[int, int, int]) -> tuple:
    rng = np.random.default_rng(shape)
    _, rows, columns = shape
    size = rows * columns
    square = name == "muon_polynomial"

    def array(*axes):
        return rng.normal(0, 1, axes)

    known = {
        "g": array(size), "momentum": array(size), "sums": rng.uniform(0, 1, -(-size // 4096)),
        "x": array(rows, rows) if square else array(size), "y": array(rows, rows),
        "q": array(rows, rows), "w": array(size), "decays": 1, "scale": 0.7,
        "hyper": np.array(HYPER["muon"]),
    }  # fmt: skip
    return tuple(known[argument] for argument in TABLE["muon"][name])


MAKERS = {"adafactor": adafactor_case, "muon": muon_case}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize(
    ("family", "name"), [(f, name) for f in MAKERS for name in TABLE[f]], ids=lambda part: part
)
def test_kernel_agrees_with_its_twin(family, name, floats):
    for shape in STACKS:
        checks.check(name, floats, MAKERS[family](name, shape), tolerance=4.0)


def test_momentum_without_looking_ahead_is_itself_made_orthogonal():
    g, m, sums = np.ones(3, np.float32), np.full(3, 2, np.float32), np.zeros(1)
    hyper = np.array(HYPER["muon"])
    hyper[4] = 0
    run([launch("muon_momentum", g, m, sums, hyper)])
    np.testing.assert_allclose(g, 2.9, rtol=1e-6)
    np.testing.assert_array_equal(g, m)


def test_a_nan_gradient_spoils_the_whole_variable_under_adafactor():
    w, g, v = np.ones(70, np.float32), np.ones(70, np.float32), np.ones(70, np.float32)
    g[3] = np.nan
    sums, hyper = (np.zeros(1), np.zeros(1)), np.array(HYPER["adafactor"])
    run([launch("adafactor_vector", w, g, v, *sums, 0, hyper)])
    run([launch("adafactor_step", w.reshape(1, 70), g.reshape(1, 70), *sums, hyper)])
    assert np.isnan(w).all()
