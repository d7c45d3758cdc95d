"""Every callback: what of it changes in a run is saved with it, and a second run starts afresh."""

import inspect
import warnings

import numpy as np
import pytest

import minikeras as keras
from minikeras import callbacks
from minikeras.callbacks import Callback

# For each callback what makes one for a folder; None: nothing to run. A missing class fails.
MAKERS = {
    "BackupAndRestore": lambda folder: callbacks.BackupAndRestore(folder / "backup", 3),
    "CSVLogger": lambda folder: callbacks.CSVLogger(folder / "log.csv"),
    "Callback": None,
    "CallbackList": None,
    "EarlyStopping": lambda folder: callbacks.EarlyStopping(
        patience=1, restore_best_weights=True, min_delta=0.03
    ),
    "EpochMetrics": lambda folder: callbacks.EpochMetrics({"spread": lambda y, p: np.ptp(p)}),
    "GradientRecorder": lambda folder: callbacks.GradientRecorder(every=2),
    "History": lambda folder: callbacks.History(),
    "LambdaCallback": lambda folder: callbacks.LambdaCallback(on_epoch_end=print),
    "LearningRateFinder": lambda folder: callbacks.LearningRateFinder(1e-4, 1e-2),
    "LearningRateScheduler": lambda folder: callbacks.LearningRateScheduler(
        lambda epoch: 0.1 / (1 + epoch)
    ),
    "ModelCheckpoint": lambda folder: callbacks.ModelCheckpoint(
        folder / "{epoch}-{batch}.keras", "loss", save_best_only=True, save_freq=3
    ),
    "OneCycle": lambda folder: callbacks.OneCycle(0.1),
    "ProgbarLogger": lambda folder: callbacks.ProgbarLogger(),
    "ReduceLROnPlateau": lambda folder: callbacks.ReduceLROnPlateau(
        patience=2, cooldown=1, min_delta=0.03
    ),
    "RemoteMonitor": lambda folder: callbacks.RemoteMonitor("http://127.0.0.1:9"),
    "SwapEMAWeights": lambda folder: callbacks.SwapEMAWeights(swap_on_epoch=True),
    "TensorBoard": lambda folder: callbacks.TensorBoard(folder / "board", update_freq=3),
    "TerminateOnNaN": lambda folder: callbacks.TerminateOnNaN(),
}
RUNNABLE = sorted(name for name, make in MAKERS.items() if make is not None)
# attributes that belong to a process or to one call of `fit`, and not to the state of a run
NO_STATE = {
    "*": {"_model", "params"},
    "CSVLogger": {"_file", "_ready"},
    "ProgbarLogger": set(vars(callbacks.ProgbarLogger())),
    "TensorBoard": {"_batch_start", "_epoch_start", "_epoch_first", "_in_fit"},  # for the speed
}


def make(name, folder):
    if name == "TensorBoard":
        pytest.importorskip("tensorboard")
    return MAKERS[name](folder)


def build():
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(2, name="hidden"), keras.layers.Dense(1, name="out")]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(keras.optimizers.SGD(0.1, use_ema=True), "mse")
    return model


def train(model, callback, *others, epochs=5):
    generator = np.random.default_rng(4)
    x, y = generator.normal(size=(28, 3)), generator.normal(size=(28, 1))
    options = {"batch_size": 8, "epochs": epochs, "validation_split": 0.3, "verbose": 0}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "RemoteMonitor could not")
        return model.fit(x, y, callbacks=[callback, *others], **options).history


def plain(value):
    """A nest that can be compared with ==."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    return [plain(child) for child in value] if isinstance(value, list) else value


def test_every_callback_has_an_entry():
    public = {n for n in callbacks.__all__ if inspect.isclass(getattr(callbacks, n))}
    assert set(MAKERS) == public


class Snapshots(Callback):
    """What another callback holds after each batch and each epoch."""

    def __init__(self, of):
        self.of, self.taken = of, []

    def on_train_batch_end(self, batch, logs=None):
        self.take()

    def on_epoch_end(self, epoch, logs=None):
        self.take()

    def take(self):
        self.taken.append({name: repr(value) for name, value in vars(self.of).items()})


@pytest.mark.parametrize("name", RUNNABLE)
def test_what_changes_in_a_run_is_saved_with_it(name, tmp_path):
    callback = make(name, tmp_path)
    snapshots = Snapshots(callback)
    train(build(), callback, snapshots)
    first, *rest = snapshots.taken
    changed = {key for taken in rest for key in taken if taken[key] != first.get(key)}
    allowed = NO_STATE["*"] | NO_STATE.get(name, set())
    assert changed <= {*callback.state_dict(), *allowed}


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_saved_state_makes_another_callback_the_same(name, tmp_path):
    callback, other = make(name, tmp_path), make(name, tmp_path)
    states = []
    note = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: states.append(callback.state_dict()) if epoch == 1 else 0
    )
    train(build(), callback, note)
    other.load_state_dict(states[0])
    assert plain(other.state_dict()) == plain(states[0])


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_second_run_with_another_model_starts_afresh(name, tmp_path):
    callback, model = make(name, tmp_path), build()
    history = plain(train(model, callback))
    state = plain(callback.state_dict())
    if name == "History":  # goes on collecting over runs, as in Keras
        callback = callbacks.History()
    other = build()  # here, because it sets the seed
    assert plain(train(other, callback)) == history
    assert plain(callback.state_dict()) == state
    assert plain(other.get_weights()) == plain(model.get_weights())


@pytest.mark.parametrize("name", sorted({*RUNNABLE} - {"History", "ModelCheckpoint"}))
def test_a_second_run_of_the_same_model_is_that_of_a_new_callback(name, tmp_path):
    reused, model = make(name, tmp_path), build()
    train(model, reused, epochs=3)
    second = train(model, reused, epochs=3)
    other = build()
    train(other, make(name, tmp_path), epochs=3)
    new = make(name, tmp_path)
    assert plain(train(other, new, epochs=3)) == plain(second)
    assert plain(new.state_dict()) == plain(reused.state_dict())
