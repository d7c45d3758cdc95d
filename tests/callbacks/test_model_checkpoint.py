import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import Callback, CallbackList, ModelCheckpoint

nan = float("nan")


class Model:
    """Notes what it is asked to save."""

    def __init__(self):
        self.saved = []

    def save(self, path, overwrite):
        self.saved.append(path)

    def save_weights(self, path, overwrite):
        self.saved.append(("weights", path))


def drive(checkpoint, values, model=None, name="val_loss"):
    """Feed values to a callback, one per epoch; the numbers of the epochs after which it saved."""
    model = model or Model()
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    saved = []
    for epoch, value in enumerate(values):
        before = len(model.saved)
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_epoch_end(epoch, {name: value})
        if len(model.saved) > before:
            saved.append(epoch)
    return saved


VALUES = [1.0, 0.8, 0.9, 0.7, 0.7, 0.75, 0.6]


@pytest.mark.parametrize(
    ("arguments", "values", "expected"),  # as ModelCheckpoint of Keras 3.15 decides
    [
        ({}, VALUES, [0, 1, 2, 3, 4, 5, 6]),
        ({"save_best_only": True}, VALUES, [0, 1, 3, 6]),
        ({"save_best_only": True, "mode": "max"}, VALUES, [0]),
        ({"save_best_only": True, "mode": "max"}, VALUES[::-1], [0, 1, 4, 6]),
        ({"save_best_only": True, "initial_value_threshold": 0.7}, VALUES, [6]),
        ({"save_best_only": True, "initial_value_threshold": 0.85}, VALUES, [1, 3, 6]),
        ({"save_best_only": True, "mode": "max", "initial_value_threshold": 0.95}, VALUES, [0]),
        ({"save_best_only": True}, [0.5, nan, 0.4], [0, 2]),
    ],
)
def test_the_best_epochs_are_those_of_keras(arguments, values, expected):
    assert drive(ModelCheckpoint("m.keras", **{"mode": "min", **arguments}), values) == expected


def test_a_finite_number_beats_a_nan_of_the_first_epoch():
    assert drive(ModelCheckpoint("m.keras", save_best_only=True), [nan, 0.5, 0.6]) == [0, 1]


def test_the_best_value_is_kept_for_the_same_model_and_forgotten_for_another():
    checkpoint, model = ModelCheckpoint("m.keras", save_best_only=True), Model()
    assert drive(checkpoint, [1.0, 0.5], model) == [0, 1]
    assert drive(checkpoint, [0.7, 0.4], model) == [1]
    assert drive(checkpoint, [0.9, 0.8]) == [0, 1]
    threshold = ModelCheckpoint("m.keras", save_best_only=True, initial_value_threshold=0.6)
    assert [drive(threshold, [0.7, 0.5]) for _ in range(2)] == [[1], [1]]


@pytest.mark.parametrize("mode", ["min", "max", "auto"])
def test_auto_mode_decides_by_the_name(mode):
    checkpoint = ModelCheckpoint("m.keras", "val_accuracy", save_best_only=True, mode=mode)
    expected = {"min": [0, 2], "max": [0, 1], "auto": [0, 1]}[mode]
    assert drive(checkpoint, [0.5, 0.6, 0.4], name="val_accuracy") == expected


@pytest.mark.parametrize(
    ("frequency", "expected"),
    [
        (1, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]),
        (2, [(0, 1), (1, 0), (1, 2)]),
        (4, [(1, 0)]),
        (7, []),
    ],
)
def test_batches_are_counted_over_epochs(frequency, expected):
    checkpoint, model = ModelCheckpoint("{epoch}-{batch}.keras", save_freq=frequency), Model()
    for _ in range(2):  # and anew in each run
        model.saved.clear()
        callbacks = CallbackList(checkpoint, model=model)
        callbacks.on_train_begin()
        for epoch in range(2):
            callbacks.on_epoch_begin(epoch)
            for batch in range(3):
                callbacks.on_train_batch_end(batch, {"loss": 1.0})
            callbacks.on_epoch_end(epoch, {"loss": 1.0})
        assert model.saved == [f"{epoch + 1}-{batch + 1}.keras" for epoch, batch in expected]


def test_saving_by_epochs_asks_for_no_hooks_of_batches():
    assert not CallbackList(ModelCheckpoint("m.keras")).has_batch_hooks
    assert CallbackList(ModelCheckpoint("m.keras", save_freq=5)).has_batch_hooks


def test_hooks_that_a_subclass_adds_are_called():
    class Mine(ModelCheckpoint):
        def on_train_batch_end(self, batch, logs=None):
            self.seen = batch

    mine = Mine("m.keras")
    CallbackList(mine).on_train_batch_end(3)
    assert mine.seen == 3


def test_an_epoch_without_validation_saves_nothing_where_the_best_is_found_by_it():
    checkpoint = ModelCheckpoint("m.keras", save_best_only=True)
    checkpoint.set_params({"metrics": ["loss", "val_loss"]})
    checkpoint.set_model(Model())
    checkpoint.on_train_begin()
    checkpoint.on_epoch_end(0, {"loss": 1.0})
    assert checkpoint.model.saved == []


def test_an_epoch_without_the_number_in_the_file_name_is_warned_of():
    checkpoint = ModelCheckpoint("{epoch}-{val_loss}.keras")
    checkpoint.set_params({"metrics": ["loss", "val_loss"]})
    checkpoint.set_model(Model())
    with pytest.warns(UserWarning, match=r"nothing after epoch 1, which has no 'val_loss'"):
        checkpoint.on_epoch_end(0, {"loss": 1.0})


