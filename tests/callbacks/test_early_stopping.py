import pytest

from minikeras.callbacks import CallbackList, EarlyStopping
from tests.callbacks.early_stopping_table import ROWS
from tests.callbacks.record_early_stopping import ARGUMENTS, SEQUENCES, Model, drive

nan = float("nan")


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS])
def test_decisions_are_those_of_keras(row):
    sequence, arguments, *expected = row
    stopper = EarlyStopping(**{"mode": "min", "restore_best_weights": True, **arguments})
    assert drive(stopper, SEQUENCES[sequence]) == tuple(expected)


def test_the_table_has_a_row_for_every_sequence_and_setting():
    assert [(row[0], row[1]) for row in ROWS] == [(s, a) for s in SEQUENCES for a in ARGUMENTS]


def test_a_second_run_starts_afresh():
    stopper = EarlyStopping(patience=2, restore_best_weights=True)
    first = drive(stopper, SEQUENCES["dips twice"])
    drive(stopper, SEQUENCES["falls"])
    assert drive(stopper, SEQUENCES["dips twice"]) == first


def test_best_weights_come_back_when_all_epochs_were_run():
    stopper = EarlyStopping(patience=10, restore_best_weights=True)
    *_, epoch_of_weights = drive(stopper, [1.0, 0.5, 0.7, 0.9])
    assert epoch_of_weights == 1


def test_last_weights_stay_without_restoring():
    *_, epoch_of_weights = drive(EarlyStopping(patience=2), [1.0, 0.5, 0.7, 0.9])
    assert epoch_of_weights == 3


def test_a_finite_number_beats_a_nan_of_the_first_epoch():
    ran, _, best_epoch, _, _ = drive(EarlyStopping(patience=2), [nan, 0.5, 0.4, 0.3])
    assert (ran, best_epoch) == (4, 3)


def test_nan_for_ever_stops_the_run():
    ran, *_ = drive(EarlyStopping(patience=2), [nan] * 6)
    assert ran == 3


def test_a_stop_by_somebody_else_is_not_taken_back():
    stopper = EarlyStopping(patience=5)
    model = Model()
    model.stop_training = True
    stopper.set_model(model)
    stopper.on_train_begin()
    stopper.on_epoch_end(0, {"val_loss": 1.0})
    stopper.on_train_end()
    assert model.stop_training


def test_verbose_tells_the_stop_and_the_restored_epoch(capsys):
    drive(EarlyStopping(patience=1, verbose=1, restore_best_weights=True), [1.0, 0.5, 0.7])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 3: early stopping",
        "Restoring the weights of the best epoch: 2.",
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("val_accuracy", [0.1, 0.5, 0.9, 1.0]),
        ("acc", [0.1, 0.5, 0.9, 1.0]),
        ("head_accuracy_1", [0.1, 0.5, 0.9, 1.0]),
        ("val_auc", [0.1, 0.5, 0.9, 1.0]),
        ("loss", [1.0, 0.9, 0.5, 0.1]),
        ("val_mean_squared_error", [1.0, 0.9, 0.5, 0.1]),
        ("head_loss", [1.0, 0.9, 0.5, 0.1]),
    ],
)
def test_auto_mode_knows_the_direction_by_the_name(name, values):
    stopper, model = EarlyStopping(name), Model()
    stopper.set_model(model)
    stopper.on_train_begin()
    for epoch, value in enumerate(values):
        stopper.on_epoch_end(epoch, {name: value})
    assert not model.stop_training
    stopper.on_epoch_end(len(values), {name: values[0]})
    assert model.stop_training


def test_auto_mode_takes_the_direction_that_the_run_tells():
    stopper = EarlyStopping("val_score")
    stopper.set_params({"directions": {"score": "max"}})
    stopper.on_train_begin()
    assert stopper.improved(0.9, 0.5)
    assert not stopper.improved(0.4, 0.5)


def test_auto_mode_refuses_a_name_that_tells_no_direction():
    stopper = EarlyStopping("val_score")
    with pytest.raises(ValueError, match=r"whether 'val_score' should rise or fall\. Pass mode="):
        stopper.on_train_begin()


def run_with(callbacks, metrics, logs=None):
    """Begin a run whose logs will have these names; end its first epoch with `logs`."""
    callbacks = CallbackList(callbacks, model=Model(), epochs=2, steps=1, metrics=metrics)
    callbacks.on_train_begin()
    if logs is not None:
        callbacks.on_epoch_begin(0)
        callbacks.on_epoch_end(0, logs)


def test_an_unknown_monitor_is_an_error_before_the_first_epoch():
    expected = r"'val_los'\. Did you mean 'val_loss'\? Choose one of: loss, val_loss\. Received"
    with pytest.raises(ValueError, match=expected):
        run_with(EarlyStopping("val_los"), ["loss", "val_loss"])


def test_a_missing_validation_is_named_as_the_cause():
    with pytest.raises(ValueError, match=r"no validation: give `fit` validation_data"):
        run_with(EarlyStopping(), ["loss", "accuracy"])


def test_an_unknown_monitor_is_an_error_before_the_second_epoch_when_names_were_not_told():
    with pytest.raises(ValueError, match=r"Choose one of: loss\. Received: monitor='val_loss'"):
        run_with(EarlyStopping(), None, {"loss": 1.0})


def test_an_epoch_without_validation_is_passed_over():
    stopper = EarlyStopping()
    run_with(stopper, ["loss", "val_loss"], {"loss": 1.0})
    assert stopper.wait == 0
    assert stopper.best is None


def test_a_number_that_another_callback_adds_can_be_monitored():
    from minikeras.callbacks import Callback

    class Adds(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["f1"] = 0.5

    stopper = EarlyStopping("f1")
    run_with([Adds(), stopper], ["loss"], {"loss": 1.0})
    assert stopper.best == 0.5
    with pytest.raises(ValueError, match="cannot monitor 'f1'"):
        run_with([stopper, Adds()], ["loss"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "minimum"}, r"`mode` must be one of 'auto', 'min', 'max'.* Received: 'minimum'"),
        ({"patience": -1}, r"`patience` must be an integer of at least 0.* Received: -1"),
        ({"patience": 1.5}, r"`patience` must be an integer"),
        ({"min_delta": "0.1"}, r"`min_delta` must be a number"),
        ({"baseline": "low"}, r"`baseline` must be a number"),
        ({"restore_best_weights": "yes"}, r"`restore_best_weights` must be True or False"),
        ({"start_from_epoch": None}, r"`start_from_epoch` must be an integer"),
        ({"monitor": None}, r"`monitor` must be the name of a loss or metric"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**arguments)
