import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import Callback, LambdaCallback, SwapEMAWeights

X = np.array([[1, 2], [3, 4], [5, -6], [0.5, 1]], "float32") / 4
Y = np.array([[1], [0], [2], [1]], "float32")


def build(**options):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5, **options), "mse")
    return model


def first_weight(model):
    return float(model.get_weights()[0][0, 0])


class Watch(Callback):
    """Notes the first weight after each epoch and at the end."""

    def __init__(self):
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(first_weight(self.model))

    def on_train_end(self, logs=None):
        self.seen.append(first_weight(self.model))


def train(model, *callbacks, **options):
    options = {"epochs": 3, "batch_size": 2, "shuffle": False, "verbose": 0, **options}
    return model.fit(X, Y, validation_data=(X, Y), callbacks=list(callbacks), **options).history


RAW, AVERAGED = [1.174453, 1.22241, 1.213086], [1.024727, 1.133603, 1.172349]
LOSSES = {"raw": [1.026799, 0.650276, 0.501093], "averaged": [1.429468, 0.848039, 0.578184]}


@pytest.mark.parametrize(
    ("swap", "losses", "weights"),  # recorded from Keras 3.15
    [
        (None, "raw", RAW),
        ({}, "averaged", RAW),
        ({"swap_on_epoch": True}, "averaged", AVERAGED),
    ],
)
def test_losses_and_weights_are_those_of_keras(swap, losses, weights):
    watch, model = Watch(), build()
    history = train(model, *([] if swap is None else [SwapEMAWeights(**swap)]), watch)
    np.testing.assert_allclose(history["val_loss"], LOSSES[losses], atol=1e-6)
    np.testing.assert_allclose(watch.seen, [*weights, AVERAGED[-1]], atol=1e-6)
    assert first_weight(model) == float(model.optimizer.averages[0].numpy()[0, 0])


@pytest.mark.parametrize("phase", ["test", "predict"])
def test_averages_are_in_the_model_during_an_evaluation_or_prediction(phase):
    model, seen = build(), []
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    raw, average = first_weight(model), float(model.optimizer.averages[0].numpy()[0, 0])
    note = LambdaCallback(
        on_test_batch_end=lambda batch, logs: seen.append(first_weight(model)),
        on_predict_batch_end=lambda batch, logs: seen.append(first_weight(model)),
    )
    if phase == "test":
        model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights(), note])
    else:
        model.predict(X, verbose=0, callbacks=[SwapEMAWeights(), note])
    assert (seen, first_weight(model)) == ([average], raw)
    assert raw != average


@pytest.mark.parametrize("wrap", ["scaled", "several"])
def test_optimizers_within_others_keep_averages_too(wrap):
    model, plain = build(), build()
    inner = model.optimizer
    if wrap == "scaled":
        model.compile(keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0), "mse")
    else:
        model.compile(keras.optimizers.MultiOptimizer(lambda variable: inner), "mse")
    watch, expected = Watch(), Watch()
    history = train(model, SwapEMAWeights(swap_on_epoch=True), watch)
    usual = train(plain, SwapEMAWeights(swap_on_epoch=True), expected)
    assert (history["val_loss"], watch.seen) == (usual["val_loss"], expected.seen)


def test_an_evaluation_between_epochs_leaves_the_averages_there():
    model, seen = build(), []

    def evaluate(epoch, logs):
        model.evaluate(X, Y, verbose=0, callbacks=[swap])
        seen.append(first_weight(model))

    swap = SwapEMAWeights(swap_on_epoch=True)
    train(model, swap, LambdaCallback(on_epoch_end=evaluate))
    np.testing.assert_allclose(seen, AVERAGED, atol=1e-6)


def test_a_run_that_is_stopped_early_ends_with_its_averages():
    model, watch = build(), Watch()
    stop = LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True))
    train(model, SwapEMAWeights(swap_on_epoch=True), stop, watch)
    np.testing.assert_allclose(watch.seen, [AVERAGED[0]] * 2, atol=1e-6)


def test_a_run_that_is_interrupted_within_an_evaluation_ends_with_its_own_weights():
    def interrupt(batch, logs):
        raise KeyboardInterrupt

    model = build()
    with pytest.raises(KeyboardInterrupt):
        train(model, SwapEMAWeights(), LambdaCallback(on_test_batch_end=interrupt))
    np.testing.assert_allclose(first_weight(model), RAW[0], atol=1e-6)


def test_before_the_first_step_there_is_nothing_to_swap():
    model = build()
    assert model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()]) == pytest.approx(
        model.evaluate(X, Y, verbose=0)
    )


def test_an_optimizer_without_averages_is_an_error_before_the_first_epoch():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"made with use_ema=True\. Received: <SGD"):
        train(model, SwapEMAWeights())