def test_many_numbers_to_monitor_save_every_time_with_a_warning():
    checkpoint = ModelCheckpoint("m.keras", "f1", save_best_only=True, mode="max")
    with pytest.warns(UserWarning, match=r"single number only.*Received: f1=array"):
        assert drive(checkpoint, [np.ones(2), np.zeros(2)], name="f1") == [0, 1]


def test_verbose_tells_what_is_saved_and_why_not(capsys):
    drive(ModelCheckpoint("m.keras", save_best_only=True, verbose=1), [1.0, 0.5, 0.75])
    drive(ModelCheckpoint("{epoch}.keras", verbose=1), [1.0])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 1: val_loss improved to 1.00000, saved to m.keras",
        "Epoch 2: val_loss improved from 1.00000 to 0.50000, saved to m.keras",
        "Epoch 3: val_loss did not improve from 0.50000.",
        "Epoch 1: saved to 1.keras",
    ]


def test_a_failed_save_does_not_count_as_the_best():
    class Full(Model):
        def save(self, path, overwrite):
            raise OSError(28, "No space left on device")

    checkpoint = ModelCheckpoint("m.keras", save_best_only=True)
    with pytest.raises(OSError, match="No space"):
        drive(checkpoint, [1.0], Full())
    assert checkpoint.best is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filepath": "m.pt"}, r"must end in '\.keras' \(or '\.h5'.*Received: filepath='m\.pt'"),
        ({"filepath": "m.weights.h5"}, r"for weights alone\. Pass save_weights_only=True"),
        ({"filepath": "m.keras", "save_weights_only": True}, r"must end in '\.weights\.h5'"),
        ({"filepath": "s3://bucket/m.keras"}, r"must be a local path"),
        ({"filepath": "{}.keras"}, r"fields in `filepath` need names"),
        ({"filepath": "{0}.keras"}, r"fields in `filepath` need names"),
        ({"filepath": "{epoch.keras"}, r"braces in `filepath` are not in order"),
        ({"save_freq": "batch"}, r"`save_freq` must be 'epoch' or a positive number.*'batch'"),
        ({"save_freq": 0}, r"`save_freq` must be 'epoch' or a positive number.*Received: 0"),
        ({"save_freq": True}, r"`save_freq` must be 'epoch' or a positive number.*Received: True"),
        ({"save_freq": 5, "save_best_only": True}, r"no 'val_loss' yet\. Use save_freq='epoch'"),
        ({"save_freq": 5, "filepath": "{val_acc}.keras"}, r"no 'val_acc' yet"),
        ({"save_best_only": "yes"}, r"`save_best_only` must be True or False"),
        ({"initial_value_threshold": "low"}, r"`initial_value_threshold` must be a number"),
        ({"mode": "lowest"}, r"`mode` must be one of"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint(**{"filepath": "m.keras", **arguments})


def test_what_is_no_path_is_refused_at_once():
    with pytest.raises(TypeError, match=r"`filepath` must be a path\. Received: 3"):
        ModelCheckpoint(3)


@pytest.mark.parametrize("name", ["m.keras", "{epoch}.keras", "deep/{epoch}/m.keras"])
def test_a_place_where_nothing_can_be_written_is_an_error_before_the_first_epoch(name, tmp_path):
    (tmp_path / "file").write_text("no folder")
    checkpoint = ModelCheckpoint(tmp_path / "file" / name)
    with pytest.raises(OSError, match=r"cannot write '.*': '.*file' is not a folder"):
        checkpoint.on_train_begin()
    ModelCheckpoint(tmp_path / "deep" / name).on_train_begin()


def begin(checkpoint, *others):
    metrics = ["loss", "accuracy", "val_loss", "val_accuracy"]
    callbacks = CallbackList([*others, checkpoint], model=Model(), metrics=metrics)
    callbacks.on_train_begin()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"monitor": "val_acc", "save_best_only": True}, r"cannot monitor 'val_acc'.*Choose one"),
        ({"filepath": "{val_los}.keras"}, r"fill in \{val_los\}.*Did you mean 'val_loss'"),
        ({"filepath": "{batch}.keras"}, r"fill in \{batch\}"),
    ],
)
def test_names_that_no_logs_will_have_are_errors_before_the_first_epoch(arguments, message):
    with pytest.raises(ValueError, match=message):
        begin(ModelCheckpoint(**{"filepath": "m.keras", **arguments}))


def test_names_in_the_file_may_be_any_in_the_logs_also_those_that_callbacks_add():
    class Adds(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["f1"] = 0.5

    begin(ModelCheckpoint("{epoch:03d}-{loss:.2f}-{val_accuracy:.3f}.keras"))
    begin(ModelCheckpoint("{f1}.keras"), Adds())
    begin(ModelCheckpoint("m.keras", monitor="nothing"))  # not looked at


def small_model():
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("ending", [".keras", ".h5", ".hdf5", ".weights.h5"])
def test_files_of_all_kinds_hold_the_model_of_their_epoch(ending, tmp_path, rng):
    weights = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(model.get_weights())
    )
    only = ending == ".weights.h5"
    path = str(tmp_path / "deep" / ("{epoch:02d}-{loss:.4f}" + ending))
    checkpoint = ModelCheckpoint(path, save_weights_only=only)
    model = small_model()
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    losses = model.fit(x, y, epochs=2, verbose=0, callbacks=[note, checkpoint]).history["loss"]
    for epoch, loss in enumerate(losses):
        file = tmp_path / "deep" / f"{epoch + 1:02d}-{loss:.4f}{ending}"
        if only:
            other = small_model()
            other.load_weights(file)
        else:
            other = keras.saving.load_model(file)
        for ours, theirs in zip(weights[epoch], other.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert len(list((tmp_path / "deep").iterdir())) == 2
