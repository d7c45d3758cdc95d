"""`fit`, `evaluate` and `predict`: which batches they see, when they validate, what they return."""

import threading

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers


@pytest.fixture
def line(rng):
    x = rng.standard_normal((20, 3)).astype("float32")
    return x, (x @ [[1.0], [-2.0], [0.5]] + 0.1).astype("float32")


def model(rate=0.1, **compile_arguments):
    start = keras.initializers.Constant(0.1)
    made = keras.Sequential([keras.Input((3,)), layers.Dense(1, kernel_initializer=start)])
    made.compile(keras.optimizers.SGD(rate), **{"loss": "mse", **compile_arguments})
    return made


def fit(line, made=None, **arguments):
    settings = {"batch_size": 8, "epochs": 4, "shuffle": False, "verbose": 0, **arguments}
    return (made or model()).fit(*line, **settings).history


def test_an_epoch_is_one_pass_and_its_last_batch_may_be_smaller(line):
    made = model()
    fit(line, made)
    assert made.optimizer.iterations.numpy() == 4 * 3


def test_given_steps_epochs_go_on_where_the_one_before_ended(line):
    x, y = line
    by_hand, seen = model(), []
    for start in (0, 8, 16, 0):
        by_hand.train_on_batch(x[start : start + 8], y[start : start + 8])
        seen.append(by_hand.get_weights())
    made = model()
    fit(line, made, steps_per_epoch=1, epochs=4)
    for a, b in zip(made.get_weights(), seen[-1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_more_steps_than_data_end_the_epoch_with_a_warning(line):
    made = model()
    with pytest.warns(UserWarning, match="ran out after 3 of 5 steps"):
        fit(line, made, steps_per_epoch=5, epochs=1)
    assert made.optimizer.iterations.numpy() == 3


def test_shuffling_changes_the_order_of_each_epoch_and_nothing_else(line):
    x, y = line
    order = []

    class Spy(layers.Layer):
        def call(self, x, training=False):
            if training:
                order.append(np.asarray(x)[:, 0].copy())
            return x

    spied = keras.Sequential([Spy(), layers.Dense(1)])
    spied.compile("sgd", "mse", run_eagerly=True)
    spied.fit(x, y, epochs=2, batch_size=8, verbose=0)
    first, second = np.concatenate(order[:3]), np.concatenate(order[3:])
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(np.sort(first), np.sort(x[:, 0]))
    np.testing.assert_array_equal(np.sort(second), np.sort(x[:, 0]))


@pytest.mark.parametrize(
    ("frequency", "runs"), [(1, 4), (2, 2), (3, 1), ([1, 3], 2), ((4,), 1), ({9}, 0)]
)
def test_validation_runs_when_it_is_due(line, frequency, runs):
    history = fit(line, validation_data=line, validation_freq=frequency)
    assert len(history["loss"]) == 4
    assert len(history.get("val_loss", [])) == runs


def test_validation_may_be_weighted_and_shortened(line):
    x, y = line
    weights = np.where(np.arange(20) < 8, 1.0, 0.0)
    made = model(rate=0.0)
    first = made.evaluate(x[:8], y[:8], verbose=0)
    shortened = fit(line, made, validation_data=line, validation_steps=1, epochs=1)
    assert shortened["val_loss"][0] == pytest.approx(first, rel=1e-5)
    weighted = fit(line, made, validation_data=(x, y, weights), epochs=1)
    assert weighted["val_loss"][0] == pytest.approx(first * 8 / 20, rel=1e-5)
    batches = fit(line, made, validation_data=line, validation_batch_size=3, epochs=1)
    assert batches["val_loss"][0] == pytest.approx(made.evaluate(x, y, verbose=0), rel=1e-5)


def test_validation_split_takes_the_end_of_the_data(line):
    x, y = line
    made = model(rate=0.0)
    history = fit(line, made, validation_split=0.25, epochs=1)
    assert history["loss"][0] == pytest.approx(made.evaluate(x[:15], y[:15], verbose=0), rel=1e-5)
    assert history["val_loss"][0] == pytest.approx(
        made.evaluate(x[15:], y[15:], verbose=0), rel=1e-5
    )


def test_no_epoch_means_no_training_and_an_empty_history(line):
    made = model()
    before = made.get_weights()
    result = made.fit(*line, epochs=0, verbose=0)
    assert result.history == {}
    assert result.epoch == []
    assert all(np.array_equal(a, b) for a, b in zip(before, made.get_weights(), strict=True))


def test_initial_epoch_leaves_out_the_epochs_before(line):
    made = model()
    result = made.fit(*line, epochs=4, initial_epoch=2, verbose=0)
    assert result.epoch == [2, 3]
    assert len(result.history["loss"]) == 2
    assert made.fit(*line, epochs=4, initial_epoch=4, verbose=0).history == {}


def test_a_changed_learning_rate_counts_from_the_next_step_on(line):
    a, b = model(rate=0.1), model(rate=0.1)
    fit(line, a, epochs=1)
    a.optimizer.learning_rate = 0.0
    before = a.get_weights()
    fit(line, a, epochs=1)
    for u, v in zip(before, a.get_weights(), strict=True):
        np.testing.assert_array_equal(u, v)
    a.optimizer.learning_rate = 0.1
    fit(line, a, epochs=1)
    fit(line, b, epochs=2)
    for u, v in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(u, v)


def test_penalties_count_in_the_loss_of_training_and_evaluation(line):
    x, y = line
    made = keras.Sequential([layers.Dense(1, kernel_regularizer="l2")])
    made.compile(keras.optimizers.SGD(0.0), "mse")
    history = fit(line, made, epochs=1)
    kernel = made.get_weights()[0]
    error = np.mean((made.predict(x, verbose=0) - y) ** 2)
    assert history["loss"][0] == pytest.approx(error + 0.01 * np.sum(kernel**2), rel=1e-5)
    assert made.evaluate(x, y, verbose=0) == pytest.approx(history["loss"][0], rel=1e-5)


def test_the_loss_weight_scales_the_loss_but_not_the_metrics(line):
    made = model(rate=0.0, loss_weights=[3.0], metrics=["mse"])
    loss, error = made.evaluate(*line, verbose=0)
    assert loss == pytest.approx(3 * error, rel=1e-6)


def test_weights_of_zero_train_nothing(line):
    made = model()
    before = made.get_weights()
    history = fit(line, made, sample_weight=np.zeros(20))
    assert history["loss"] == [0.0] * 4
    for u, v in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(u, v)


def test_lists_float64_and_integers_are_data_too(line):
    x, y = line
    whole = np.rint(x * 10).astype("int64")
    want = fit((whole.astype("float32"), y))
    assert fit((whole, y.astype("float64"))) == want
    assert fit((whole.tolist(), y[:, 0].tolist())) == want


def test_predict_stops_after_its_steps_and_evaluate_too(line):
    x, y = line
    made = model()
    whole = made.predict(x, batch_size=8, verbose=0)
    np.testing.assert_array_equal(made.predict(x, batch_size=8, steps=2, verbose=0), whole[:16])
    assert made.evaluate(x, y, batch_size=8, steps=1, verbose=0) == pytest.approx(
        made.evaluate(x[:8], y[:8], verbose=0), rel=1e-5
    )


def test_predictions_of_a_subclass_keep_their_structure(line):
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            y = self.dense(x)
            return {"twice": y * 2.0, "parts": [y, keras.ops.sum(y, axis=1)]}

    made = Two()
    x = line[0]
    result = made.predict(x, batch_size=8, verbose=0)
    assert result["twice"].shape == (20, 2)
    assert result["parts"][1].shape == (20,)
    np.testing.assert_array_equal(result["twice"], 2 * result["parts"][0])
    one = made.predict_on_batch(x[:3])
    np.testing.assert_allclose(one["parts"][1], result["parts"][1][:3], rtol=1e-6)


def test_concurrent_predictions_do_not_mix(line):
    made = model()
    xs = [line[0] * factor for factor in range(8)]
    want = [made.predict(x, batch_size=7, verbose=0) for x in xs]
    wrong = []

    def work(x, expected):
        for _ in range(20):
            if not np.array_equal(made.predict(x, batch_size=7, verbose=0), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(xs, want, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_stopping_inside_an_epoch_ends_the_training_there(line):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    made = model()
    history = fit(line, made, callbacks=[Stop()])
    assert len(history["loss"]) == 1
    assert made.optimizer.iterations.numpy() == 2
    assert len(fit(line, made)["loss"]) == 4


def test_callbacks_see_running_means_as_numbers(line):
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(dict(logs))

    made = model(rate=0.0)
    history = fit(line, made, epochs=1, callbacks=[Spy()])
    assert [set(logs) for logs in seen] == [{"loss"}] * 3
    assert seen[-1]["loss"] == history["loss"][0]
    assert seen[0]["loss"] == pytest.approx(made.evaluate(line[0][:8], line[1][:8], verbose=0))


MISUSE = {
    "batch size of zero": (lambda m, x, y: m.fit(x, y, batch_size=0), "batch_size"),
    "batch size that is no integer": (lambda m, x, y: m.fit(x, y, batch_size=8.0), "batch_size"),
    "no steps": (lambda m, x, y: m.fit(x, y, steps_per_epoch=0), "steps_per_epoch"),
    "one sample without its batch": (lambda m, x, y: m.predict(x[0]), "2 dimensions"),
    "validation data of another width": (
        lambda m, x, y: m.fit(x, y, validation_data=(x[:, :2], y)),
        "validation_data",
    ),
    "four validation arrays": (
        lambda m, x, y: m.fit(x, y, validation_data=(x, y, y, y)),
        r"\(x, y, sample_weight\)",
    ),
    "validation data without targets": (
        lambda m, x, y: m.fit(x, y, validation_data=(x,)),
        "needs targets",
    ),
    "everything set aside": (lambda m, x, y: m.fit(x, y, validation_split=1.0), "validation_split"),
    "validation every zeroth epoch": (
        lambda m, x, y: m.fit(x, y, validation_data=(x, y), validation_freq=0),
        "validation_freq",
    ),
    "too few weights": (lambda m, x, y: m.fit(x, y, sample_weight=np.ones(5)), "sample_weight"),
    "evaluate without targets": (lambda m, x, y: m.evaluate(x), "needs targets"),
    "nothing to predict": (lambda m, x, y: m.predict(x[:0]), "empty"),
    "no data": (lambda m, x, y: m.fit(), "must hold the data"),
    "targets beside a generator": (lambda m, x, y: m.fit((row for row in x), y), "brings it along"),
    "two losses": (
        lambda m, x, y: (m.compile(loss=["mse", "mae"]), m.fit(x, y)),
        "one output. `loss` received 2 entries",
    ),
    "two loss weights": (
        lambda m, x, y: (m.compile(loss="mse", loss_weights=[1, 2]), m.fit(x, y)),
        "one output. `loss_weights` received 2 entries",
    ),
    "a loss that is a number": (lambda m, x, y: m.compile(loss=3.0), "loss"),
    "nothing to minimise": (
        lambda m, x, y: (m.compile("sgd"), m.fit(x)),
        "nothing to minimise",
    ),
    "targets without a loss": (lambda m, x, y: (m.compile("sgd"), m.fit(x, y)), "without a loss"),
    "unknown argument": (lambda m, x, y: m.fit(x, y, batchsize=3), "batchsize"),
}


@pytest.mark.parametrize("name", sorted(MISUSE))
def test_misuse_gets_a_clear_error_before_any_weight_changes(name, line):
    action, message = MISUSE[name]
    made = model()
    before = made.get_weights()
    with pytest.raises((ValueError, TypeError), match=message):
        action(made, *line)
    for u, v in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(u, v)
