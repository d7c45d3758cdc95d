import warnings

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import TerminateOnNaN

INPUTS = np.ones((12, 2), "float32")


def run(callback, bad, **options):
    """Train with a target of `bad` in the second batch; the batches and epochs that were begun."""
    targets = np.ones((12, 1), "float32")
    targets[5] = bad
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    batches, ends = [], []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: batches.append(batch),
        on_train_end=lambda logs: ends.append(model.training_run.interrupted),
    )
    options = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0, **options}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the loss, after the epoch
            model.fit(INPUTS, targets, callbacks=[note, callback], **options)
    except RuntimeError as error:
        return batches, ends, str(error)
    return batches, ends, model.stop_training


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_training_ends_after_the_batch_whose_loss_is_no_number(bad, capsys):
    assert run(TerminateOnNaN(), bad) == ([0, 1], [False], True)
    said = capsys.readouterr().out
    assert said.startswith("Batch 1: the loss is ")
    assert said.count("\n") == 1


def test_an_error_is_raised_on_request_and_the_run_counts_as_interrupted():
    batches, ends, message = run(TerminateOnNaN(raise_error=True), float("nan"))
    assert (batches, ends) == ([0, 1], [True])
    assert message.startswith("Batch 1: the loss is nan. A smaller learning rate")


def test_logs_without_a_loss_are_passed_over():
    callback = TerminateOnNaN(raise_error=True)
    callback.on_batch_end(0)
    callback.on_batch_end(0, {"accuracy": float("nan")})
    callback.on_batch_end(0, {"loss": 1.0})


def test_a_wrong_argument_is_refused_at_once():
    with pytest.raises(ValueError, match=r"`raise_error` must be True or False"):
        TerminateOnNaN("yes")
