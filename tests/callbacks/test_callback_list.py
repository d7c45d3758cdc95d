import json
from types import SimpleNamespace

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import (
    Callback,
    CallbackList,
    EarlyStopping,
    History,
    LambdaCallback,
    ModelCheckpoint,
    ProgbarLogger,
)
from tests.callbacks.hook_calls import CALLS
from tests.callbacks.record_hook_calls import HOOKS, drive


def recorder(*hooks):
    """A callback that overrides these hooks and notes their calls."""

    def note(hook):
        if "batch" in hook:
            return lambda self, batch, logs=None: self.calls.append((hook, batch, dict(logs)))
        return lambda self, *given: self.calls.append((hook, *given[:-1], dict(given[-1])))

    callback = type("Recorder", (Callback,), {hook: note(hook) for hook in hooks})()
    callback.calls = []
    return callback


def call(callbacks, hook, logs=None):
    where = (7,) if "batch" in hook or "epoch" in hook else ()
    getattr(callbacks, hook)(*where, logs=logs)
    return where


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_reaches_the_callbacks_that_override_it(hook):
    first, second, idle = recorder(hook), recorder(hook), recorder()
    callbacks = CallbackList([first, idle, second])
    where = call(callbacks, hook, {"loss": np.float32(0.5)})
    assert first.calls == second.calls == [(hook, *where, {"loss": 0.5})]
    assert type(first.calls[0][-1]["loss"]) is float
    assert idle.calls == []


def test_hooks_are_called_in_the_order_and_with_the_arguments_of_keras():
    assert drive(keras) == CALLS


def test_hooks_of_batches_get_their_logs_by_name_the_others_by_place():
    seen = []

    class Mine(Callback):
        def on_train_begin(self, given):
            seen.append(given)

        def on_epoch_end(self, number, given):
            seen.append((number, given))

        def on_train_batch_end(self, number, *, logs):
            seen.append((number, logs))

    callbacks = CallbackList([Mine()])
    callbacks.on_train_begin()
    callbacks.on_train_batch_end(2, {"loss": 1.0})
    callbacks.on_epoch_end(1, {"loss": 2.0})
    assert seen == [{}, (2, {"loss": 1.0}), (1, {"loss": 2.0})]


def test_a_list_of_callbacks_given_as_a_callback_is_unpacked():
    inner = [recorder("on_epoch_end"), recorder("on_epoch_end")]
    callbacks = CallbackList(CallbackList(inner))
    assert callbacks.callbacks == inner


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_nobody_overrides_reads_no_logs(hook):
    def read():
        raise AssertionError("read")

    call(CallbackList([Callback()], add_history=hook != "on_epoch_end"), hook, read)


def test_older_names_of_the_batch_hooks_are_called():
    callback = recorder("on_batch_begin", "on_batch_end")
    callbacks = CallbackList(callback)
    callbacks.on_train_batch_begin(3)
    callbacks.on_train_batch_end(3, {"loss": 1.0})
    callbacks.on_test_batch_end(4)
    assert callback.calls == [("on_batch_begin", 3, {}), ("on_batch_end", 3, {"loss": 1.0})]


