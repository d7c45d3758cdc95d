"""Learning-rate schedules: shapes, arguments and use (numbers against Keras: tests/parity)."""

import math

import numpy as np
import pytest

from minikeras import Variable, ops, optimizers
from minikeras.core.serialize import deserialize, serialize
from minikeras.optimizers import schedules
from minikeras.program import Replayed

ALL = {
    "CosineDecay": lambda: schedules.CosineDecay(0.1, 100, 0.2),
    "CosineDecayRestarts": lambda: schedules.CosineDecayRestarts(0.1, 10, m_mul=0.5, alpha=0.1),
    "ExponentialDecay": lambda: schedules.ExponentialDecay(0.1, 10, 0.5),
    "InverseTimeDecay": lambda: schedules.InverseTimeDecay(0.1, 10, 2.0, staircase=True),
    "PiecewiseConstantDecay": lambda: schedules.PiecewiseConstantDecay([5, 9], [0.3, 0.2, 0.1]),
    "PolynomialDecay": lambda: schedules.PolynomialDecay(0.1, 50, 0.01, power=2.0),
}
every_schedule = pytest.mark.parametrize("name", sorted(ALL))


def test_every_schedule_has_a_case():
    classes = {n for n in schedules.__all__ if isinstance(getattr(schedules, n), type)}
    assert classes - {"LearningRateSchedule"} == set(ALL)


@every_schedule
def test_rates_are_python_floats_for_any_kind_of_step(name):
    schedule = ALL[name]()
    assert type(schedule(7)) is float
    assert schedule(7) == schedule(np.int64(7)) == schedule(np.float32(7)) == schedule(Variable(7))


@every_schedule
def test_a_config_makes_the_same_schedule(name):
    one = ALL[name]()
    twin = deserialize(serialize(one))
    assert twin.get_config() == one.get_config()
    assert [twin(step) for step in range(0, 120, 7)] == [one(step) for step in range(0, 120, 7)]


@every_schedule
def test_an_optimizer_of_a_config_has_the_same_schedule(name):
    one = optimizers.SGD(ALL[name]())
    twin = deserialize(serialize(one))
    assert twin.get_config() == one.get_config()
    assert float(twin.learning_rate) == float(one.learning_rate)


@every_schedule
def test_a_replayed_step_takes_the_rate_of_its_iteration(name):
    schedule, v = ALL[name](), Variable([0.0], dtype="float64")
    optimizer = optimizers.SGD(schedule)
    replayed = Replayed(lambda g: optimizer.apply([g], [v]) or [])
    for _ in range(12):
        replayed(np.ones(1))
    assert v.numpy() == pytest.approx(-sum(schedule(step) for step in range(12)))


def test_a_staircase_changes_only_at_whole_periods():
    smooth = schedules.ExponentialDecay(1.0, 10, 0.5)
    stairs = schedules.ExponentialDecay(1.0, 10, 0.5, staircase=True)
    assert [stairs(step) for step in (0, 9, 10, 19, 20)] == [1, 1, 0.5, 0.5, 0.25]
    assert smooth(5) == pytest.approx(math.sqrt(0.5))


def test_pieces_end_with_their_boundaries():
    schedule = schedules.PiecewiseConstantDecay([2, 4], [3.0, 2.0, 1.0])
    assert [schedule(step) for step in range(6)] == [3, 3, 3, 2, 2, 1]


def test_polynomial_decay_ends_at_its_last_rate_or_cycles():
    once = schedules.PolynomialDecay(1.0, 10, 0.1)
    assert once(0) == pytest.approx(1.0)
    assert once(10) == once(1000) == pytest.approx(0.1)
    cycling = schedules.PolynomialDecay(1.0, 10, 0.0, cycle=True)
    assert cycling(10) == pytest.approx(0.0)
    assert cycling(11) == pytest.approx(1 - 11 / 20)


