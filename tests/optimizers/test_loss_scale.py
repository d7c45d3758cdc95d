"""Scaled losses: a fixed factor, and one that finds itself."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import Variable, optimizers
from minikeras.core.serialize import deserialize, serialize
from minikeras.program import Replayed

TWO = np.full(1, 2.0, "float32")
BAD = np.full(1, np.inf, "float32")


def state(optimizer):
    return int(optimizer.step_counter.numpy()), float(optimizer.dynamic_scale.numpy())


def make(**arguments):
    return optimizers.LossScaleOptimizer(
        optimizers.SGD(1.0), **{"initial_scale": 4.0, "dynamic_growth_steps": 2, **arguments}
    )


def test_a_fixed_factor_scales_the_loss_and_is_taken_out_of_the_gradients():
    v, optimizer = Variable([0.0]), optimizers.SGD(1.0, loss_scale_factor=8.0)
    assert optimizer.scale_loss(2.0) == 16.0
    optimizer.apply([TWO], [v])
    assert v.numpy() == -0.25
    assert optimizers.SGD(1.0).scale_loss(2.0) == 2.0


@pytest.mark.parametrize("replayed", [False, True])
def test_the_scale_grows_after_good_steps_and_halves_when_a_gradient_overflows(replayed):
    v, optimizer = Variable([0.0]), make()
    run = lambda g: optimizer.apply([g], [v])  # noqa: E731
    if replayed:
        run = Replayed(lambda g: optimizer.apply([g], [v]) or [])
    seen = []
    for g in (TWO, TWO, BAD, TWO, np.full(1, np.nan, "float32"), TWO):
        run(g)
        seen.append((float(v.numpy()[0]), *state(optimizer), int(optimizer.iterations)))
    assert seen == [
        (-0.5, 1, 4.0, 1),
        (-1.0, 0, 8.0, 2),
        (-1.0, 0, 4.0, 2),
        (-1.5, 1, 4.0, 3),
        (-1.5, 0, 2.0, 3),
        (-2.5, 1, 2.0, 4),
    ]


def test_one_bad_number_among_many_is_found():
    for bad in (np.nan, np.inf, -np.inf):
        variables = [Variable(np.zeros(5000)), Variable(np.zeros((70, 90)))]
        optimizer = make()
        grads = [np.zeros(5000), np.zeros((70, 90))]
        grads[1][-1, -1] = bad
        optimizer.apply(grads, variables)
        assert state(optimizer) == (0, 2.0)
        assert not bool(optimizer.check_finite(grads))
    assert bool(optimizer.check_finite([np.zeros(3), None]))


def test_training_with_a_scaled_loss_reports_the_loss_itself():
    def trained(optimizer):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile(optimizer, "mse")
        x = np.linspace(-1, 1, 30, dtype="float32").reshape(10, 3)
        history = model.fit(x, x[:, :1], batch_size=5, epochs=3, verbose=0).history
        return history["loss"], model

    plain, _ = trained(optimizers.Adam(0.05))
    for optimizer in (
        optimizers.Adam(0.05, loss_scale_factor=64.0),
        optimizers.LossScaleOptimizer(optimizers.Adam(0.05), initial_scale=64.0),
    ):
        loss, model = trained(optimizer)
        np.testing.assert_allclose(loss, plain, rtol=1e-6)
        assert int(model.optimizer.iterations) == 6


def test_the_rate_and_the_averages_are_those_of_the_inner_optimizer():
    inner = optimizers.SGD(0.5, use_ema=True)
    optimizer = optimizers.LossScaleOptimizer(inner, initial_scale=1.0)
    assert float(optimizer.learning_rate) == 0.5
    optimizer.learning_rate = 0.25
    assert float(inner.learning_rate) == 0.25
    v = Variable([1.0])
    optimizer.apply([TWO], [v])
    assert optimizer.use_ema
    assert optimizer.averages[0].numpy() == v.numpy() == 0.5
    optimizer.finalize_variable_values([v])


def test_a_config_makes_the_same_optimizer():
    optimizer = make(name="scaled")
    twin = deserialize(serialize(optimizer))
    assert twin.get_config() == optimizer.get_config()
    assert type(twin.inner_optimizer) is optimizers.SGD
    old = {**optimizer.get_config(), "weight_decay": None, "use_ema": False, "dynamic": True}
    assert optimizers.LossScaleOptimizer.from_config(old).initial_scale == 4.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"clipnorm": 1.0}, ValueError, "Give it to the inner optimizer"),
        ({"dynamic": False}, ValueError, "loss_scale_factor"),
        ({"initial_scal": 2.0}, TypeError, "Did you mean 'initial_scale'"),
        ({"initial_scale": 0.0}, ValueError, "must be positive"),
        ({"inner_optimizer": "adam"}, ValueError, "must be an optimizer"),
    ],
)
def test_misuse_gets_a_clear_error(arguments, error, message):
    with pytest.raises(error, match=message):
        optimizers.LossScaleOptimizer(**{"inner_optimizer": optimizers.SGD(), **arguments})


def test_the_loss_is_scaled_once_only():
    with pytest.raises(ValueError, match="must not scale the loss, too"):
        optimizers.LossScaleOptimizer(optimizers.SGD(loss_scale_factor=2.0))
    with pytest.raises(ValueError, match="does not find the scale itself"):
        optimizers.LossScaleOptimizer(make())


@pytest.mark.parametrize("wrap", ["loss_scale", "multi"])
def test_changes_of_an_inner_optimizer_are_seen_by_recorded_training(wrap):
    inner = optimizers.SGD(1.0)
    if wrap == "multi":
        optimizer = optimizers.MultiOptimizer(lambda variable: inner)
    else:
        optimizer = optimizers.LossScaleOptimizer(inner, initial_scale=1.0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(optimizer, "mse")
    x = np.ones((2, 1), "float32")
    model.set_weights([np.zeros((1, 1))])
    model.train_on_batch(x, x)
    assert model.get_weights()[0] == 2.0
    inner.clipvalue = 0.5
    model.train_on_batch(x, x)
    assert model.get_weights()[0] == 1.5
    seen = []
    optimizer.reduce = lambda flat: seen.append(flat.copy())
    model.train_on_batch(x, x)
    assert len(seen) == 1
    before = optimizer._version
    inner.clipvalue = None
    assert optimizer._version > before
