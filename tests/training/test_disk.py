"""Files while disks fill up and processes compete for one name."""

import errno
import os
import random
import resource
import signal
from contextlib import contextmanager, suppress

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import BackupAndRestore, Callback, CSVLogger, ModelCheckpoint
from minikeras.saving import files

SAVES = 200


class Full:
    """A file on a disk that holds only so many bytes."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, data):
        data = memoryview(data).cast("B")
        self._file.write(data[: self._room])
        if len(data) > self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._room -= len(data)
        return len(data)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


@contextmanager
def room_for(monkeypatch, count):
    """Within the block each file that is saved can take `count` bytes."""
    with monkeypatch.context() as patch:
        opener = lambda path, mode: Full(open(path, mode), count)  # noqa: E731, SIM115
        patch.setattr(files, "open", opener, raising=False)
        yield


def build(value=None):
    model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(300), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    if value is not None:
        model.set_weights([np.full_like(w, value) for w in model.get_weights()])
    return model


SAVERS = {
    "m.keras": lambda model, path: model.save(path),
    "m.h5": lambda model, path: model.save(path),
    "m.weights.h5": lambda model, path: model.save_weights(path),
}


@pytest.mark.parametrize("name", SAVERS)
def test_a_full_disk_leaves_the_old_file_and_names_it(name, tmp_path, monkeypatch):
    path = tmp_path / name
    SAVERS[name](build(1.0), path)
    before, generator = path.read_bytes(), random.Random(0)
    for room in (0, 1, len(before) - 1, *(generator.randrange(len(before)) for _ in range(20))):
        with room_for(monkeypatch, room), pytest.raises(OSError, match="No space left") as caught:
            SAVERS[name](build(2.0), path)
        assert str(path) in str(caught.value)
        assert "What was there before is unchanged" in str(caught.value)
        assert caught.value.errno == errno.ENOSPC
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == [name]


def test_a_limit_that_the_system_sets_is_met_in_the_same_way(tmp_path):
    path = tmp_path / "m.keras"
    build(1.0).save(path)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match=r"Could not write '.*m\.keras': File too large"):
            build(2.0).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["m.keras"]


class Fill(Callback):
    """Fills the disk from the end of one epoch on."""

    def __init__(self, monkeypatch, epoch):
        self.patch, self.epoch = monkeypatch, epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            opener = lambda path, mode: Full(open(path, mode), 100)  # noqa: E731, SIM115
            self.patch.setattr(files, "open", opener, raising=False)


def train(folder, *callbacks):
    keras.utils.set_random_seed(8)
    model = build()
    generator = np.random.default_rng(2)
    x, y = generator.normal(size=(32, 20)), generator.normal(size=(32, 1))
    kept = [
        ModelCheckpoint(folder / "best.keras", "loss", save_best_only=True),
        CSVLogger(folder / "log.csv"),
        BackupAndRestore(folder / "backup", double_checkpoint=True),
    ]
    model.fit(x, y, epochs=5, verbose=0, callbacks=[*callbacks, *kept])
    return model


def test_a_disk_that_fills_up_ends_training_with_everything_as_it_was(tmp_path, monkeypatch):
    whole = train(tmp_path)
    log = (tmp_path / "log.csv").read_bytes()
    (tmp_path / "log.csv").unlink()
    (tmp_path / "best.keras").unlink()

    fill = Fill(monkeypatch, 2)
    with pytest.raises(OSError, match=r"best\.keras': No space left"):
        train(tmp_path, fill)
    monkeypatch.undo()
    model = fill.model
    assert model.optimizer.iterations.numpy() == 3
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert model.training_run is None
    assert len(model.history.epoch) == 2
    best = keras.saving.load_model(tmp_path / "best.keras")
    assert best.optimizer.iterations.numpy() == 2

    again = train(tmp_path)  # with room on the disk again
    for one, other in zip(whole.get_weights(), again.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()
    assert (tmp_path / "log.csv").read_bytes() == log


def fork(work):
    """Run a function in a child."""
    child = os.fork()
    if child == 0:
        status = 1
        with suppress(BaseException):
            work()
            status = 0
        os._exit(status)
    return child


@pytest.mark.parametrize("name", ["m.weights.h5", pytest.param("m.keras", marks=pytest.mark.slow)])
def test_processes_that_save_to_one_name_leave_one_of_their_files_whole(name, tmp_path):
    path, values = tmp_path / name, (1.0, 2.0)
    models = [build(value) for value in values]
    reader = build(0.0)
    SAVERS[name](models[0], path)

    def save(model):
        for _ in range(SAVES):
            SAVERS[name](model, path)

    children = [fork(lambda model=model: save(model)) for model in models]
    waiting, seen = set(children), set()
    try:
        while waiting:
            reader.load_weights(path)
            held = {value for w in reader.get_weights() for value in np.unique(w)}
            assert len(held) == 1
            seen |= held
            for child in list(waiting):
                done, status = os.waitpid(child, os.WNOHANG)
                if done:
                    assert status == 0
                    waiting.discard(child)
    finally:
        for child in waiting:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert seen == set(values)
    assert os.listdir(tmp_path) == [name]
