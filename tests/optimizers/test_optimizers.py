"""Every optimizer solves problems; clipping, decay, rates, misuse."""

import math

import numpy as np
import pytest

import minikeras as keras
from minikeras import Variable, ops, optimizers
from minikeras.autodiff import Tape
from minikeras.optimizers import schedules
from minikeras.program import Replayed
from tests.optimizers.zoo import ZOO


def descend(optimizer, steps=300):
    x, y = Variable([1.5]), Variable([[-1.0, 2.0]])

    def step():
        with Tape() as tape:
            tape.watch(x), tape.watch(y)
            loss = ops.sum(ops.square(x - 3.0)) + 0.5 * ops.sum(ops.square(y))
        optimizer.apply(tape.gradient(loss, [x, y]), [x, y])
        return []

    replayed = Replayed(step)
    for _ in range(steps):
        replayed()
    return float(x.numpy()[0]), float(np.abs(y.numpy()).max())


@pytest.mark.parametrize("name", sorted(ZOO))
def test_every_optimizer_finds_the_bottom_of_a_parabola(name):
    x, y = descend(ZOO[name]())
    assert abs(x - 3) < 0.05
    assert y < 0.05


def test_every_optimizer_of_the_room_is_in_the_zoo():
    classes = {type(make()) for make in ZOO.values()}
    exported = {
        c
        for n in optimizers.__all__
        if isinstance(c := getattr(optimizers, n), type)
        and issubclass(c, optimizers.Optimizer)
        and c is not optimizers.Optimizer
    }
    assert exported == classes


def test_adam_follows_its_formula():
    v = Variable([1.0, -2.0], dtype="float64")
    w, m, s = v.numpy(), np.zeros(2), np.zeros(2)
    optimizer = optimizers.Adam(0.1)
    for t in range(1, 6):
        g = np.array([0.3 * t, -1.0])
        optimizer.apply([g], [v])
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * g * g
        w = w - 0.1 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(s) + 1e-7)
        np.testing.assert_allclose(v.numpy(), w, rtol=1e-6)


def test_clipnorm_limits_each_gradient_and_global_clipnorm_all_of_them():
    grads = [np.array([3.0, 4.0], "float32"), np.array([0.3, 0.4], "float32")]
    each = [Variable([0.0, 0.0]), Variable([0.0, 0.0])]
    optimizers.SGD(1.0, clipnorm=1.0).apply(grads, each)
    np.testing.assert_allclose(each[0].numpy(), [-0.6, -0.8], rtol=1e-6)
    np.testing.assert_allclose(each[1].numpy(), [-0.3, -0.4], rtol=1e-6)
    both = [Variable([0.0, 0.0]), Variable([0.0, 0.0])]
    optimizers.SGD(1.0, global_clipnorm=1.0).apply(grads, both)
    total = math.sqrt(sum(float(np.sum(v.numpy() ** 2)) for v in both))
    assert total == pytest.approx(1.0, rel=1e-6)
    one = Variable([0.0, 0.0])
    optimizers.SGD(1.0, clipvalue=3.5).apply(grads[:1], [one])
    np.testing.assert_allclose(one.numpy(), [-3.0, -3.5])


def test_weight_decay_shrinks_weights_unless_excluded():
    kept, decayed = Variable([1.0], name="bias"), Variable([1.0], name="kernel")
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([np.zeros(1, "float32")] * 2, [kept, decayed])
    assert kept.numpy() == 1.0
    assert decayed.numpy() == pytest.approx(0.95)


def test_a_variable_without_gradient_stays_as_it_is():
    a, b = Variable([1.0]), Variable([1.0])
    optimizer = optimizers.Adam(0.1)
    optimizer.build([a, b])
    with pytest.warns(UserWarning, match=f"does not depend on .*{b.path}"):
        optimizer.apply([np.ones(1, "float32"), None], [a, b])
    optimizer.apply([np.ones(1, "float32"), None], [a, b])  # told once
    assert a.numpy() != 1.0
    assert b.numpy() == 1.0


