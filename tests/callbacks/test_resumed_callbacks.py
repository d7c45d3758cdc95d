"""Callbacks with a state, in a run that is cut off and resumed: all ends as if it had not been."""

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import (
    BackupAndRestore,
    Callback,
    EpochMetrics,
    GradientRecorder,
    LearningRateFinder,
    OneCycle,
    TensorBoard,
)


class CutOff(Callback):
    """An error in the middle of the second epoch."""

    def __init__(self, step):
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == self.step:
            raise RuntimeError("cut off")


def spread(y_true, y_pred):
    return np.ptp(y_pred)


def board(folder):
    pytest.importorskip("tensorboard")
    return TensorBoard(folder, update_freq=2, histogram_freq=1)


CASES = {
    "one cycle": lambda folder: OneCycle(0.1),
    "finder": lambda folder: LearningRateFinder(1e-4, 1e-2, steps=20),
    "gradients": lambda folder: GradientRecorder(every=3),
    "epoch metrics": lambda folder: EpochMetrics(spread),
    "tensorboard": board,
}


def run(make, folder, cut_at=None):
    """Train, cut off once if told to and resumed by a new model; what it ends in."""
    x = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
    for step in (cut_at, None) if cut_at else (None,):
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Dense(5, "relu", name="a"), keras.layers.Dropout(0.2)]
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(2, name="b")])
        model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse")
        callback = make(folder / "logs")
        backup = BackupAndRestore(str(folder / "backup"), save_freq=1)
        callbacks = [callback, backup, *([CutOff(step)] if step else [])]
        try:
            model.fit(
                x, x[:, :2], batch_size=8, epochs=4, verbose=0, callbacks=callbacks,
                validation_data=(x[:10], x[:10, :2]),
            )  # fmt: skip
        except RuntimeError as error:
            assert str(error) == "cut off"  # noqa: PT017
    variables = [v.numpy() for v in [*model.variables, *model.optimizer.variables]]
    return variables, model.history.state_dict(), callback.state_dict()


def assert_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    else:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", CASES)
def test_a_resumed_run_ends_as_an_uninterrupted_one(tmp_path, name):
    whole = run(CASES[name], tmp_path / "whole")
    resumed = run(CASES[name], tmp_path / "resumed", cut_at=8)
    assert_same(whole, resumed)


def test_a_resumed_tensorboard_log_goes_on_where_the_run_does(tmp_path):
    pytest.importorskip("tensorboard")
    from tests.callbacks.test_tensorboard import events

    run(board, tmp_path, cut_at=8)
    written = {}
    for event in events(tmp_path / "logs" / "train"):
        for value in event.summary.value:
            written.setdefault(value.tag, []).append(event.step)
    # batch 8 was trained twice: the run was cut off before it was saved
    assert written["batch_loss"] == [2, 4, 6, 8, *range(8, 21, 2)]
    assert written["epoch_loss"] == [0, 1, 2, 3]
