from contextlib import suppress

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import BackupAndRestore, Callback


class PowerCut(Exception):
    pass


class Stop(Callback):
    """Ends training by an error after some batches; counts the batches that were run."""

    def __init__(self, after=None):
        self.after, self.seen = after, 0

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen == self.after:
            raise PowerCut


def data():
    generator = np.random.default_rng(0)
    return generator.normal(size=(40, 3)).astype("float32"), generator.integers(0, 2, 40)


def build(units=4, optimizer="adam"):
    layers = [keras.layers.Dense(units, "tanh"), keras.layers.Dropout(0.3), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def train(backup, stop_after=None, model=None, epochs=3):
    """(model, batches run, history) of a run of 5 batches an epoch; None for the last if cut."""
    keras.utils.set_random_seed(5)
    model, stop = model or build(), Stop(stop_after)
    callbacks = [stop, *([backup] if backup is not None else [])]
    history = None
    with suppress(PowerCut):
        history = model.fit(
            *data(), batch_size=8, epochs=epochs, verbose=0, callbacks=callbacks
        ).history
    return model, stop.seen, history


def same(one, other):
    states = [[*m.get_weights(), *(v.numpy() for v in m.optimizer.variables)] for m in (one, other)]
    return all(a.tobytes() == b.tobytes() for a, b in zip(*states, strict=True))


@pytest.mark.parametrize(
    ("frequency", "cut", "left"),  # batches before the error, batches that remain
    [("epoch", 7, 10), ("epoch", 3, 15), (1, 7, 9), (2, 8, 9), (3, 5, 12), (7, 13, 8)],
)
@pytest.mark.parametrize("double", [False, True])
def test_a_run_that_was_cut_off_goes_on_from_its_backup(frequency, cut, left, double, tmp_path):
    whole, _, history = train(None)
    options = {"save_freq": frequency, "double_checkpoint": double}
    _, seen, _ = train(BackupAndRestore(tmp_path / "b", **options), stop_after=cut)
    assert seen == cut
    model, seen, resumed = train(BackupAndRestore(tmp_path / "b", **options))
    assert seen == left
    assert same(model, whole)
    assert resumed == history
    assert not (tmp_path / "b").exists()


def test_a_finished_run_deletes_its_backup_but_not_the_files_of_others(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    train(BackupAndRestore(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_backup_that_is_kept_lets_a_finished_run_go_on(tmp_path):
    backup = BackupAndRestore(tmp_path, delete_checkpoint=False)
    train(backup, epochs=2)
    assert train(backup, epochs=2)[1] == 0
    model, seen, _ = train(backup, epochs=3)
    assert seen == 5
    assert same(model, train(None)[0])


def test_two_files_are_kept_on_request(tmp_path):
    train(BackupAndRestore(tmp_path, double_checkpoint=True, delete_checkpoint=False), epochs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["latest.weights.h5"]
    train(BackupAndRestore(tmp_path, double_checkpoint=True, delete_checkpoint=False))
    assert {p.name for p in tmp_path.iterdir()} == {"latest.weights.h5", "previous.weights.h5"}


def cut_file(path):
    path.write_bytes(path.read_bytes()[:2000])


def test_a_damaged_backup_is_replaced_by_the_one_before(tmp_path):
    train(BackupAndRestore(tmp_path, 2, double_checkpoint=True), stop_after=9)
    cut_file(tmp_path / "latest.weights.h5")
    with pytest.warns(UserWarning, match=r"goes on from .*previous.* because: .*latest.*damaged"):
        model, seen, _ = train(BackupAndRestore(tmp_path, 2, double_checkpoint=True))
    assert seen == 15 - 6
    assert same(model, train(None)[0])


def test_a_missing_backup_is_replaced_by_the_one_before(tmp_path):
    train(BackupAndRestore(tmp_path, 2, double_checkpoint=True), stop_after=9)
    (tmp_path / "latest.weights.h5").unlink()
    assert train(BackupAndRestore(tmp_path, 2, double_checkpoint=True))[1] == 15 - 6


def test_a_damaged_backup_without_another_is_an_error_that_keeps_the_file(tmp_path):
    train(BackupAndRestore(tmp_path), stop_after=9)
    file = tmp_path / "latest.weights.h5"
    cut_file(file)
    model, before = build(), file.read_bytes()
    with pytest.raises(ValueError, match=r"latest\.weights\.h5' is .*damaged"):
        train(BackupAndRestore(tmp_path), model=model)
    assert file.read_bytes() == before
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: build(units=5), r"does not fit the model: layer 'dense.*expected shape \(3, 5\)"),
        (lambda: build(optimizer="sgd"), r"Expected: Adam with .*Received: SGD with"),
    ],
)
def test_the_backup_of_another_model_is_an_error_that_keeps_the_file(model, message, tmp_path):
    train(BackupAndRestore(tmp_path), stop_after=9)
    with pytest.raises(ValueError, match=message):
        train(BackupAndRestore(tmp_path), model=model())
    assert (tmp_path / "latest.weights.h5").exists()


def test_files_that_a_killed_process_left_unfinished_are_removed(tmp_path):
    (tmp_path / ".latest.weights.h5.12-ab.tmp").write_bytes(b"half")
    (tmp_path / ".other.tmp").write_bytes(b"mine")
    train(BackupAndRestore(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [".other.tmp"]


def test_a_fit_within_a_callback_leaves_the_backup_of_the_outer_one_as_it_is(tmp_path):
    class Inner(Callback):
        def on_epoch_end(self, epoch, logs=None):
            build().fit(*data(), verbose=0)
            before = self.model.training_run
            self.model.fit(*data(), epochs=1, verbose=0)
            assert self.model.training_run is before

    keras.utils.set_random_seed(5)
    backup = BackupAndRestore(tmp_path, delete_checkpoint=False)
    build().fit(*data(), epochs=2, verbose=0, callbacks=[Inner(), backup])
    assert [path.name for path in tmp_path.iterdir()] == ["latest.weights.h5"]


def test_other_loops_than_fit_are_told_that_they_cannot_use_it(tmp_path):
    callbacks = keras.callbacks.CallbackList(BackupAndRestore(tmp_path), model=build())
    with pytest.raises(ValueError, match="works in `fit`"):
        callbacks.on_train_begin()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backup_dir": ""}, r"`backup_dir` must be the path of a folder\. Received: ''"),
        ({"backup_dir": None}, r"`backup_dir` must be the path of a folder\. Received: None"),
        ({"save_freq": "batch"}, r"`save_freq` must be 'epoch' or a positive number of batches"),
        ({"save_freq": False}, r"`save_freq` must be .*Received: False"),
        ({"double_checkpoint": 2}, r"`double_checkpoint` must be True or False"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        BackupAndRestore(**{"backup_dir": "backup", **arguments})