def test_a_rule_of_ones_own_is_recorded_and_trains():
    class Signed(optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            variable.assign_sub(ops.sign(gradient) * learning_rate)

    v = Variable([1.0, -1.0])
    optimizer = Signed(schedules.ExponentialDecay(0.5, 1, 0.5))
    replayed = Replayed(lambda g: optimizer.apply([g], [v]) or [])
    for _ in range(2):
        replayed(np.array([2.0, -3.0], "float32"))
    np.testing.assert_allclose(v.numpy(), [0.25, -0.25])


def test_a_schedule_is_read_at_every_step_and_cannot_be_overwritten():
    optimizer = optimizers.SGD(schedules.PiecewiseConstantDecay([1], [1.0, 0.1]))
    v = Variable([0.0])
    seen = []
    for _ in range(4):
        seen.append(round(float(optimizer.learning_rate), 6))
        optimizer.apply([np.ones(1, "float32")], [v])
    assert seen == [1.0, 1.0, 0.1, 0.1]
    assert v.numpy() == pytest.approx(-2.2)
    with pytest.raises(TypeError, match="schedule"):
        optimizer.learning_rate = 0.1


def test_old_names_mean_what_they_say_and_unknown_ones_are_errors():
    optimizer = optimizers.SGD(lr=0.25)
    assert float(optimizer.learning_rate) == float(optimizer.lr) == 0.25
    optimizer.lr = 0.5
    assert float(optimizer.learning_rate) == 0.5
    with pytest.raises(TypeError, match="not both"):
        optimizers.SGD(0.1, lr=0.2)
    with pytest.raises(TypeError, match="Did you mean 'momentum'"):
        optimizers.SGD(momentun=0.9)
    with pytest.raises(ValueError, match="Did you mean 'adam'"):
        optimizers.get("adamm")
    with pytest.raises(ValueError, match="at most one"):
        optimizers.SGD(clipnorm=1.0, clipvalue=1.0)


def test_variables_the_optimizer_was_not_built_for_are_refused():
    optimizer = optimizers.SGD(0.1)
    optimizer.build([Variable([1.0])])
    with pytest.raises(ValueError, match="built for other variables"):
        optimizer.apply([np.ones(1, "float32")], [Variable([1.0])])


def test_gradients_pass_through_the_reduce_seam():
    v = Variable([1.0, 1.0])
    optimizer = optimizers.SGD(1.0)
    seen = []

    def halve(flat):
        seen.append(flat.copy())
        flat *= 0.5

    optimizer.reduce = halve
    optimizer.apply([np.array([1.0, 2.0], "float32")], [v])
    np.testing.assert_allclose(v.numpy(), [0.5, 0.0])
    assert len(seen) == 1
    assert keras.optimizers is optimizers


@pytest.mark.parametrize(
    ("gradients", "divisors"), [((0.1, 0.2), (0.1, 0.2236068)), ((20.0, 10.0), (20.0, 22.360680))]
)
def test_adagrad_divides_the_rate_by_the_root_of_all_squares(gradients, divisors):
    optimizer = optimizers.Adagrad(0.5, initial_accumulator_value=0, epsilon=0)
    v = Variable([0.0], dtype="float64")
    for gradient, divisor in zip(gradients, divisors, strict=True):
        before = v.numpy()
        optimizer.apply([[gradient]], [v])
        np.testing.assert_allclose(before - v.numpy(), 0.5 / divisor * gradient, rtol=1e-6)


def test_the_decay_of_keras_2_is_the_schedule_it_stands_for():
    optimizer = optimizers.SGD(lr=0.1, decay=0.5)
    v = Variable([0.0], dtype="float64")
    for _ in range(3):
        optimizer.apply([[1.0]], [v])
    assert v.numpy() == pytest.approx(-0.1 * (1 + 1 / 1.5 + 1 / 2))
    record = optimizer.get_config()["learning_rate"]
    assert (record["class_name"], record["config"]["decay_rate"]) == ("InverseTimeDecay", 0.5)
    assert float(optimizers.SGD(0.1, decay=0.0).learning_rate) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="not both"):
        optimizers.SGD(schedules.ExponentialDecay(0.1, 1, 0.5), decay=0.1)
    with pytest.raises(ValueError, match="`decay` must be a number of at least 0"):
        optimizers.SGD(0.1, decay=-1)


