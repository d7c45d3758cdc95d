import pytest

import minikeras as keras
from minikeras.callbacks import CallbackList, LambdaCallback


def test_functions_are_called_in_their_hooks_in_a_fit(rng):
    calls = []
    callback = LambdaCallback(
        on_train_begin=lambda logs: calls.append("begin"),
        on_epoch_begin=lambda epoch, logs: calls.append(epoch),
        on_train_batch_end=lambda batch, logs: calls.append((batch, sorted(logs))),
        on_epoch_end=lambda epoch, given: calls.append((epoch, sorted(given))),
        on_train_end=lambda logs: calls.append("end"),
        on_test_begin=lambda logs: calls.append("test"),
    )
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(4, 2)), rng.normal(size=(4, 1))
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[callback])
    model.evaluate(x, y, verbose=0, callbacks=[callback])
    assert calls == ["begin", 0, (0, ["loss"]), (0, ["loss"]), "end", "test"]


def test_older_names_of_hooks_are_taken():
    calls = []
    callback = LambdaCallback(on_batch_end=lambda batch, logs: calls.append(batch))
    CallbackList([callback]).on_train_batch_end(3)
    assert calls == [3]


def test_hooks_without_a_function_cost_nothing():
    assert not CallbackList([LambdaCallback(on_epoch_end=print)]).has_batch_hooks


def test_an_unknown_hook_is_refused():
    with pytest.raises(TypeError, match=r"no argument 'on_epoch_ends'.*'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)


def test_what_is_no_function_is_refused():
    with pytest.raises(ValueError, match=r"`on_epoch_end` must be a function\. Received: 'print'"):
        LambdaCallback(on_epoch_end="print")