def test_logs_are_read_once_for_all_and_are_a_dict_that_can_be_kept():
    reads, kept = [], []

    class Keeps(Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(logs)

    def read():
        reads.append(1)
        return {"loss": np.float32(len(reads))}

    callbacks = CallbackList([Keeps(), Keeps()])
    for batch in range(3):
        callbacks.on_train_batch_end(batch, read)
    assert len(reads) == 3
    assert kept == [{"loss": n} for n in (1.0, 1.0, 2.0, 2.0, 3.0, 3.0)]
    assert json.dumps(kept[0]) == '{"loss": 1.0}'


def test_functions_in_a_lambda_callback_are_given_a_dict():
    kept = []
    one = LambdaCallback(on_train_batch_end=lambda batch, logs: kept.append(logs))
    CallbackList([one]).on_train_batch_end(0, lambda: {"loss": 1.0})
    assert type(kept[0]) is dict


def test_hooks_of_the_library_read_logs_only_when_they_look(tmp_path):
    def read():
        raise AssertionError("read")

    one = ModelCheckpoint(tmp_path / "m.keras", save_freq=10)
    callbacks = CallbackList([one], model=SimpleNamespace(), epochs=1)
    assert callbacks.has_batch_hooks
    for batch in range(3):
        callbacks.on_train_batch_end(batch, read)


def test_batch_hooks_are_wanted_only_by_callbacks_that_override_one():
    assert not CallbackList([EarlyStopping()], add_history=True, add_progbar=True).has_batch_hooks
    for hook in ("on_batch_end", "on_train_batch_begin", "on_predict_batch_end"):
        assert CallbackList([recorder(hook)]).has_batch_hooks


def test_what_a_callback_adds_to_the_logs_of_an_epoch_is_in_the_history_not_in_the_callers_dict():
    class Adds(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["extra"] = epoch

    callbacks = CallbackList([Adds()], add_history=True, model=SimpleNamespace())
    mine = {"loss": 0.5}
    callbacks.on_train_begin()
    callbacks.on_epoch_end(3, mine)
    assert callbacks.history.history == {"loss": [0.5], "extra": [3]}
    assert callbacks.history.epoch == [3]
    assert mine == {"loss": 0.5}


def test_the_model_gets_the_history_and_callbacks_get_model_and_params():
    model, callback = SimpleNamespace(), Callback()
    callbacks = CallbackList([callback], add_history=True, model=model, epochs=4, steps=2)
    assert model.history is callbacks.history
    assert callback.model is model
    assert callback.params == callbacks.history.params == {"epochs": 4, "steps": 2}


def test_defaults_are_added_once_and_at_the_end():
    mine, other = History(), Callback()
    callbacks = CallbackList([mine, other], add_history=True, add_progbar=True)
    assert callbacks.history is mine
    assert [type(callback) for callback in callbacks.callbacks] == [
        *(History, Callback, ProgbarLogger)
    ]


def test_a_history_goes_on_collecting_over_runs():
    callbacks = CallbackList(History())
    for _ in range(2):
        callbacks.on_train_begin()
        callbacks.on_epoch_end(0, {"loss": 1.0})
    history = callbacks.history
    assert (history.history, history.epoch) == ({"loss": [1.0, 1.0]}, [0])


def test_arrays_in_logs_stay_arrays():
    history = CallbackList(add_history=True)
    history.on_epoch_end(0, {"f1": np.array([0.5, 1.0])})
    np.testing.assert_array_equal(history.history.history["f1"][0], [0.5, 1.0])


def test_a_callback_need_not_call_the_base_constructor():
    class Mine(Callback):
        def __init__(self):
            self.seen = 0

        def on_epoch_end(self, epoch, logs=None):
            self.seen += 1

    mine = Mine()
    CallbackList(mine, model=SimpleNamespace()).on_epoch_end(0)
    assert mine.seen == 1


def test_objects_of_other_libraries_serve_by_their_methods():
    class Foreign:
        def set_model(self, model): ...

        def set_params(self, params): ...

        def on_epoch_end(self, epoch, logs=None):
            self.loss = logs["loss"]

    foreign = Foreign()
    callbacks = CallbackList([foreign])
    callbacks.on_epoch_begin(0)
    callbacks.on_epoch_end(0, {"loss": 2.0})
    assert foreign.loss == 2.0


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (EarlyStopping, r"Received: the class EarlyStopping\. Create one, as in `EarlyStopping"),
        ("early_stopping", r"must be objects.*Received: 'early_stopping' \(of type str\)"),
        (None, r"Received: None"),
    ],
)
def test_what_is_no_callback_is_refused(callback, message):
    with pytest.raises(TypeError, match=message):
        CallbackList([callback])


def test_a_callback_can_be_appended():
    callbacks, late = CallbackList([]), recorder("on_train_batch_end")
    callbacks.append(late)
    callbacks.on_train_batch_end(0)
    assert late.calls == [("on_train_batch_end", 0, {})]
