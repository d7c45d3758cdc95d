"""Whole-sequence recurrences: every class of shape against the twins, and the promises on bits."""

import itertools

import numpy as np
import pytest

from minikeras import kernels
from minikeras.kernels import TABLE

from . import checks

FAMILIES = ("recurrent_lstm", "recurrent_gru", "recurrent_simple", "recurrent_columns")
NAMES = [name for family in FAMILIES for name in TABLE[family]]
GATES = {"lstm": 4, "gru_after": 3, "gru_before": 3, "simple_rnn": 1}
COLUMNS = {"lstm_columns": "lstm", "gru_columns": "gru_after", "simple_rnn_columns": "simple_rnn"}

# batch, steps, units
SHAPES = [
    (1, 4, 1), (2, 1, 3), (7, 3, 5), (1, 2, 40), (1, 2, 100), (9, 2, 17), (33, 2, 36), (66, 2, 4),
    (2, 0, 3), (0, 2, 3),
]  # fmt: skip
VARIANTS = ["plain", "masked", "dropped", "backwards", "all"]


def arguments(name: str, batch: int, steps: int, units: int, variant: str) -> dict:
    """Arguments by name, random where the kernel reads them."""
    rng = np.random.default_rng(batch + 10 * steps + 100 * units)
    forward = COLUMNS.get(name, name.removesuffix("_grad"))
    width = GATES[forward] * units
    masked, dropped = variant in ("masked", "all"), variant in ("dropped", "all")
    backwards = variant in ("backwards", "all")
    sequence, state = (batch, steps, units), (batch, units)

    def random(*shape):
        return rng.normal(0, 0.5, shape)

    known = {
        "turns": kernels.turns(20),
        "yields": 0,
        "w": random(units, width),
        "bias": random(width if variant != "plain" else 0),
        "h0": random(*state),
        "c0": random(*state),
        "mask": rng.integers(0, 2, (batch, steps)) if masked else np.zeros((0, 0)),
        "keep": rng.integers(0, 2, state) * 1.5 if dropped else np.zeros((0, 0)),
        "backwards": int(backwards),
        "act": 3,
        "g_outputs": random(*sequence) if variant != "masked" else np.zeros((0, 0, 0)),
        "g_h": random(*state) if variant != "dropped" else np.zeros((0, 0)),
        "g_c": random(*state) if variant != "dropped" else np.zeros((0, 0)),
        **{n: random(batch, steps, width) for n in ("gates", "z", "dz", "di")},
        **{n: random(*sequence) for n in ("cells", "before", "outputs", "inside")},
        **{n: random(*state) for n in ("h", "c", "dh0", "dc0")},
        "sums": random(batch, width + (units if forward == "gru_after" else 0)),
    }
    if not name.endswith("_grad"):
        return known
    taken = [known[a] for a in family_of(forward)[forward]]
    ready = checks.cast(forward, taken, "float64")
    kernels.run([kernels.launch(forward, *ready)])
    return known | dict(zip(family_of(forward)[forward], ready, strict=True))


def family_of(name: str) -> dict:
    return TABLE[kernels.FAMILY[name]]


def case(name: str, shape: tuple, variant: str, **given) -> tuple:
    known = arguments(name, *shape, variant) | given
    return tuple(known[a] for a in family_of(name)[name])


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", NAMES)
def test_kernel_agrees_with_its_twin(name, floats):
    others = zip(SHAPES, VARIANTS * 2, strict=True)
    for shape, variant in [*itertools.product(SHAPES[:3], VARIANTS), *others]:
        if name in COLUMNS and shape[1] == 0:  # the states at the end come from the last step
            continue
        checks.check(name, floats, case(name, shape, variant), tolerance=16)


@pytest.mark.parametrize("act", range(3))
@pytest.mark.parametrize("name", TABLE["recurrent_simple"])
def test_other_activations_of_the_simple_recurrence(name, act):
    checks.check(name, "float32", case(name, (9, 3, 5), "all", act=act), tolerance=16)


