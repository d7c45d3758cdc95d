from types import SimpleNamespace

import numpy as np
import pytest

from minikeras.callbacks import CallbackList, History, LearningRateScheduler


class InverseTime:
    """Stands for a schedule object given to an optimizer."""

    def __call__(self, step):
        return 1 / (1 + step)


def model_with(rate):
    return SimpleNamespace(optimizer=SimpleNamespace(learning_rate=rate))


def run(scheduler, model, epochs=3):
    history = History()
    callbacks = CallbackList([scheduler, history], model=model)
    callbacks.on_train_begin()
    for epoch in range(epochs):
        callbacks.on_epoch_begin(epoch)
        callbacks.on_epoch_end(epoch, {"loss": 1.0})
    return history.history


def test_a_function_of_epoch_and_rate_sets_each_epochs_rate():
    model = model_with(0.4)
    history = run(LearningRateScheduler(lambda epoch, lr: lr if epoch == 0 else lr / 2), model)
    assert history["learning_rate"] == [0.4, 0.2, 0.1]
    assert model.optimizer.learning_rate == 0.1


def test_a_function_of_the_epoch_alone_is_taken_too():
    history = run(LearningRateScheduler(lambda epoch: 10.0**-epoch), model_with(5.0))
    assert history["learning_rate"] == [1.0, 0.1, 0.01]


def test_an_error_inside_the_function_is_not_taken_for_another_signature():
    def broken(epoch, lr):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        run(LearningRateScheduler(broken), model_with(0.1))


@pytest.mark.parametrize("value", [1, np.float32(1), np.array(1.0)])
def test_any_number_is_taken_as_a_rate(value):
    assert run(LearningRateScheduler(lambda epoch: value), model_with(0.1), 1) == {
        "loss": [1.0],
        "learning_rate": [1.0],
    }


@pytest.mark.parametrize("value", [None, "0.1", float("nan"), -0.1, float("inf"), [0.1, 0.2], True])
def test_what_is_no_rate_is_refused(value):
    with pytest.raises(ValueError, match=r"must return a finite number of at least 0\. Received"):
        run(LearningRateScheduler(lambda epoch: value), model_with(0.1))


def test_a_schedule_object_in_the_optimizer_is_a_conflict_before_the_first_epoch():
    for model in (model_with(InverseTime()), model_with(0.1)):
        model.optimizer._learning_rate = InverseTime()
        callbacks = CallbackList(LearningRateScheduler(lambda epoch: 0.1), model=model)
        with pytest.raises(ValueError, match=r"a schedule\. Received: learning_rate=InverseTime"):
            callbacks.on_train_begin()


def test_a_model_without_optimizer_is_refused():
    callbacks = CallbackList(LearningRateScheduler(abs), model=SimpleNamespace(optimizer=None))
    with pytest.raises(ValueError, match="Compile the model first"):
        callbacks.on_train_begin()


def test_a_schedule_that_is_no_function_is_refused_at_once():
    with pytest.raises(ValueError, match=r"must be a function.*Received: 0\.1"):
        LearningRateScheduler(0.1)


def test_verbose_prints_each_rate(capsys):
    run(LearningRateScheduler(lambda epoch: 0.25, verbose=1), model_with(0.1), 2)
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 1: LearningRateScheduler sets the learning rate to 0.25.",
        "Epoch 2: LearningRateScheduler sets the learning rate to 0.25.",
    ]
