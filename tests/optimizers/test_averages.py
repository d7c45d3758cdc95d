"""Averages of the weights, and steps whose gradients are accumulated."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import Variable, optimizers
from minikeras.constraints import NonNeg
from tests.optimizers.zoo import Own

ONE = np.ones(1, "float32")


def test_the_average_starts_as_the_weights_and_follows_them():
    v, optimizer = Variable([0.0]), optimizers.SGD(1.0, use_ema=True, ema_momentum=0.75)
    seen = []
    for _ in range(3):
        optimizer.apply([-ONE], [v])
        seen.append(float(optimizer.averages[0].numpy()[0]))
    assert seen == [1.0, 1.25, 1.6875]


def test_averages_take_the_place_of_the_weights_every_so_often():
    v = Variable([0.0])
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)
    seen = []
    for _ in range(4):
        optimizer.apply([-ONE], [v])
        seen.append(float(v.numpy()[0]))
    assert seen == [1.0, 1.5, 2.5, 2.75]


def test_finalizing_puts_the_averages_in_place():
    v, optimizer = Variable([0.0]), optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.finalize_variable_values([v])  # not built: nothing to do
    for _ in range(2):
        optimizer.apply([-ONE], [v])
    optimizer.finalize_variable_values([v])
    assert v.numpy() == 1.5
    with pytest.raises(ValueError, match="keeps no average of 'other'"):
        optimizer.finalize_variable_values([Variable([0.0], name="other")])


def test_averages_are_not_to_be_had_without_use_ema():
    optimizer = optimizers.SGD(1.0)
    with pytest.raises(ValueError, match="use_ema=False"):
        optimizer.swap_averages()
    optimizer.finalize_variable_values([Variable([0.0])])
    with pytest.raises(ValueError, match="not built yet"):
        optimizers.SGD(1.0, use_ema=True).swap_averages()


def test_variables_without_gradient_are_averaged_too():
    a, b = Variable([1.0]), Variable([2.0])
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.build([a, b])
    optimizer.apply([ONE], [a])
    assert [float(average.numpy()[0]) for average in optimizer.averages] == [0.0, 2.0]


@pytest.mark.parametrize("kind", [optimizers.SGD, Own])
def test_accumulated_steps_are_one_step_by_the_mean(kind):
    a, b = Variable([1.0, 1.0]), Variable([1.0, 1.0])
    slow, fast = kind(0.5, gradient_accumulation_steps=3), kind(0.5)
    grads = np.array([[1, 0], [2, 3], [6, 0], [1, 1]], "float32")
    for g in grads:
        slow.apply([g], [a])
    fast.apply([grads[:3].mean(axis=0)], [b])
    np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert int(slow.iterations) == 1
    np.testing.assert_array_equal(slow._accumulated_gradients[0].numpy(), [1, 1])


def test_a_schedule_counts_steps_and_bias_correction_counts_updates():
    seen = []

    class Seen(optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            seen.append(step)
            return 0.5

    v, optimizer = Variable([0.0]), optimizers.Adam(Seen(), gradient_accumulation_steps=2)
    for _ in range(4):
        optimizer.apply([ONE], [v])
    assert seen == [1, 3]
    np.testing.assert_allclose(v.numpy(), -1.0, rtol=1e-5)  # two first-class steps of 0.5


def test_constraints_hold_between_updates_too():
    v = Variable([1.0, 1.0])
    v.constraint = NonNeg()
    optimizer = optimizers.SGD(1.0, gradient_accumulation_steps=2)
    g = np.array([4.0, 0.0], "float32")
    optimizer.apply([g], [v])
    v.assign([-1.0, 1.0])
    optimizer.apply([g], [v])
    np.testing.assert_array_equal(v.numpy(), [0, 1])


@pytest.mark.filterwarnings("ignore:The loss does not depend")
def test_what_a_variable_has_accumulated_waits_for_its_next_gradient():
    a, b = Variable([0.0]), Variable([0.0])
    optimizer = optimizers.SGD(1.0, gradient_accumulation_steps=2)
    optimizer.apply([ONE, ONE], [a, b])
    optimizer.apply([ONE, None], [a, b])
    assert (float(a.numpy()[0]), float(b.numpy()[0])) == (-1.0, 0.0)
    optimizer.apply([ONE, ONE], [a, b])
    optimizer.apply([ONE, ONE], [a, b])
    assert (float(a.numpy()[0]), float(b.numpy()[0])) == (-2.0, -1.5)


def test_averages_and_accumulation_in_fit_are_the_same_eagerly():
    def trained(run_eagerly):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
        optimizer = optimizers.Adam(
            0.05, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=2
        )
        model.compile(optimizer, "mse", run_eagerly=run_eagerly)
        x = np.linspace(-1, 1, 42, dtype="float32").reshape(14, 3)
        model.fit(x, x[:, :1], batch_size=4, epochs=3, verbose=0)
        return model

    one, other = trained(False), trained(True)
    assert int(one.optimizer.iterations) == 6  # of 12 steps
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gradient_accumulation_steps": 1}, "at least 2"),
        ({"gradient_accumulation_steps": 2.0}, "gradient_accumulation_steps` must be an integer"),
        ({"use_ema": True, "ema_momentum": 1.5}, "ema_momentum` must be a number between 0 and 1"),
        ({"use_ema": True, "ema_overwrite_frequency": 0}, "a positive integer"),
        ({"loss_scale_factor": 0.0}, "loss_scale_factor must be positive"),
    ],
)
def test_misuse_gets_a_clear_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        optimizers.SGD(0.1, **arguments)


def test_an_overwrite_frequency_without_averages_is_told_to_have_no_effect():
    with pytest.warns(UserWarning, match="no effect without use_ema"):
        optimizers.SGD(0.1, ema_overwrite_frequency=5)