def test_cosine_decay_warms_up_then_falls_to_alpha():
    schedule = schedules.CosineDecay(0.0, 100, alpha=0.1, warmup_target=1.0, warmup_steps=10)
    assert [schedule(step) for step in (0, 5, 10)] == pytest.approx([0.0, 0.5, 1.0])
    assert schedule(60) == pytest.approx(0.55)
    assert schedule(110) == schedule(500) == pytest.approx(0.1)


def test_restarts_begin_each_period_at_its_top():
    schedule = schedules.CosineDecayRestarts(1.0, 10, t_mul=2.0, m_mul=0.5)
    assert [schedule(step) for step in (0, 10, 30, 70)] == pytest.approx([1, 0.5, 0.25, 0.125])
    assert schedule(9.999) == pytest.approx(0, abs=1e-6)
    even = schedules.CosineDecayRestarts(1.0, 10, t_mul=1.0)
    assert [even(step) for step in (0, 5, 10, 25)] == pytest.approx([1, 0.5, 1, 0.5])


HALVING = {
    "numbers": lambda step: 0.5**step,
    "negative powers": lambda step: 2**-step,
    "numpy": lambda step: np.power(0.5, np.asarray(step, "float32")),
    "ops": lambda step: ops.power(0.5, ops.cast(step, "float32")),
    "a condition": lambda step: (
        1.0 if step < 1 else 0.5 if step < 2 else 0.25 if step < 3 else 0.125
    ),
}


@pytest.mark.parametrize("formula", HALVING.values(), ids=HALVING)
def test_a_schedule_of_ones_own_may_use_numbers_or_ops(formula):
    class Halving(schedules.LearningRateSchedule):
        def __call__(self, step):
            return formula(step)

    v = Variable([0.0])
    optimizer = optimizers.SGD(Halving())
    replayed = Replayed(lambda g: optimizer.apply([g], [v]) or [])
    for _ in range(3):
        replayed(np.ones(1, "float32"))
    assert v.numpy() == pytest.approx(-1.75)
    assert float(optimizer.learning_rate) == pytest.approx(0.125)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda: schedules.InverseTimeDecay(0.1, -3, 0.5), "decay_steps"),
        (lambda: schedules.PolynomialDecay(0.1, 0), "decay_steps"),
        (lambda: schedules.CosineDecay(0.1, 0), "decay_steps"),
        (lambda: schedules.CosineDecayRestarts(0.1, 0), "first_decay_steps"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "one value more"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "must increase"),
        (lambda: schedules.get("cosine_decai"), "Did you mean"),
    ],
)
def test_misuse_gets_a_clear_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("rate", [lambda: 0.25, lambda: np.float32(0.25), lambda: ops.ones(()) / 4])
def test_a_function_without_arguments_may_give_the_rate(rate):
    v, optimizer = Variable([0.0]), optimizers.SGD(rate)
    replayed = Replayed(lambda g: optimizer.apply([g], [v]) or [])
    replayed(np.ones(1, "float32"))
    assert v.numpy() == -0.25
    assert float(optimizer.learning_rate) == 0.25


def test_a_step_that_looks_at_the_rate_sees_that_of_its_iteration():
    v = Variable([0.0])
    optimizer = optimizers.SGD(schedules.PiecewiseConstantDecay([0], [1.0, 0.5]))

    def step(g):
        optimizer.apply([g], [v])
        return [optimizer.learning_rate * 1.0]

    replayed = Replayed(step)
    assert [float(replayed(np.ones(1, "float32"))[0]) for _ in range(3)] == [1.0, 0.5, 0.5]


def test_a_rate_may_be_replaced_by_a_schedule():
    v, optimizer = Variable([0.0]), optimizers.SGD(1.0)
    optimizer.build([v])
    assert len(optimizer.variables) == 2
    optimizer.learning_rate = schedules.InverseTimeDecay(0.5, 1, 1.0)
    assert len(optimizer.variables) == 1
    optimizer.apply([[1.0]], [v])
    assert v.numpy() == -0.5
