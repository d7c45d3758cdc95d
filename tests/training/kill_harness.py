"""Trains in forked children that are killed: a server for test_kill.py.

Started as ``python -m tests.training.kill_harness``. It reads one JSON request per line and answers
with one JSON line:

    {"kind": "plateau", "save_freq": 1, "folder": "...", "after": 0.03}      killed after 0.03 s
    {"kind": "plateau", "save_freq": 1, "folder": "...", "at": 17}           killed at the 17th
                                                                             operation on a file
    {"kind": "plateau", "save_freq": 1, "folder": "...", "at": "end"}        killed when all is done
Without "after" and "at" the child lives. The answer is {"killed": true or false}; a child that came
to its end has written its result beside its folder (`result_path`), where the next child, which
looks at what lies in the folder, does not take it for something that the run left behind.
"""

import json
import os
import pickle
import random
import select
import signal
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import numpy as np

import minikeras as keras
from minikeras import callbacks
from minikeras.saving import files
from minikeras.training import run_state

EPOCHS = 9


class Draws(callbacks.Callback):
    """Adds to the logs what depends on the global generators of random numbers."""

    log_names = ("drawn",)

    def on_epoch_end(self, epoch, logs=None):
        logs["drawn"] = np.random.normal() + random.random()


class Counts(callbacks.Callback):
    state_names = ("batches", "sums")

    def on_train_begin(self, logs=None):
        self.batches, self.sums = 0, {}

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1
        self.sums[batch] = self.sums.get(batch, 0.0) + logs["loss"]


def build(kind):
    """A small model with everything that has a state."""
    keras.utils.set_random_seed(11)
    model = keras.Sequential(
        [
            keras.layers.Dense(9, "relu"),
            keras.layers.Dropout(0.3),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    if kind == "schedule":
        rate = keras.optimizers.schedules.ExponentialDecay(0.3, 5, 0.9)
        optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)
    else:
        optimizer = keras.optimizers.Adam(0.03)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def make_callbacks(kind, save_freq, folder):
    made = [
        Counts(),
        Draws(),
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True),
        callbacks.ModelCheckpoint(
            folder / "best.weights.h5", save_best_only=True, save_weights_only=True
        ),
        callbacks.ModelCheckpoint(folder / "last.keras", save_freq=5),
        callbacks.BackupAndRestore(
            folder / "backup", save_freq, double_checkpoint=kind == "plateau"
        ),
    ]
    if kind == "plateau":
        plateau = callbacks.ReduceLROnPlateau(patience=2, cooldown=1, factor=0.5, min_delta=0.05)
        made[3:3] = [callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.97), plateau]
    return made


def train(kind, save_freq, folder):
    """Everything that a run leaves behind, arrays as bytes."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(70, 6)).astype("float32")
    y = np.argmax(x[:, :3] + generator.normal(size=(70, 3)), axis=1)
    model, used = build(kind), make_callbacks(kind, save_freq, folder)
    options = {"batch_size": 16, "epochs": EPOCHS, "verbose": 0, "validation_split": 0.2}
    history = model.fit(x, y, callbacks=used, **options)
    other = build(kind)
    other.build((None, 6))
    states = [[type(one).__name__, one.state_dict()] for one in used]
    found = {
        "weights": model.get_weights(),
        "optimizer": [v.numpy() for v in model.optimizer.variables],
        "history": history.history,
        "epochs": history.epoch,
        "states": states,
        "log": (folder / "log.csv").read_bytes(),
        "last": keras.saving.load_model(folder / "last.keras").get_weights(),
        "random": (np.random.normal(), random.random()),
        "files": sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")),
    }
    other.load_weights(folder / "best.weights.h5")
    found["best"] = other.get_weights()
    return _plain(found)


def _plain(value):
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    return [_plain(child) for child in value] if isinstance(value, list) else value


# --- the end of a child at an operation on a file ---


class Fatal:
    """Counts the operations by which files are saved, and kills the process at one of them."""

    def __init__(self, at):
        self.left = at
        for module, name in ((files.os, "replace"), (files.os, "fsync"), (files.os, "link")):
            setattr(module, name, self.around(getattr(module, name)))
        files.open = self.open  # stands before the built-in one
        assert run_state.os is files.os

    def step(self):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function):
        def call(*given):
            self.step()
            result = function(*given)
            self.step()
            return result

        return call

    def open(self, path, mode):
        self.step()
        return HalfWriting(open(path, mode), self)  # noqa: SIM115 - its reader closes it


class HalfWriting:
    """A file whose first write comes in two halves."""

    def __init__(self, file, fatal):
        self.file, self.fatal = file, fatal

    def write(self, data):
        half = len(data) // 2
        self.file.write(data[:half])
        self.file.flush()
        self.fatal.step()
        return half + self.file.write(data[half:])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)


# --- the server ---


def serve():
    """Answer requests until standard input ends."""
    for line in sys.stdin:
        print(json.dumps({"killed": fork(json.loads(line))}), flush=True)


def fork(request):
    """Train in a child; whether it was killed."""
    child = os.fork()
    if child == 0:
        os._exit(work(request))
    watch = os.pidfd_open(child)
    try:
        if "after" in request and not select.select([watch], [], [], request["after"])[0]:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    finally:
        os.close(watch)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
        return False
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    raise SystemExit("the child failed by itself")


def result_path(folder):
    return folder.with_suffix(".pkl")


def work(request):
    try:
        at, folder = request.get("at"), Path(request["folder"])
        if isinstance(at, int):
            Fatal(at)
        result = train(request["kind"], request["save_freq"], folder)
        result_path(folder).write_bytes(pickle.dumps(result))
        if at == "end":
            os.kill(os.getpid(), signal.SIGKILL)
        return 0
    except BaseException:
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "CSVLogger goes on")
    with tempfile.TemporaryDirectory() as scratch:
        train("plateau", "epoch", Path(scratch))  # loads the kernels, which the children inherit
    serve()
