"""A run that was saved, and goes on in another process or model, ends in the same bits."""

import warnings

import h5py
import numpy as np
import pytest

import minikeras as keras
from minikeras.data import stored, windows
from tests.training.test_custom_steps import Gan, X


class SaveAt(keras.callbacks.Callback):
    """Save the run after one batch of one epoch, or after the epoch (batch None)."""

    def __init__(self, path, epoch, batch):
        self.path, self.at = str(path), (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            self.model.training_run.save(self.path)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch, None) == self.at:
            self.model.training_run.save(self.path)


class ResumeFrom(keras.callbacks.Callback):
    def __init__(self, path):
        self.path = str(path)

    def on_train_begin(self, logs=None):
        self.model.training_run.resume_from(self.path)


class CountBatches(keras.callbacks.Callback):
    state_names = ("seen", "by_epoch")

    def on_train_begin(self, logs=None):
        self.seen, self.by_epoch = 0, {}

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        self.by_epoch[batch] = self.by_epoch.get(batch, 0) + 1


def build():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(9, "relu"),
            keras.layers.Dropout(0.3),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    rate = keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def data():
    generator = np.random.default_rng(0)
    return generator.normal(size=(70, 6)).astype("float32"), generator.integers(0, 3, 70)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        x, y = data()
        return x[index * 14 : index * 14 + 14], y[index * 14 : index * 14 + 14]


class Anew:
    def __iter__(self):
        return iter(list(Batches()))


KINDS = {
    "PyDataset": Batches,
    "PyDataset with workers": lambda: Batches(workers=2, max_queue_size=3),
    "iterable": Anew,
    "generator": lambda: iter(list(Batches()) * 4),
}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The inputs as an HDF5 data set, and as a memory map."""
    monkeypatch.setattr(stored, "LARGE", 1)
    monkeypatch.setattr(windows, "SHUFFLED", 600)
    monkeypatch.setattr(windows, "BLOCK", 80)
    x, y = data()
    np.save(tmp_path / "x.npy", x)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = x
        KINDS["h5py"] = lambda: (file["x"], y)
        KINDS["memmap"] = lambda: (np.load(tmp_path / "x.npy", mmap_mode="r"), y)
        yield
        del KINDS["h5py"], KINDS["memmap"]


def run(extra, seed=3, kind=None, **options):
    in_rows = kind in (None, "h5py", "memmap")
    given = data() if kind is None else KINDS[kind]()
    given = given if in_rows else (given,)
    if in_rows:
        options = {"batch_size": 16, "validation_split": 0.2, **options}
    else:
        options = {"validation_data": iter(list(Batches())[:2]), **options}
    keras.utils.set_random_seed(seed)
    model = build()
    counter = CountBatches()
    stopper = keras.callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True)
    history = model.fit(
        *given,
        **{"epochs": 4, "verbose": 0, **options},
        callbacks=[counter, stopper, extra],
    )
    state = [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]
    return state, history, counter


def assert_same(one, other):
    for a, b in zip(one[0], other[0], strict=True):
        assert a.tobytes() == b.tobytes()
    assert one[1].history == other[1].history
    assert one[1].epoch == other[1].epoch
    assert (one[2].seen, one[2].by_epoch) == (other[2].seen, other[2].by_epoch)


@pytest.mark.parametrize("at", [(0, 0), (1, 1), (2, 3), (1, None), (3, None)])
@pytest.mark.parametrize("options", [{}, {"steps_per_epoch": 2}, {"shuffle": "batch"}])
def test_a_resumed_run_ends_in_the_bits_of_the_uninterrupted_one(tmp_path, at, options):
    path = tmp_path / "run.weights.h5"
    if at[1] is not None and at[1] >= options.get("steps_per_epoch", 9):
        at = (at[0], 1)
    whole = run(SaveAt(path, *at), **options)
    resumed = run(ResumeFrom(path), seed=77, **options)
    assert_same(whole, resumed)


@pytest.mark.parametrize("at", [(0, 0), (1, 1), (2, 3), (1, None), (3, None)])
@pytest.mark.parametrize("steps", [5, 3])
@pytest.mark.parametrize("kind", [*KINDS, "h5py", "memmap"])
@pytest.mark.usefixtures("files")
def test_runs_over_every_kind_of_data_are_resumed_to_the_bit(tmp_path, kind, steps, at):
    path = tmp_path / "run.weights.h5"
    options = {"kind": kind}
    if kind in ("h5py", "memmap"):
        options |= {"batch_size": 11, "shuffle": "batch" if kind == "memmap" else True}
    if steps == 3 or kind == "generator":
        options["steps_per_epoch"] = steps
    if at[1] is not None and at[1] >= steps:
        at = (at[0], 1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The data ran out")
        whole = run(SaveAt(path, *at), **options)
        resumed = run(ResumeFrom(path), seed=77, **options)
    assert_same(whole, resumed)


def test_a_run_is_not_resumed_in_another_order(tmp_path):
    path = tmp_path / "run.weights.h5"
    run(SaveAt(path, 0, None), kind="PyDataset")
    with pytest.raises(ValueError, match="were shuffled. Received: data that are not shuffled"):
        run(ResumeFrom(path), kind="PyDataset", shuffle=False)
    with pytest.raises(ValueError, match="batches=5. Received: batches=None"):
        run(ResumeFrom(path), kind="iterable")


def test_a_run_is_not_resumed_with_other_callbacks(tmp_path):
    path = tmp_path / "run.weights.h5"
    run(SaveAt(path, 0, None))
    with pytest.raises(ValueError, match=r"callbacks.*CountBatches.*Received: \['History'\]"):
        build().fit(
            *data(), callbacks=[ResumeFrom(path)], verbose=0, batch_size=16, validation_split=0.2
        )


def test_a_run_is_not_resumed_over_other_data(tmp_path):
    path = tmp_path / "run.weights.h5"
    run(SaveAt(path, 0, None))
    with pytest.raises(ValueError, match=r"batch_size=16\. Received: batch_size=8"):
        run(ResumeFrom(path), batch_size=8)


def test_a_file_of_weights_alone_cannot_be_resumed(tmp_path):
    path = tmp_path / "only.weights.h5"
    build().save_weights(path)
    with pytest.raises(ValueError, match="no training run"):
        run(ResumeFrom(path))


def test_nothing_is_loaded_from_a_run_that_does_not_fit(tmp_path):
    path = tmp_path / "run.weights.h5"
    run(SaveAt(path, 0, None))
    model = build()
    before = model.get_weights()
    with pytest.raises(ValueError, match="callbacks"):
        model.fit(*data(), callbacks=[ResumeFrom(path)], verbose=0, validation_split=0.2)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_optimizers_in_attributes_are_resumed_too(tmp_path):
    path = tmp_path / "run.weights.h5"
    kept = []
    for seed, extra in ((3, SaveAt(path, 1, 1)), (77, ResumeFrom(path))):
        keras.utils.set_random_seed(seed)
        gan = Gan()
        gan.compile(
            keras.optimizers.Adam(0.01),
            keras.optimizers.SGD(0.01, momentum=0.9),
            keras.losses.BinaryCrossentropy(from_logits=True),
        )
        history = gan.fit(X, batch_size=8, epochs=3, verbose=0, callbacks=[extra]).history
        kept.append((gan.get_weights(), [v.numpy() for v in gan.d_optimizer.variables], history))
    for a, b in zip(kept[0][0] + kept[0][1], kept[1][0] + kept[1][1], strict=True):
        assert a.tobytes() == b.tobytes()
    assert kept[0][2] == kept[1][2]


class Twice(keras.layers.Layer):
    """A layer of a user's own that keeps a stateful one in a list."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [keras.layers.GRU(3, stateful=True, return_sequences=True)]

    def call(self, x):
        return self.parts[0](self.parts[0](x))


