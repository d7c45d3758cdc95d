from types import SimpleNamespace

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import (
    CallbackList,
    EarlyStopping,
    LearningRateScheduler,
    ReduceLROnPlateau,
)
from tests.callbacks.record_reduce_lr import ARGUMENTS, SEQUENCES, Optimizer, drive, make
from tests.callbacks.reduce_lr_table import ROWS


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS])
def test_decisions_are_those_of_keras(row):
    sequence, arguments, *expected = row
    assert drive(make(ReduceLROnPlateau, arguments), SEQUENCES[sequence]) == tuple(expected)


def test_the_table_has_a_row_for_every_sequence_and_setting():
    assert [(row[0], row[1]) for row in ROWS] == [(s, a) for s in SEQUENCES for a in ARGUMENTS]


def test_a_finite_number_beats_a_nan_of_the_first_epoch():
    reductions, waits, _ = drive(ReduceLROnPlateau(patience=2), [float("nan"), 0.5, 0.4, 0.3])
    assert (reductions, waits) == ("", "0000")


def test_a_second_run_starts_afresh():
    plateau = ReduceLROnPlateau(patience=2, cooldown=2)
    first = drive(plateau, SEQUENCES["dips twice"])
    drive(plateau, SEQUENCES["flat"])
    assert drive(plateau, SEQUENCES["dips twice"]) == first


def test_the_rate_of_an_epoch_is_in_its_logs_before_it_is_reduced():
    plateau, logs = ReduceLROnPlateau("loss", patience=1, factor=0.5), []
    model = SimpleNamespace(optimizer=Optimizer(0.5))
    callbacks = CallbackList([plateau], add_history=True, model=model, metrics=["loss"])
    callbacks.on_train_begin()
    for epoch in range(3):
        callbacks.on_epoch_end(epoch, {"loss": 1.0})
        logs.append(callbacks.history.history["learning_rate"][-1])
    assert logs == [0.5, 0.5, 0.25]


def test_verbose_prints_each_new_rate(capsys):
    drive(ReduceLROnPlateau(patience=1, verbose=1), [0.5, 0.5])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 2: no progress in val_loss, the learning rate is reduced to 0.01."
    ]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"factor": 1.0}, ValueError, r"`factor` must be less than 1\. Received: 1\.0"),
        ({"factor": "half"}, ValueError, r"`factor` must be a number of at least 0.*'half'"),
        ({"patience": -1}, ValueError, r"`patience` must be an integer of at least 0"),
        ({"cooldown": 0.5}, ValueError, r"`cooldown` must be an integer of at least 0"),
        ({"min_lr": -1e-3}, ValueError, r"`min_lr` must be a number of at least 0"),
        ({"epsilon": 1e-4}, TypeError, r"no argument 'epsilon'.*min_delta"),
        ({"mode": "down"}, ValueError, r"`mode` must be one of.*'down'"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        ReduceLROnPlateau(**arguments)


def small_model(rate):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


@pytest.mark.parametrize("rate", [keras.optimizers.schedules.CosineDecay(0.1, 9), lambda: 0.1])
@pytest.mark.parametrize(
    "callback", [ReduceLROnPlateau("loss"), LearningRateScheduler(lambda epoch: 0.1)]
)
def test_a_rate_that_follows_a_schedule_is_a_conflict_before_the_first_epoch(rate, callback, rng):
    model, seen = small_model(rate), []
    note = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: seen.append("begun"))
    with pytest.raises(ValueError, match=f"{type(callback).__name__} cannot set.*a schedule"):
        model.fit(rng.normal(size=(4, 2)), rng.normal(size=(4, 1)), callbacks=[note, callback])
    assert not seen


def test_the_rates_of_several_optimizers_are_all_reduced(rng):
    layers = [keras.layers.Dense(2, name="slow"), keras.layers.Dense(1, name="fast")]
    model = keras.Sequential([keras.Input((2,)), *layers])
    parts = {".*slow/.*": keras.optimizers.SGD(0.1, name="a")}
    several = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.5, name="b"), parts)
    model.compile(keras.optimizers.MultiOptimizer(several), "mse")
    x, y = rng.normal(size=(8, 2)), rng.normal(size=(8, 1))
    plateau = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e6, min_lr=0.05)
    history = model.fit(x, y, epochs=4, verbose=0, callbacks=[plateau]).history
    np.testing.assert_allclose(history["learning_rate_a"], [0.1, 0.1, 0.05, 0.05])
    np.testing.assert_allclose(history["learning_rate_b"], [0.5, 0.5, 0.25, 0.125])
    with pytest.raises(ValueError, match=r"LearningRateScheduler sets one rate, but MultiOpt"):
        model.fit(x, y, callbacks=[LearningRateScheduler(lambda epoch: 0.1)])


def begin(*callbacks):
    model = SimpleNamespace(optimizer=Optimizer(0.5))
    CallbackList(list(callbacks), model=model, metrics=["loss", "val_loss"]).on_train_begin()


def test_a_scheduler_that_undoes_the_reductions_is_warned_of():
    with pytest.warns(UserWarning, match=r"LearningRateScheduler .* undoes what ReduceLROnPl"):
        begin(ReduceLROnPlateau(), LearningRateScheduler(lambda epoch: 0.1))


def test_a_scheduler_that_builds_on_the_rate_goes_with_a_plateau():
    begin(ReduceLROnPlateau(), LearningRateScheduler(lambda epoch, rate: rate * 0.9))


def test_early_stopping_without_more_patience_than_the_plateau_is_warned_of():
    with pytest.warns(UserWarning, match=r"EarlyStopping may end.*'val_loss'.*Received: pat.*10"):
        begin(ReduceLROnPlateau(), EarlyStopping(patience=10))
    begin(ReduceLROnPlateau(), EarlyStopping(patience=11))
    begin(ReduceLROnPlateau("loss"), EarlyStopping(patience=1))