def test_weight_decay_exclusions_are_regular_expressions_of_names():
    variables = [Variable([1.0], name=name) for name in ("bias", "kernel", "gamma")]
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay([variables[1]], ["^bi"])
    optimizer.apply([np.zeros(1)] * 3, variables)
    assert [float(v.numpy()[0]) for v in variables] == [1.0, 1.0, pytest.approx(0.95)]
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["gamma"])
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["layer_norm"])
    with pytest.warns(UserWarning, match="no variable has a name with layer_norm"):
        optimizer.build(variables)


def test_a_global_norm_spans_variables_of_all_dtypes():
    single, double = Variable([0.0]), Variable([0.0], dtype="float64")
    optimizers.SGD(1.0, global_clipnorm=1.0).apply([[3.0], [4.0]], [single, double])
    np.testing.assert_allclose(single.numpy(), -0.6, rtol=1e-6)
    np.testing.assert_allclose(double.numpy(), -0.8, rtol=1e-6)


@pytest.mark.parametrize("option", ["clipnorm", "global_clipnorm"])
def test_a_nan_is_forgotten_once_the_weights_are_good_again(option):
    v = Variable(np.ones(3))
    optimizer = optimizers.SGD(1.0, **{option: 1.0})
    optimizer.apply([[np.nan, 0, 0]], [v])
    assert np.isnan(v.numpy()).all()
    v.assign(np.ones(3))
    optimizer.apply([[1.0, 0, 0]], [v])
    np.testing.assert_allclose(v.numpy(), [0, 1, 1])


def test_gradients_may_be_lists_integers_and_of_another_dtype():
    v = Variable([1.0, 1.0])
    optimizer = optimizers.SGD(0.5)
    for gradient in ([1, 0], np.array([1, 0]), np.array([1.0, 0.0]), Variable([1.0, 0.0])):
        v.assign([1.0, 1.0])
        optimizer.apply([gradient], [v])
        np.testing.assert_array_equal(v.numpy(), [0.5, 1.0])
    replayed = Replayed(lambda g: optimizer.apply([g], [v]) or [])
    replayed(np.array([1.0, 0.0]))  # float64 to float32
    np.testing.assert_array_equal(v.numpy(), [0.0, 1.0])


def test_variables_without_numbers_are_no_trouble():
    for name in ZOO:
        v, empty = Variable(np.ones((2, 2)), name="v_1"), Variable(np.ones((0, 3)), name="e")
        ZOO[name]().apply([np.ones((2, 2)), np.ones((0, 3))], [v, empty])
        assert np.isfinite(v.numpy()).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.Lion(beta_1=0), "beta_1 must lie above 0"),
        (lambda: optimizers.ScheduleFreeAdamW(beta_1=0), "beta_1 must lie above 0"),
        (lambda: optimizers.Ftrl(learning_rate_power=0.5), "at most 0"),
        (lambda: optimizers.Ftrl(l1_regularization_strength=-1), "l1_regularization_strength"),
        (lambda: optimizers.Adafactor(clip_threshold=0), "clip_threshold must be positive"),
        (lambda: optimizers.Muon(exclude_layers="head"), r"Write \['head'\]"),
        (lambda: optimizers.Muon(ns_steps=-1), "ns_steps"),
        (lambda: optimizers.AdamW(weight_decay=None), "Use Adam"),
    ],
)
def test_arguments_outside_their_range_are_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
