"""Ctrl-C: the batch is finished, training ends as it should, and the interrupt goes on."""

import signal

import numpy as np
import pytest

import minikeras as keras


class PressAt(keras.callbacks.Callback):
    """Ctrl-C while batch `batch` of epoch `epoch` begins."""

    def __init__(self, epoch, batch, times=1, hook="train"):
        self.at, self.times, self.hook, self.calls = (epoch, batch), times, hook, []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        self.press("train", batch)

    def on_test_batch_begin(self, batch, logs=None):
        self.press("test", batch)

    def press(self, hook, batch):
        if hook == self.hook and (self.epoch, batch) == self.at:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append((self.epoch, batch))

    def on_train_end(self, logs=None):
        self.calls.append("end")


def interrupted(press, **options):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((12, 3), "float32"), np.zeros((12, 1), "float32")
    stopper = keras.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=4, epochs=5, verbose=0, callbacks=[press, stopper], **options)
    return model, stopper


def test_the_batch_is_finished_and_the_history_is_kept():
    press = PressAt(1, 1)
    model, stopper = interrupted(press)
    assert press.calls[-2:] == [(1, 1), "end"]
    assert model.history.epoch == [0]
    assert len(model.history.history["loss"]) == 1
    assert model.training_run is None
    assert stopper.best_epoch == 0
    assert int(model.optimizer.iterations.numpy()) == 5


def test_the_best_weights_are_restored():
    model, stopper = interrupted(PressAt(2, 0))
    np.testing.assert_array_equal(model.get_weights()[0], stopper.best_weights[0])


def test_validation_is_interrupted_between_its_batches():
    press = PressAt(0, 0, hook="test")
    data = (np.ones((12, 3), "float32"), np.zeros((12, 1), "float32"))
    model, _ = interrupted(press, validation_data=data)
    assert press.calls == [(0, 0), (0, 1), (0, 2), "end"]
    assert model.history.epoch == []


def test_a_second_interrupt_does_not_wait_for_the_batch():
    press = PressAt(0, 1, times=2)
    interrupted(press)
    assert press.calls == [(0, 0), "end"]


def test_the_handler_of_before_is_in_force_again():
    before = signal.getsignal(signal.SIGINT)
    interrupted(PressAt(0, 0))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_handler_of_the_users_own_is_left_alone():
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        press = PressAt(0, 0)
        model.fit(np.ones((4, 3)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[press])
        assert seen == [1]
        assert press.calls == [(0, 0), (1, 0), "end"]
    finally:
        signal.signal(signal.SIGINT, before)