def stateful_lstm():
    return [keras.layers.LSTM(4, stateful=True)]


def stateful_stack():
    cells = [keras.layers.LSTMCell(4), keras.layers.GRUCell(3), keras.layers.LSTMCell(2)]
    return [keras.layers.RNN(cells, stateful=True)]


def stateful_bidirectional():
    both = keras.layers.Bidirectional(
        keras.layers.LSTM(2, stateful=True, return_sequences=True, recurrent_dropout=0.2)
    )
    return [both, keras.layers.SimpleRNN(3, stateful=True)]


def stateful_images():
    images = keras.layers.ConvLSTM1D(2, 2, stateful=True)
    return [keras.layers.Reshape((5, 3, 1)), images, keras.layers.Flatten()]


def stateful_within():
    inner = keras.Sequential([keras.Input(batch_shape=(4, 5, 3)), Twice()])
    return [inner, keras.layers.Flatten()]


STATEFUL = {
    "LSTM": stateful_lstm,
    "stacked cells": stateful_stack,
    "Bidirectional": stateful_bidirectional,
    "ConvLSTM": stateful_images,
    "within": stateful_within,
}


def stateful_model(kind):
    made = [keras.Input(batch_shape=(4, 5, 3)), *STATEFUL[kind](), keras.layers.Dense(1)]
    model = keras.Sequential(made)
    model.compile("adam", "mse")
    return model


def run_stateful(kind, extra, seed):
    """The weights, the states that are carried on, and the history."""
    generator = np.random.default_rng(5)
    x = generator.normal(size=(16, 5, 3)).astype("float32")
    keras.utils.set_random_seed(seed)
    model = stateful_model(kind)
    options = {"batch_size": 4, "epochs": 3, "verbose": 0, "shuffle": False}
    history = model.fit(
        x, x[:, -1, :1], callbacks=[extra], validation_data=(x, x[:, 0, :1]), **options
    )
    states = model.predict(x, batch_size=4, verbose=0)
    return [*model.get_weights(), states], history.history


@pytest.mark.parametrize("at", [(0, 2), (1, None)])
@pytest.mark.parametrize("kind", STATEFUL)
def test_what_stateful_layers_carry_is_resumed_to_the_bit(tmp_path, kind, at):
    path = tmp_path / "run.weights.h5"
    whole = run_stateful(kind, SaveAt(path, *at), 3)
    resumed = run_stateful(kind, ResumeFrom(path), 77)
    for a, b in zip(whole[0], resumed[0], strict=True):
        assert a.tobytes() == b.tobytes()
    assert whole[1] == resumed[1]


def test_a_run_is_not_resumed_with_other_stateful_layers(tmp_path, monkeypatch):
    path = tmp_path / "run.weights.h5"
    run_stateful("LSTM", SaveAt(path, 0, 2), 3)
    monkeypatch.setitem(STATEFUL, "LSTM", lambda: [keras.layers.LSTM(4)])
    with pytest.raises(ValueError, match=r"shapes \[\(4, 4\), \(4, 4\)\]. Received: \[\]"):
        run_stateful("LSTM", ResumeFrom(path), 3)
