import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import Callback, OneCycle

# torch.optim.lr_scheduler.OneCycleLR(max_lr=0.1, total_steps=12), torch 2: rates and momenta
COSINE = (
    [
        *(0.004, 0.034978965, 0.087928516, 0.099441544, 0.093301297, 0.081174565),
        *(0.0647379, 0.04626371, 0.0283061, 0.013347753, 0.0034566987, 4e-07),
    ],
    [
        *(0.95, 0.91773024, 0.86257446, 0.85055846, 0.85669873, 0.86882551),
        *(0.88526224, 0.9037365, 0.92169419, 0.93665259, 0.94654369, 0.95),
    ],
)
LINEAR = (  # with pct_start=0.5, anneal_strategy="linear"
    [
        *(0.004, 0.0232, 0.0424, 0.0616, 0.0808, 0.1),
        *(0.0833334, 0.0666668, 0.0500002, 0.0333336, 0.016667, 4e-07),
    ],
    [
        *(0.95, 0.93, 0.91, 0.89, 0.87, 0.85),
        *(0.86666667, 0.88333333, 0.9, 0.91666667, 0.93333333, 0.95),
    ],
)


class Watch(Callback):
    """Notes what each batch was trained with."""

    def __init__(self, number=None):
        self.number, self.rates, self.momenta = number, [], []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))
        if self.number:
            self.momenta.append(getattr(self.model.optimizer, self.number))


def fit(optimizer, *callbacks, epochs=3, **options):
    x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(optimizer, "mse", run_eagerly=options.pop("run_eagerly", False))
    model.fit(x, x[:, :2], batch_size=8, epochs=epochs, verbose=0, callbacks=callbacks, **options)
    return model


@pytest.mark.parametrize(
    ("options", "expected"), [({}, COSINE), ({"rise": 0.5, "shape": "linear"}, LINEAR)]
)
def test_rate_and_momentum_are_those_of_torch(options, expected):
    watch = Watch("momentum")
    model = fit(keras.optimizers.SGD(1.0, momentum=0.9), OneCycle(0.1, **options), watch)
    np.testing.assert_allclose(watch.rates, expected[0], rtol=2e-6)
    np.testing.assert_allclose(watch.momenta, expected[1], rtol=1e-6)
    assert model.optimizer.momentum == 0.9  # again what it was


def test_the_momentum_takes_effect_in_recorded_steps():
    def ends(run_eagerly):
        keras.utils.set_random_seed(0)
        optimizer = keras.optimizers.SGD(1.0, momentum=0.9)
        return fit(optimizer, OneCycle(0.1), run_eagerly=run_eagerly).get_weights()

    for recorded, eager in zip(ends(False), ends(True), strict=True):
        np.testing.assert_array_equal(recorded, eager)
    keras.utils.set_random_seed(0)
    steady = fit(keras.optimizers.SGD(1.0, momentum=0.9), OneCycle(0.1, momentum=None))
    assert not np.array_equal(steady.get_weights()[0], ends(False)[0])


def test_adam_cycles_its_first_decay():
    watch = Watch("beta_1")
    fit(keras.optimizers.Adam(), OneCycle(0.1), watch)
    np.testing.assert_allclose(watch.momenta, COSINE[1], rtol=1e-6)


def test_an_optimizer_without_momentum_keeps_none():
    watch = Watch("momentum")
    fit(keras.optimizers.SGD(), OneCycle(0.1), watch)
    assert watch.momenta == [0.0] * 12
    with pytest.raises(ValueError, match=r"cannot change the momentum of SGD.*momentum=None"):
        fit(keras.optimizers.SGD(), OneCycle(0.1, momentum=(0.95, 0.85)))


def test_the_rate_of_the_last_batch_is_in_the_logs():
    model = fit(keras.optimizers.SGD(), OneCycle(0.1))
    np.testing.assert_allclose(model.history.history["learning_rate"], COSINE[0][3::4], rtol=1e-6)


def test_a_run_that_starts_later_has_a_cycle_of_its_own():
    watch = Watch()
    fit(keras.optimizers.SGD(), OneCycle(0.1), watch, epochs=5, initial_epoch=2)
    np.testing.assert_allclose(watch.rates, COSINE[0], rtol=2e-6)


def test_steps_may_be_more_than_the_run_has_but_not_fewer():
    watch = Watch()
    fit(keras.optimizers.SGD(), OneCycle(0.1, steps=12), watch, epochs=2)
    np.testing.assert_allclose(watch.rates, COSINE[0][:8], rtol=2e-6)
    with pytest.raises(ValueError, match="ends after 8 batches, and `fit` is to run 12"):
        fit(keras.optimizers.SGD(), OneCycle(0.1, steps=8))


def test_data_of_unknown_length_need_steps():
    cycle = OneCycle(0.1)
    cycle.set_params({"epochs": 2, "steps": None})
    cycle.set_model(keras.Sequential())
    with pytest.raises(ValueError, match="must know how many batches"):
        cycle.on_train_begin()


def test_a_schedule_object_is_refused_before_the_first_epoch():
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(ValueError, match="OneCycle cannot set the learning rate of SGD"):
        fit(keras.optimizers.SGD(rate), OneCycle(0.1))


def test_another_callback_that_sets_the_rate_is_warned_of():
    with pytest.warns(UserWarning, match="OneCycle sets the learning rate without regard"):
        fit(keras.optimizers.SGD(), OneCycle(0.1), keras.callbacks.ReduceLROnPlateau("loss"))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_short_runs_have_rates_too(steps):
    cycle = OneCycle(0.1, steps=steps)
    rates = [cycle.rate_at(batch) for batch in range(steps)]
    assert all(0 < rate <= 0.1 + 1e-12 for rate in rates)
    assert rates[-1] == pytest.approx(4e-7)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_rate": 0}, "`max_rate` must be more than 0"),
        ({"rise": 1}, "`rise` must lie between 0 and 1"),
        ({"momentum": (0.8, 0.9)}, "two numbers between 0 and 1, the greater first"),
        ({"momentum": "on"}, "`momentum` must be 'auto', None"),
        ({"shape": "cosin"}, "Did you mean 'cosine'"),
    ],
)
def test_wrong_options_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        OneCycle(**{"max_rate": 0.1, **options})


def test_a_number_that_would_change_the_rule_is_refused():
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    with pytest.raises(ValueError, match="SGD has no number 'momentum' that can be 0"):
        optimizer.set_number("momentum", 0)
    with pytest.raises(ValueError, match=r"has no number 'beta_1' .* It has: momentum"):
        optimizer.set_number("beta_1", 0.5)
    assert optimizer.momentum == 0.9
