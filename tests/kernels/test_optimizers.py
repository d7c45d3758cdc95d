"""Optimizer steps."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, formulas, launch, run

from . import checks, guard
from .segments import layout, table

SIZES = (1, 70, 0, 1003, 5)
GAP = 3  # numbers between two segments that belong to no variable
NUMBERS = {
    **{"momentum": 0.9, "rho": 0.9, "epsilon": 1e-7, "beta_1": 0.9, "beta_2": 0.999, "ratio": 0.5},
    **{"product": 0.3, "l1": 0.01, "l2": 0.02, "shrinkage": 0.03, "beta": 0.1, "exponent": 0.3},
    "warmup_steps": 10.0,
}
DECAY = 0.01
# these take the difference of two roots and divide it by the rate
CANCELLING = {"ftrl": 100.0, "ftrl_power": 1000.0}


class Problem:
    """Variables of some sizes with their flat gradient and slots, all from one seed."""

    def __init__(self, name: str, floats: str, side: str | None = None, decay: float = DECAY):
        rng = np.random.default_rng(0)
        rule = formulas.RULES[name]
        flat = sum(SIZES) + GAP * len(SIZES)

        def array(values):
            values = np.asarray(values, floats)
            return guard.guarded(values, side) if side else values.copy()

        self.name = name
        self.weights = [array(rng.normal(0, 1, size)) for size in SIZES]
        self.gradient = array(rng.normal(0, 1, flat))
        # an average gradient's square is at most the average square
        tops = [0.5 if name == "average_gradient" else 2.0 for name in rule.slots]
        self.slots = [array(rng.uniform(top / 2, top, flat)) for top in tops]
        self.segments = table(SIZES, layout(SIZES, GAP), self.weights)
        self.hyper = np.array([0.01, decay, 4.0, *[NUMBERS[n] for n in rule.numbers]])

    @property
    def arguments(self) -> list:
        return [self.segments, self.gradient, *self.slots, self.hyper]

    def results(self) -> list[np.ndarray]:
        return [*self.weights, *self.slots]

    def step(self, tasks: int = 1) -> list[np.ndarray]:
        run([launch(self.name, *self.arguments, tasks=tasks)])
        return self.results()


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["optimizers"])
def test_step_is_the_formula(name, floats):
    compiled, twin = Problem(name, floats), Problem(name, floats)
    for _ in range(3):
        compiled.step()
        checks.twin(name)(*twin.arguments)
    limit = checks.TOLERANCE[floats] * CANCELLING.get(name, 1.0)
    for made, wanted in zip(compiled.results(), twin.results(), strict=True):
        np.testing.assert_allclose(made, wanted, limit, limit)


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["optimizers"])
def test_bits_do_not_depend_on_tasks_and_memory_is_respected(name, floats):
    wanted = Problem(name, floats).step()
    ways = [(tasks, None) for tasks in (2, 3, 8)] + [(2, "before"), (2, "after")]
    for tasks, side in ways:
        for a, b in zip(Problem(name, floats, side).step(tasks), wanted, strict=True):
            assert checks.same_bits(a, b)


@pytest.mark.parametrize("name", TABLE["optimizers"])
def test_numbers_between_the_segments_are_left_alone(name):
    problem = Problem(name, "float32")
    before = [s.copy() for s in problem.slots]
    problem.step()
    ends = problem.segments[:, 1] + problem.segments[:, 2]
    for old, new in zip(before, problem.slots, strict=True):
        for end in ends:
            assert (old[end : end + GAP] == new[end : end + GAP]).all()


def test_only_flagged_variables_decay_before_the_step():
    with_decay, without = Problem("sgd", "float64"), Problem("sgd", "float64", decay=0.0)
    start = [w.copy() for w in with_decay.weights]
    with_decay.step()
    without.step()
    for k, w in enumerate(start):
        shrunk = with_decay.weights[k] - without.weights[k]
        np.testing.assert_allclose(shrunk, -w * DECAY * 0.01 * (k % 2), atol=1e-15)


def test_hyperparameters_may_change_between_runs():
    problem = Problem("sgd", "float64", decay=0.0)
    bound = launch("sgd", *problem.arguments)
    start = problem.weights[1].copy()
    for rate in (0.5, 0.25):
        problem.hyper[0] = rate
        run([bound])
    offset = problem.segments[1, 1]
    g = problem.gradient[offset : offset + start.size]
    np.testing.assert_allclose(problem.weights[1], start - 0.75 * g, rtol=1e-12)


def test_a_nan_gradient_makes_its_weight_nan_and_no_other():
    for name in TABLE["optimizers"]:
        problem = Problem(name, "float32")
        problem.gradient[problem.segments[1, 1] + 5] = np.nan
        problem.step()
        assert np.isnan(problem.weights[1][5])
        assert sum(np.isnan(w).sum() for w in problem.weights) == 1


ROWS_FLAG = 2


def table_problem(
    name: str, floats: str, width: int, rows: int, side: str | None = None, near: int = -1
):
    """A segment of which some rows are updated: arguments, what changes, marks, what is known.

    Half of the rows are looked up, some of them often; others are marked, or near, since earlier.
    """
    rng = np.random.default_rng(rows)
    rule = formulas.RULES[name]

    def array(values):
        values = np.asarray(values)
        return guard.guarded(values, side) if side else values.copy()

    home, room = 3 + rows * width, rows if near >= 0 else 0
    w, *slots = (
        array(rng.uniform(0.1, 0.5, home + (room * width if k else 0)).astype(floats))
        for k in range(1 + len(rule.slots))
    )
    w = array(w[3:home])
    index = rng.integers(0, (rows + 1) // 2, rows)
    g = array(rng.uniform(0.1, 0.5, rows * width).astype(floats))
    padded = -(-rows // formulas.BLOCK_OF_ROWS) * formulas.BLOCK_OF_ROWS
    marks, count = np.zeros(padded, np.uint8), np.array([near])
    places, following, positions, numbers = (np.zeros(rows, np.int32) for _ in range(4))
    marks[:rows] = rng.integers(0, 3, rows) > 0
    if near >= 0:
        numbers[:near] = rng.permutation(rows)[:near]
        positions[numbers[:near]] = np.arange(1, near + 1)
    checks.twin("chain_rows")(index, following, places, marks, positions, numbers, count)
    known = [array(a) for a in (marks, places, following, count, numbers[: max(count[0], 1)])]
    where = [a.__array_interface__["data"][0] for a in (w, *known)]
    segment = [where[0], 3, rows * width, ROWS_FLAG, width, *where[1:], home]
    hyper = np.array([0.01, 0.5, 4.0, *[NUMBERS[n] for n in rule.numbers]])
    chosen = marks[:rows] > 0 if near < 0 else positions > 0
    arguments = [np.array([segment], np.int64), g, *slots, hyper]
    return arguments, [w, known[1], *slots], chosen, known


def assert_alike(name, floats, width, rows, near):
    """Kernel and twin agree, for any number of tasks; gives what was, what became, what may."""
    made = table_problem(name, floats, width, rows, near=near)
    before = [a.copy() for a in made[1]]
    run([launch(name, *made[0])])
    twin = table_problem(name, floats, width, rows, near=near)
    checks.twin(name)(*twin[0])
    limit = checks.TOLERANCE[floats]
    for new, wanted in zip(made[1], twin[1], strict=True):
        np.testing.assert_allclose(new, wanted, limit, limit)
    assert before[1].any()
    assert not made[1][1].any()
    for tasks, side in [(2, None), (8, None), (2, "before"), (3, "after")]:
        other = table_problem(name, floats, width, rows, side, near)
        run([launch(name, *other[0], tasks=tasks)])
        for a, b in zip(other[1], made[1], strict=True):
            assert checks.same_bits(a, b)
    return before, made


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize(("width", "rows"), [(1, 1), (3, 200), (70, 65), (300, 30)])
def test_of_a_table_only_the_marked_rows_are_updated(name, floats, width, rows):
    (w, places, *slots), made = assert_alike(name, floats, width, rows, -1)
    for new, old in zip([made[1][0], *made[1][2:]], [w, *slots], strict=True):
        changed = (new != old)[-rows * width :].reshape(rows, width)
        assert (changed.any(axis=1) <= made[2]).all()
        assert changed[places > 0].any(axis=1).all()
        assert (new[: -rows * width] == old[: -rows * width]).all()


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", ["adam", "rmsprop"])
@pytest.mark.parametrize(("width", "rows", "near"), [(1, 1, 0), (3, 200, 30), (70, 65, 1)])
def test_slots_of_near_rows_are_updated_where_they_lie_together(name, floats, width, rows, near):
    (w, _, *slots), made = assert_alike(name, floats, width, rows, near)
    changed = (made[1][0] != w).reshape(rows, width).any(axis=1)
    assert (changed <= made[2]).all()
    assert changed.any()
    home = 3 + rows * width
    end = home + made[2].sum() * width
    for new, old in zip(made[1][2:], slots, strict=True):
        assert (new[:home] == old[:home]).all()
        assert (new[home:end] != old[home:end]).any()
        assert (new[end:] == old[end:]).all()


@pytest.mark.parametrize("place", [-1, 5, 2**31 - 1])
def test_places_that_do_not_exist_are_not_read(place):
    arguments, changing, _, known = table_problem("adam", "float32", 8, 4, "after")
    known[0][:], known[1][:], known[2][:] = 1, place, 1
    run([launch("adam", *arguments)])
    assert not known[1].any()
    assert np.isfinite(changing[0]).all()


def test_places_that_follow_each_other_in_a_circle_end():
    arguments, changing, _, known = table_problem("adam", "float32", 8, 4)
    known[0][:], known[1][:], known[2][:] = 1, 1, [2, 1, 1, 1]
    run([launch("adam", *arguments)])
    assert np.isfinite(changing[0]).all()
