import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import LearningRateFinder

pyplot = pytest.importorskip("matplotlib.pyplot")


def model_and_data(optimizer=None):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(256, 4)).astype("float32")
    y = (x @ generator.normal(size=(4, 1))).astype("float32")
    layers = [
        keras.layers.Dense(8, "tanh"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.1),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    model.compile(optimizer or keras.optimizers.Adam(0.01), "mse")
    return model, x, y


def find(finder, epochs=4, **options):
    model, x, y = model_and_data()
    model.fit(x, y, batch_size=8, epochs=epochs, verbose=0, callbacks=[finder], **options)
    return model


def state(model):
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


def test_weights_and_optimizer_get_back_what_they_had_bit_for_bit():
    model, x, y = model_and_data()
    model.fit(x, y, batch_size=32, epochs=2, verbose=0)
    before = state(model)
    finder = LearningRateFinder()
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[finder])
    assert len(finder.losses) > 10
    for old, new in zip(before, state(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_training_after_a_trial_is_training_without_one():
    ends = []
    for tried in (False, True):
        model, x, y = model_and_data()
        model.build((None, 4))
        keras.utils.set_random_seed(3)
        if tried:
            model.fit(x, y, verbose=0, shuffle=False, callbacks=[LearningRateFinder()])
        keras.utils.set_random_seed(4)
        model.fit(x, y, epochs=2, verbose=0)
        ends.append(state(model))
        keras.utils.set_random_seed(0)
        keras.backend.clear_session()
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)


def test_rates_grow_by_the_same_factor_over_all_batches():
    finder = LearningRateFinder(1e-4, 1e-1, steps=64, diverge=1e9)
    find(finder)
    np.testing.assert_allclose(finder.rates, np.geomspace(1e-4, 1e-1, 64))
    assert len(finder.losses) == len(finder.smoothed) == 64


def test_the_rates_are_those_that_train():
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float(self.model.optimizer.learning_rate))

    finder = LearningRateFinder(1e-4, 1e-2, steps=16)
    model, x, y = model_and_data()
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[finder, Watch()])
    np.testing.assert_allclose(seen, finder.rates, rtol=1e-6)


def test_losses_are_those_of_each_batch_alone():
    model, x, y = model_and_data(keras.optimizers.SGD(0.1))
    model.build((None, 4))
    finder = LearningRateFinder(1e-30, 1e-29, steps=8)  # nothing moves
    expected = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            expected.append(logs["loss"])

    model.fit(x, y, batch_size=32, shuffle=False, verbose=0, callbacks=[finder, Watch()])
    assert finder.losses == expected
    assert len(set(expected)) == 8


def test_smoothing_is_a_mean_that_forgets_without_bias():
    finder = LearningRateFinder(steps=20, smoothing=0.8)
    find(finder)
    weights = [0.8 ** (len(finder.losses) - 1 - k) for k in range(len(finder.losses))]
    assert np.isclose(finder.smoothed[-1], np.average(finder.losses, weights=weights))


def test_a_trial_ends_when_the_loss_diverges():
    finder = LearningRateFinder(1e-3, 1e4)
    model = find(finder)
    assert len(finder.losses) < 128
    assert finder.smoothed[-1] > 4 * min(finder.smoothed) or np.isnan(finder.smoothed[-1])
    assert len(model.history.epoch) < 4
    assert np.isfinite(model.get_weights()[0]).all()


def steepest(losses, rates):
    finder = LearningRateFinder()
    finder.rates, finder.losses, finder.smoothed = list(rates), list(losses), list(losses)
    return finder


def test_the_suggestion_is_where_the_loss_falls_fastest():
    rates = np.geomspace(1e-5, 1, 101)
    position = np.log10(rates)
    losses = 1 - 1 / (1 + np.exp(-4 * (position + 3))) + np.exp(5 * position)
    finder = steepest(losses, rates)
    assert 0.5e-3 < finder.suggestion < 2e-3
    assert finder.at_minimum == rates[np.argmin(losses)] / 10
    with_nan = steepest([*losses, np.nan], [*rates, 2.0])
    assert with_nan.suggestion == finder.suggestion


def test_a_suggestion_needs_a_trial():
    with pytest.raises(ValueError, match="has not seen two batches"):
        LearningRateFinder().suggestion  # noqa: B018


def test_the_loss_over_the_rate_is_drawn(capsys):
    finder = LearningRateFinder(1e-4, 1, verbose=1)
    find(finder)
    assert f"suggests a learning rate of {finder.suggestion:.2g}." in capsys.readouterr().out
    axes = finder.plot()
    assert axes.get_xscale() == "log"
    assert [len(line.get_xdata()) for line in axes.lines[:2]] == [len(finder.losses)] * 2
    pyplot.close("all")


def test_what_cannot_work_is_refused_before_the_first_epoch():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    model, x, y = model_and_data(keras.optimizers.SGD(schedule))
    with pytest.raises(ValueError, match="LearningRateFinder cannot set the learning rate of SGD"):
        model.fit(x, y, verbose=0, callbacks=[LearningRateFinder()])
    with pytest.raises(ValueError, match="needs 500 batches, and `fit` is to run 128"):
        find(LearningRateFinder(steps=500))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"start": 1.0, "stop": 0.1}, "0 < start < stop"),
        ({"start": 0}, "0 < start < stop"),
        ({"smoothing": 1}, "`smoothing` must be less than 1"),
        ({"diverge": 1}, "`diverge` must be more than 1"),
        ({"steps": 0}, "`steps` must be a positive integer"),
    ],
)
def test_wrong_options_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        LearningRateFinder(**options)
