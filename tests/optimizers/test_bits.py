"""The same bits: eager or replayed, for any number of threads, after a pause."""

import copy
import pickle

import numpy as np
import pytest

from minikeras import Variable, kernels, ops, optimizers
from minikeras.autodiff import Tape
from minikeras.constraints import MaxNorm
from minikeras.core.serialize import deserialize, serialize
from minikeras.program import Replayed
from tests.optimizers.zoo import OPTIONS, RULES, ZOO, make

every_optimizer = pytest.mark.parametrize("name", sorted([*ZOO, *RULES]))
every_option = pytest.mark.parametrize("option", sorted(OPTIONS))
STEPS = 5


def start(dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    made = [
        Variable(rng.standard_normal((7, 3)).astype(dtype), name="kernel"),
        Variable(rng.standard_normal(5).astype(dtype), name="bias_1"),
        Variable(rng.standard_normal((2, 4, 3)).astype(dtype), name="filters"),
    ]
    made[0].constraint = MaxNorm(1.5)
    return made


def step(variables, optimizer, x):
    kernel, bias, filters = variables
    with Tape() as tape:
        for variable in variables:
            tape.watch(variable)
        loss = ops.sum(ops.square(kernel)) + ops.sum(ops.exp(bias) * x) + ops.sum(filters * 0.3)
        scaled = optimizer.scale_loss(loss)
    optimizer.apply(tape.gradient(scaled, variables), variables)


def inputs(dtype="float32"):
    rng = np.random.default_rng(1)
    return [rng.standard_normal(5).astype(dtype) for _ in range(STEPS)]


def state(variables, optimizer):
    return [np.asarray(v.numpy()) for v in (*variables, *optimizer.variables)]


def assert_same_bits(one, other):
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes()


def walked(name, option, replayed, dtype="float32"):
    variables, optimizer = start(dtype), make(name, option)
    run = lambda x: step(variables, optimizer, x)  # noqa: E731
    if replayed:
        run = Replayed(lambda x: step(variables, optimizer, x) or [])
    for x in inputs(dtype):
        run(x)
    return state(variables, optimizer)


@every_option
@every_optimizer
def test_a_replayed_step_gives_the_bits_of_the_eager_one(name, option):
    assert_same_bits(walked(name, option, False), walked(name, option, True))


@every_optimizer
def test_float64_variables_are_walked_in_float64(name):
    eager = walked(name, "everything", False, "float64")
    assert_same_bits(eager, walked(name, "everything", True, "float64"))
    assert all(array.dtype == "float64" for array in eager[:3])
    single = walked(name, "everything", False)
    for a, b in zip(eager[:3], single[:3], strict=True):
        assert a.astype("float32").tobytes() != b.tobytes()
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@every_optimizer
def test_bits_do_not_depend_on_the_number_of_threads(name):
    rng = np.random.default_rng(0)
    shapes = {"kernel": (300, 150), "bias_1": (40_000,), "filters": (3, 64, 100)}
    values = {k: rng.standard_normal(s).astype("float32") for k, s in shapes.items()}
    grads = [rng.standard_normal(s).astype("float32") for s in shapes.values()]
    before, results = kernels.num_threads(), []
    try:
        for threads in (1, 2, 3):
            kernels.set_num_threads(threads)
            variables = [Variable(value, name=key) for key, value in values.items()]
            optimizer = make(name, "everything")
            for _ in range(2):
                optimizer.apply(grads, variables)
            results.append(state(variables, optimizer))
    finally:
        kernels.set_num_threads(before)
    assert not np.array_equal(results[0][0], values["kernel"])
    assert_same_bits(results[0], results[1])
    assert_same_bits(results[0], results[2])


@pytest.mark.parametrize("option", ["plain", "everything"])
@every_optimizer
def test_a_walk_goes_on_from_config_and_state_in_the_same_bits(name, option):
    if name in RULES:
        pytest.skip("only registered classes have configs")
    variables, optimizer = start(), make(name, option)
    x = inputs()
    for each in x[:3]:
        step(variables, optimizer, each)
    copies, twin = start(), deserialize(serialize(optimizer))
    assert twin.get_config() == optimizer.get_config()
    for its, variable in zip(copies, variables, strict=True):
        its.assign(variable.numpy())
    twin.build(copies)
    store = {}
    optimizer.save_own_variables(store)
    twin.load_own_variables(store)
    for each in x[3:]:
        step(variables, optimizer, each)
        step(copies, twin, each)
    assert_same_bits(state(variables, optimizer), state(copies, twin))


@every_optimizer
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_a_copy_goes_on_in_the_same_bits(name, copied):
    variables, optimizer = start(), make(name, "everything")
    assert copied(optimizer).get_config() == optimizer.get_config()
    optimizer.exclude_from_weight_decay(variables[:1], ["bias"])
    x = inputs()
    for each in x[:3]:
        step(variables, optimizer, each)
    twins, twin = copied((variables, optimizer))
    for each in x[3:]:
        step(variables, optimizer, each)
        step(twins, twin, each)
    assert_same_bits(state(variables, optimizer), state(twins, twin))
    assert twins[0] is not variables[0]


@every_optimizer
def test_the_stateless_step_is_the_step_and_changes_nothing(name):
    variables, optimizer = start(), make(name, "everything")
    optimizer.build(variables)
    for x in inputs()[:3]:
        step(variables, optimizer, x)
    before = state(variables, optimizer)
    grads = [np.full(v.shape, 0.1, "float32") for v in variables]
    values, own = before[:3], before[3:]
    eager = optimizer.stateless_apply(own, grads, values)

    def arranged(*arrays):
        made, kept = optimizer.stateless_apply(arrays[6:], arrays[3:6], arrays[:3])
        return [*made, *kept]

    replayed = Replayed(arranged)
    for _ in range(2):
        found = replayed(*values, *grads, *own)
    assert_same_bits(before, state(variables, optimizer))
    optimizer.apply(grads, variables)
    after = state(variables, optimizer)
    assert_same_bits([np.asarray(a) for part in eager for a in part], after)
    assert_same_bits(found, after)


@pytest.mark.parametrize("name", ["adam", "nadam", "own", "lamb", "loss_scale"])
def test_an_optimizer_applied_twice_in_one_step_counts_both(name):
    def twice(variables, optimizer, x):
        step(variables, optimizer, x)
        step(variables, optimizer, x + 1)

    results = []
    for replayed in (False, True):
        variables, optimizer = start(), make(name, "accumulation")
        run = lambda x, v=variables, o=optimizer: twice(v, o, x)  # noqa: E731
        if replayed:
            run = Replayed(lambda x, v=variables, o=optimizer: twice(v, o, x) or [])
        for x in inputs():
            run(x)
        results.append(state(variables, optimizer))
        assert int(optimizer.iterations) == STEPS  # of two steps each
    assert_same_bits(*results)


def test_two_optimizers_share_one_step():
    results = []
    for replayed in (False, True):
        variables = start()
        first, second = optimizers.Adam(0.1, use_ema=True), optimizers.Nadam(0.05)

        def both(x, variables=variables, first=first, second=second):
            with Tape() as tape:
                for variable in variables:
                    tape.watch(variable)
                loss = sum(ops.sum(ops.square(v)) for v in variables) * ops.mean(x)
            grads = tape.gradient(loss, variables)
            first.apply(grads[:2], variables[:2])
            second.apply(grads[2:], variables[2:])
            return []

        run = Replayed(both) if replayed else both
        for x in inputs():
            run(x)
        results.append([*state(variables, first), *state([], second)])
    assert_same_bits(*results)


@pytest.mark.parametrize("name", ["sgd", "adam", "lamb", "own"])
@pytest.mark.parametrize("option", ["clipnorm", "loss_scale_factor", "accumulation"])
def test_gradients_may_be_looked_at_after_the_step(name, option):
    results = []
    for replayed in (False, True):
        variables, optimizer = start(), make(name, option)

        def looked_at(x, variables=variables, optimizer=optimizer):
            with Tape() as tape:
                for variable in variables:
                    tape.watch(variable)
                loss = sum(ops.sum(ops.square(v)) for v in variables) * ops.mean(x)
            grads = tape.gradient(loss, variables)
            optimizer.apply(grads, variables)
            return [ops.sum(ops.square(g)) for g in grads]

        run = Replayed(looked_at) if replayed else looked_at
        results.append([np.asarray(a) for x in inputs() for a in run(x)])
    assert_same_bits(*results)


def test_a_rate_that_the_step_itself_sets_is_the_rate_of_the_step():
    results = []
    for replayed in (False, True):
        v, optimizer = Variable([0.0]), optimizers.SGD(1.0)

        def warm(x, v=v, optimizer=optimizer):
            optimizer.learning_rate = ops.sum(x)
            optimizer.apply([ops.ones_like(x)], [v])
            return []

        run = Replayed(warm) if replayed else warm
        for rate in (0.5, 0.25):
            run(np.array([rate], "float32"))
        results.append(float(v.numpy()[0]))
    assert results == [-0.75, -0.75]


def test_numbers_changed_between_steps_are_the_numbers_of_the_next():
    v, optimizer = Variable([0.0]), optimizers.SGD(1.0, momentum=0.5)
    key = lambda: optimizer._version  # noqa: E731
    replayed = Replayed(lambda g: optimizer.apply([g], [v]) or [])
    one = np.ones(1, "float32")
    replayed(one, key=key())
    optimizer.momentum = 0.25
    replayed(one, key=key())
    assert v.numpy() == pytest.approx(-1 - 1.25)
