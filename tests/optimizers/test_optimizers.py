"""Every optimizer: solves problems, equals its formula, replays, round-trips."""

import math

import numpy as np
import pytest

import minikeras as keras
from minikeras import Variable, ops, optimizers
from minikeras.autodiff import Tape
from minikeras.optimizers import schedules
from minikeras.program import Replayed

ZOO = {
    "sgd": lambda **k: optimizers.SGD(0.1, **k),
    "momentum": lambda **k: optimizers.SGD(0.02, momentum=0.9, **k),
    "nesterov": lambda **k: optimizers.SGD(0.02, momentum=0.9, nesterov=True, **k),
    "adagrad": lambda **k: optimizers.Adagrad(0.5, **k),
    "rmsprop": lambda **k: optimizers.RMSprop(0.05, **k),
    "rmsprop_momentum": lambda **k: optimizers.RMSprop(0.01, momentum=0.5, **k),
    "rmsprop_centered": lambda **k: optimizers.RMSprop(0.01, centered=True, **k),
    "adam": lambda **k: optimizers.Adam(0.1, **k),
    "amsgrad": lambda **k: optimizers.Adam(0.1, amsgrad=True, **k),
    "adamw": lambda **k: optimizers.AdamW(0.1, weight_decay=1e-5, **k),
    "adadelta": lambda **k: optimizers.Adadelta(5.0, epsilon=1e-4, **k),
    "adamax": lambda **k: optimizers.Adamax(0.1, **k),
    "nadam": lambda **k: optimizers.Nadam(0.1, **k),
    "ftrl": lambda **k: optimizers.Ftrl(1.0, **k),
    "ftrl_power": lambda **k: optimizers.Ftrl(0.5, learning_rate_power=-0.3, **k),
    "lion": lambda **k: optimizers.Lion(0.02, **k),
    "schedule_free": lambda **k: optimizers.ScheduleFreeAdamW(0.2, warmup_steps=10, **k),
}


def descend(optimizer, steps=300):
    x, y = Variable([1.5]), Variable([[-1.0, 2.0]])
    for _ in range(steps):
        with Tape() as tape:
            tape.watch(x), tape.watch(y)
            loss = ops.sum(ops.square(x - 3.0)) + 0.5 * ops.sum(ops.square(y))
        optimizer.apply(tape.gradient(loss, [x, y]), [x, y])
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


@pytest.mark.parametrize("name", sorted(ZOO))
@pytest.mark.parametrize(
    "extra", [{}, {"clipnorm": 0.5}, {"clipvalue": 0.1}, {"global_clipnorm": 0.7}]
)
def test_a_replayed_update_gives_the_bits_of_the_eager_one(name, extra, rng):
    start = [
        rng.standard_normal((7, 3)).astype("float32"),
        rng.standard_normal(5).astype("float32"),
    ]

    def make():
        return [Variable(a) for a in start], ZOO[name](**extra)

    def step(variables, optimizer, x):
        with Tape() as tape:
            for v in variables:
                tape.watch(v)
            loss = ops.sum(ops.square(variables[0])) + ops.sum(ops.exp(variables[1]) * x)
        optimizer.apply(tape.gradient(loss, variables), variables)

    eager, recorded = make(), make()
    replayed = Replayed(lambda x: step(*recorded, x) or [])
    for _ in range(4):
        x = rng.standard_normal(5).astype("float32")
        step(*eager, x)
        replayed(x)
    for a, b in zip(
        [*eager[0], *eager[1].variables], [*recorded[0], *recorded[1].variables], strict=True
    ):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


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
    assert float(optimizers.SGD(lr=0.25).learning_rate) == 0.25
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


@pytest.mark.parametrize("name", sorted(ZOO))
def test_a_config_makes_the_same_optimizer(name):
    first = ZOO[name](clipnorm=2.0)
    second = type(first).from_config(first.get_config())
    assert second.get_config() == first.get_config()


@pytest.mark.parametrize("seed", range(3))
def test_gradients_pass_through_the_reduce_seam(seed):
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