@pytest.mark.parametrize("name", COLUMNS)
def test_weights_that_a_thread_cannot_keep_are_refused(name):
    given = checks.cast(name, case(name, (1, 2, 1000), "plain"), "float64")
    with pytest.raises(kernels.KernelError, match="too many for a thread"):
        kernels.run([kernels.launch(name, *given, tasks=2)])
    given = checks.cast(name, case(name, (1, 2, 10), "plain"), "float32")
    with pytest.raises(kernels.KernelError, match="more words"):
        kernels.run([kernels.launch(name, *given, tasks=30)])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in COLUMNS])
def test_weights_that_do_not_fit_the_scratch_memory(name):
    floats = "float64"
    for batch in (1, 3):
        checks.check(name, floats, case(name, (batch, 2, 700), "plain"), 400, absolute=20.0)


@pytest.mark.parametrize("name", NAMES)
def test_bits_depend_neither_on_tasks_nor_on_threads(name):
    before = kernels.num_threads()
    given = case(name, (20, 3, 35), "all")
    try:
        first = None
        for threads, tasks in itertools.product((1, 2, 3, 8), (1, 2, 3, 8, 20)):
            kernels.set_num_threads(threads)
            out = checks.result(name, checks.cast(name, given, "float32"), tasks)
            first = first or {k: a.copy() for k, a in out.items()}
            assert all(checks.same_bits(out[k], first[k]) for k in out)
    finally:
        kernels.set_num_threads(before)


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", COLUMNS)
def test_bits_are_the_same_whether_tasks_share_rows_or_units(name, floats):
    for shape, variant in itertools.product([(1, 3, 17), (3, 2, 100), (2, 2, 300)], VARIANTS):
        by_units = checks.result(name, checks.cast(name, case(name, shape, variant), floats), 3)
        rows = COLUMNS[name]
        by_rows = checks.result(rows, checks.cast(rows, case(rows, shape, variant), floats))
        assert by_units.keys() == {*by_rows, "turns"}
        assert all(checks.same_bits(by_units[k], by_rows[k]) for k in by_rows)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["lstm_grad", "gru_after_grad", "gru_before_grad"])
def test_gradients_may_take_the_place_of_the_gates(name, variant):
    given = checks.cast(name, case(name, (9, 4, 17), variant), "float32")
    apart = {a: array.copy() for a, array in checks.result(name, given, 2).items()}
    places = {argument: k for k, argument in enumerate(family_of(name)[name])}
    given[places["dz"]] = given[places["gates"]]
    kernels.run([kernels.launch(name, *given, tasks=2)])
    for argument, array in apart.items():
        np.testing.assert_array_equal(given[places[argument]], array)


@pytest.mark.parametrize("name", ["lstm", "gru_after", "gru_before", "simple_rnn"])
def test_nan_reaches_what_follows_it_and_no_other_row(name):
    known = arguments(name, 5, 6, 4, "plain")
    known["gates"][2, 3, 1] = known["z"][2, 3, 1] = np.nan
    taken = [known[a] for a in family_of(name)[name]]
    out = checks.result(name, checks.cast(name, taken, "float32"))
    if name in ("lstm", "gru_after", "gru_before", "simple_rnn"):
        hit = np.isnan(out["outputs"]).any(-1)
        wanted = np.zeros((5, 6), bool)
        wanted[2, 3:] = True
        assert (hit == wanted).all()


def test_a_masked_step_does_not_look_at_its_input():
    known = arguments("lstm", 2, 3, 4, "plain")
    known["gates"][0, 1] = np.nan
    known["mask"] = np.array([[1, 0, 1], [1, 1, 1]])
    taken = [known[a] for a in TABLE["recurrent_lstm"]["lstm"]]
    out = checks.result("lstm", checks.cast("lstm", taken, "float32"))
    assert not any(np.isnan(a).any() for a in out.values())
    np.testing.assert_array_equal(out["outputs"][0, 1], out["outputs"][0, 0])
