from types import SimpleNamespace

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import SwapEMAWeights


def model_with_averages(steps=1):
    """A model whose one weight is 1 and whose average is 2."""
    weight, average = keras.Variable([1.0]), keras.Variable([2.0])
    optimizer = SimpleNamespace(
        use_ema=True,
        iterations=steps,
        _trainable_variables=[weight],
        _model_variables_moving_average=[average],
    )
    return SimpleNamespace(optimizer=optimizer, weight=weight, average=average)


def swap_on(model, **arguments):
    callback = SwapEMAWeights(**arguments)
    callback.set_model(model)
    callback.on_train_begin()
    return callback


def held(model):
    return float(model.weight.numpy()[0]), float(model.average.numpy()[0])


@pytest.mark.parametrize("phase", ["test", "predict"])
def test_averages_are_in_the_model_during_an_evaluation_or_prediction(phase):
    model = model_with_averages()
    callback = swap_on(model)
    getattr(callback, f"on_{phase}_begin")()
    assert held(model) == (2.0, 1.0)
    getattr(callback, f"on_{phase}_end")()
    assert held(model) == (1.0, 2.0)


def test_averages_stay_between_epochs_on_request():
    model = model_with_averages()
    callback = swap_on(model, swap_on_epoch=True)
    callback.on_epoch_begin(0)
    assert held(model) == (1.0, 2.0)
    callback.on_epoch_end(0)
    assert held(model) == (2.0, 1.0)
    callback.on_test_begin()  # an evaluation that another callback makes
    callback.on_test_end()
    assert held(model) == (2.0, 1.0)
    callback.on_epoch_begin(1)
    assert held(model) == (1.0, 2.0)


def test_before_the_first_step_there_is_nothing_to_swap():
    model = model_with_averages(steps=0)
    callback = swap_on(model)
    callback.on_test_begin()
    assert held(model) == (1.0, 2.0)
    callback.on_test_end()
    assert held(model) == (1.0, 2.0)


def test_an_optimizer_without_averages_is_an_error_before_the_first_epoch():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"made with use_ema=True\. Received: <SGD"):
        model.fit(np.ones((2, 2)), np.ones((2, 1)), callbacks=[SwapEMAWeights()], verbose=0)
