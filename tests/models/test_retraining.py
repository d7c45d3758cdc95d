import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import Callback
from minikeras.utils import early_stop_and_retrain


@pytest.fixture
def data(rng):
    x = rng.normal(size=(60, 5)).astype("float32")
    return x, (x[:, :1] + rng.normal(size=(60, 1)) * 0.5).astype("float32")


def model(**options):
    layers = [keras.layers.Dense(30, "relu"), keras.layers.Dense(1)]
    found = keras.Sequential([keras.Input((5,)), *layers])
    options = {"optimizer": keras.optimizers.Adam(0.02), "loss": "mse", **options}
    found.compile(**options)
    return found


def find(given, data, **options):
    options = {"epochs": 60, "patience": 5, "validation_split": 0.25, "verbose": 0, **options}
    return early_stop_and_retrain(given, *data, **options)


class Count(Callback):
    """What a run trained on."""

    def __init__(self):
        self.samples, self.starts = [], []

    def on_train_begin(self, logs=None):
        self.starts.append([w.copy() for w in self.model.get_weights()])
        self.samples.append(self.params["steps"])


def test_a_new_model_is_trained_on_all_data_for_the_best_number_of_epochs(data):
    first, then = Count(), Count()
    given = model(metrics=["mae"])
    found = find(given, data, callbacks=[first], retrain_callbacks=[then], batch_size=15)
    values = found.search.history["val_loss"]
    assert found.epochs == np.argmin(values) + 1 < len(values) < 60
    assert found.history.epoch == list(range(found.epochs))
    assert list(found.history.history) == ["loss", "mae"]
    assert (first.samples, then.samples) == ([3], [4])  # batches of 45 and of 60 samples
    assert found.model is not given
    assert found.model.metrics_names == ["loss", "mae"]
    assert int(found.model.optimizer.iterations) == 4 * found.epochs
    assert not np.array_equal(first.starts[0][0], then.starts[0][0])  # new starting values


def test_the_searching_model_ends_with_its_best_weights(data):
    x, y = data
    given = model()
    found = find(given, data, validation_split=0, validation_data=(x[:20], y[:20]))
    best = min(found.search.history["val_loss"])
    assert given.evaluate(x[:20], y[:20], verbose=0) == pytest.approx(best, rel=1e-5)


def test_the_new_model_has_the_optimizer_as_it_was_given(data):
    slower = keras.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=10.0)
    given = model(optimizer=keras.optimizers.SGD(0.05, momentum=0.5))
    found = find(given, data, callbacks=[slower])
    assert float(given.optimizer.learning_rate) < 0.05
    assert float(found.model.optimizer.learning_rate) == np.float32(0.05)
    assert found.model.optimizer.momentum == 0.5


def test_further_data_are_put_together_with_their_weights(data):
    x, y = data
    weights = np.arange(60, dtype="float32")

    def loss(y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    found = find(
        model(loss=loss, optimizer=keras.optimizers.SGD(0.0)),
        (x[:40], y[:40]),
        sample_weight=weights[:40],
        validation_split=0,
        validation_data=(x[40:], y[40:], weights[40:]),
        epochs=1,
        batch_size=60,
    )
    squares = np.square(found.model.predict(x, verbose=0) - y)[:, 0]
    assert found.history.history["loss"][0] == pytest.approx(np.mean(weights * squares), rel=1e-5)
    with pytest.raises(ValueError, match="Either both or none .* sample weights"):
        find(model(), data, validation_split=0, validation_data=(x, y, weights))


def test_nests_of_inputs_are_put_together(data):
    x, y = data
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    given = keras.Model({"a": a, "b": b}, keras.layers.Dense(1)(a + b))
    given.compile("sgd", "mse")
    part = {"a": x[:40], "b": x[:40]}, y[:40]
    aside = {"a": x[40:], "b": x[40:]}, y[40:]
    found = find(given, part, validation_split=0, validation_data=aside, epochs=3)
    assert int(found.model.optimizer.iterations) == 2 * found.epochs


def test_training_goes_on_until_the_loss_on_the_new_data_is_that_on_the_old(data):
    x, y = data
    given = model()
    found = find(given, data, strategy="continue", epochs=300, shuffle=False)
    assert found.model is given
    losses = found.history.history["val_loss"]
    # up to the stop the loss on the training part at the best epoch was not reached, then it was
    assert losses[-1] < min(losses[:-1])
    assert losses[-1] < min(found.search.history["val_loss"])
    assert losses[-1] == pytest.approx(given.evaluate(x[45:], y[45:], verbose=0), rel=1e-5)


def test_a_loss_that_is_not_reached_is_told(data):
    with pytest.warns(UserWarning, match="Pass more epochs, or strategy='restart'"):
        find(model(optimizer=keras.optimizers.SGD(1e-3)), data, strategy="continue", epochs=8)


def test_what_cannot_work_is_refused_before_training(data):
    x, y = data
    with pytest.raises(ValueError, match="needs data to validate on"):
        find(model(), data, validation_split=0)
    with pytest.raises(ValueError, match="Did you mean 'restart'"):
        find(model(), data, strategy="restat")
    with pytest.raises(TypeError, match="has no argument 'batchsize'. Did you mean 'batch_size'"):
        find(model(), data, batchsize=3)
    with pytest.raises(TypeError, match="takes arrays, which it can put together"):
        early_stop_and_retrain(model(), iter([(x, y)]), validation_split=0.2)
    with pytest.raises(ValueError, match="must be compiled before"):
        find(keras.Sequential([keras.layers.Dense(1)]), data)
    with pytest.raises(ValueError, match="cannot monitor 'val_mae'"):
        find(model(), data, monitor="val_mae")
