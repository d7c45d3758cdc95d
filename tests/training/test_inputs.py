"""`fit`, `evaluate`, `predict` on every kind of input: one result, whatever holds the data."""

import itertools
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import MappingProxyType

import h5py
import numpy as np
import pytest

import minikeras as keras
from minikeras.data import stored, windows
from tests.training.input_cases import (
    CASES,
    CLASS_WEIGHT,
    LABELS,
    ROWS,
    SIZE,
    WEIGHTS,
    X,
    Y,
    batches,
    classifier,
    dataset,
    endless,
    regression,
)

RECORDED = json.loads(Path(__file__).with_name("inputs_recorded.json").read_text())


@pytest.mark.filterwarnings("ignore:The data ran out")
@pytest.mark.parametrize("name", sorted(CASES))
def test_histories_are_those_of_keras(name):
    history = CASES[name](keras)
    assert history.keys() == RECORDED[name].keys()
    for key, values in RECORDED[name].items():
        np.testing.assert_allclose(history[key], values, rtol=2e-5, err_msg=key)


class Anew:
    """An iterable that begins anew each time, with a length or without."""

    def __init__(self, items):
        self._items = items

    def __iter__(self):
        return iter(self._items)


class Loader(Anew):
    """As torch's DataLoader: it has a length and yields lists."""

    def __len__(self):
        return len(self._items)

    def __iter__(self):
        return (list(item) for item in self._items)


ITEMS = batches(X, Y, WEIGHTS)
KINDS = {
    "iterable": lambda: Anew(ITEMS),
    "loader": lambda: Loader(ITEMS),
    "generator of all epochs": lambda: iter(ITEMS * 3),
    "endless generator": lambda: endless(ITEMS),
    "PyDataset": lambda: dataset(keras, ITEMS),
    "PyDataset, 3 workers": lambda: dataset(keras, ITEMS, workers=3, max_queue_size=2),
    "PyDataset, ahead": lambda: dataset(keras, ITEMS, use_multiprocessing=True),
}
ENDS_WITH_ITS_STEPS = ("generator of all epochs", "endless generator")


def trained(*data, **options):
    model = regression(keras)
    history = model.fit(*data, **{"epochs": 3, "verbose": 0, "shuffle": False, **options})
    return model.get_weights(), history.history


def assert_same(one, other):
    for a, b in zip(one[0], other[0], strict=True):
        assert a.tobytes() == b.tobytes()
    assert one[1] == other[1]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_input_trains_to_the_same_bits(kind):
    arrays = trained(X, Y, batch_size=SIZE, sample_weight=WEIGHTS)
    steps = len(ITEMS) if kind in ENDS_WITH_ITS_STEPS else None
    assert_same(arrays, trained(KINDS[kind](), steps_per_epoch=steps))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_input_goes_on_where_the_epoch_before_ended(kind):
    options = {"steps_per_epoch": 1, "epochs": 7}
    arrays = trained(X, Y, batch_size=SIZE, sample_weight=WEIGHTS, **options)
    assert_same(arrays, trained(KINDS[kind](), **options))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_input_is_evaluated_and_predicted_alike(kind):
    model = regression(keras)
    steps = len(ITEMS) if kind in ENDS_WITH_ITS_STEPS else None
    expected = model.evaluate(X, Y, batch_size=SIZE, sample_weight=WEIGHTS, verbose=0)
    assert model.evaluate(KINDS[kind](), steps=steps, verbose=0) == expected
    outputs = model.predict(KINDS[kind](), steps=steps, verbose=0)
    np.testing.assert_array_equal(outputs, model.predict(X, batch_size=SIZE, verbose=0))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_input_serves_for_validation(kind):
    steps = len(ITEMS) if kind in ENDS_WITH_ITS_STEPS else None
    arrays = trained(X, Y, batch_size=SIZE, validation_data=(X, Y, WEIGHTS))
    validated = trained(
        X, Y, batch_size=SIZE, validation_data=KINDS[kind](), validation_steps=steps
    )
    assert_same(arrays, validated)


def test_a_validation_generator_gives_the_same_samples_each_time():
    kept = trained(X, Y, batch_size=SIZE, validation_data=iter(ITEMS))
    assert_same(kept, trained(X, Y, batch_size=SIZE, validation_data=(X, Y, WEIGHTS)))
    buffer = np.empty((SIZE, 3), "float32")

    def reuses_its_buffer():
        for x, y, w in ITEMS:
            buffer[: len(x)] = x
            yield buffer[: len(x)], y, w

    assert_same(kept, trained(X, Y, batch_size=SIZE, validation_data=reuses_its_buffer()))


def test_the_training_history_does_not_depend_on_names_of_inputs():
    arrays = trained(X, Y, batch_size=SIZE)
    name = regression(keras).input_names[0]
    assert_same(arrays, trained([X], [Y], batch_size=SIZE))
    assert_same(arrays, trained((X,), Y, batch_size=SIZE))
    assert_same(arrays, trained({name: X}, Y, batch_size=SIZE))
    assert_same(arrays, trained(Anew([({name: x}, [y]) for x, y in batches(X, Y)])))


def test_class_and_sample_weights_are_multiplied_for_every_kind():
    def fit(*data, **options):
        model = classifier(keras)
        model.fit(*data, epochs=2, verbose=0, shuffle=False, class_weight=CLASS_WEIGHT, **options)
        return model.get_weights()

    arrays = fit(X, LABELS, batch_size=SIZE, sample_weight=WEIGHTS)
    items = batches(X, LABELS, WEIGHTS)
    for data in (Anew(items), dataset(keras, items), dataset(keras, items, workers=2)):
        for a, b in zip(arrays, fit(data), strict=True):
            np.testing.assert_array_equal(a, b)
    product = WEIGHTS * np.vectorize(CLASS_WEIGHT.get)(LABELS).astype("float32")
    model = classifier(keras)
    model.fit(X, LABELS, epochs=2, verbose=0, shuffle=False, batch_size=SIZE, sample_weight=product)
    for a, b in zip(arrays, model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_batches_may_be_of_any_size_and_of_any_type_of_array():
    items = [(X[:3].tolist(), Y[:3]), (X[3:4].astype("float64"), Y[3:4, 0]), (X[4:], Y[4:])]
    plain = [(X[:3], Y[:3]), (X[3:4], Y[3:4]), (X[4:], Y[4:])]
    assert_same(trained(Anew(plain)), trained(Anew(items)))


def test_batches_of_ever_new_sizes_train_as_by_hand():
    items = [(X[: 1 + i % 20], Y[: 1 + i % 20]) for i in range(40)]
    replayed = trained(Anew(items), epochs=1)
    model = regression(keras)
    for x, y in items:
        model.train_on_batch(x, y)
    for a, b in zip(replayed[0], model.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()


def test_the_number_of_steps_is_learned_in_the_first_epoch():
    steps = []

    class Ask(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            steps.append(self.model.training_run.steps)

    trained(Anew(ITEMS), callbacks=[Ask()])
    assert steps == [None, 5, 5]


def test_a_generator_that_runs_out_ends_training_with_one_warning():
    with pytest.warns(UserWarning, match=r"ran out after 5 batches: epochs 2 to 3 were not"):
        _, history = trained(iter(ITEMS))
    assert len(history["loss"]) == 1
    with pytest.warns(UserWarning, match="ran out") as caught:
        _, history = trained(iter(ITEMS), steps_per_epoch=2, epochs=4)
    assert len(history["loss"]) == 3
    assert [str(w.message).partition(".")[0] for w in caught] == [
        "The data ran out after 1 of 2 steps of epoch 3",
        "The data ran out after 5 batches: epoch 4 was not trained",
    ]


def test_data_that_begin_anew_are_not_mixed_up_by_too_many_steps():
    for data in (Anew(ITEMS), Loader(ITEMS), dataset(keras, ITEMS)):
        with pytest.warns(UserWarning, match="ran out after 5 of 7 steps of epoch") as caught:
            cut = trained(data, steps_per_epoch=7, epochs=3)
        assert len(caught) == 3
        assert_same(cut, trained(data))
    model = regression(keras)
    with pytest.warns(UserWarning, match="ran out after 5 of 9 steps"):
        model.evaluate(Anew(ITEMS), steps=9, verbose=0)


def test_a_length_that_promises_too_much_is_noticed():
    class Boasts(Anew):
        def __len__(self):
            return 8

    with pytest.warns(UserWarning, match="ran out after 5 of 8 steps of epoch 1"):
        trained(Boasts(ITEMS))


def test_a_generator_used_by_one_pass_can_be_used_by_the_next():
    model, items = regression(keras), endless(batches(X, Y))
    first = model.evaluate(items, steps=2, verbose=0)
    second = model.evaluate(items, steps=3, verbose=0)
    assert first == model.evaluate(X[:10], Y[:10], batch_size=SIZE, verbose=0)
    assert second == model.evaluate(X[10:], Y[10:], batch_size=SIZE, verbose=0)


class Recorder(keras.utils.PyDataset):
    def __init__(self, items=None, **options):
        super().__init__(**options)
        self.items, self.calls = items or batches(X, Y), []

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        self.calls.append(index)
        return self.items[index]

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


def test_a_pydataset_is_told_of_the_beginning_and_end_of_each_epoch():
    data = Recorder()
    regression(keras).fit(data, epochs=2, verbose=0, shuffle=False)
    assert data.calls == ["begin", 0, 0, 1, 2, 3, 4, "end", "begin", 0, 1, 2, 3, 4, "end"]
    data.calls.clear()
    regression(keras).predict(data, steps=2, verbose=0)
    assert data.calls == ["begin", 0, 0, 1, "end"]


def test_a_pydataset_gives_its_batches_in_a_new_order_each_epoch():
    data = Recorder([(X[:1], Y[:1]) for _ in range(30)])
    regression(keras).fit(data, epochs=2, verbose=0)
    first, second = data.calls[2:32], data.calls[34:64]
    assert sorted(first) == sorted(second) == list(range(30))
    assert first != second != list(range(30))
    orders = []
    for seed in (4, 4, 5):
        keras.utils.set_random_seed(seed)
        again = Recorder(data.items)
        regression(keras).fit(again, epochs=1, verbose=0)
        orders.append(again.calls[2:32])
    assert orders[0] == orders[1] != orders[2]


def test_an_endless_pydataset_goes_on_from_epoch_to_epoch():
    class Endless(Recorder):
        num_batches = None

        def __getitem__(self, index):
            return super().__getitem__(index % 5)

    data = Endless()
    regression(keras).fit(data, epochs=3, steps_per_epoch=2, verbose=0)
    assert [c for c in data.calls[2:] if isinstance(c, int)] == [0, 1, 2, 3, 4, 0]
    with pytest.raises(ValueError, match="no end.*steps_per_epoch"):
        regression(keras).fit(data, verbose=0)
    with pytest.raises(ValueError, match=r"no end.*validation_steps"):
        regression(keras).fit(X, Y, validation_data=data, verbose=0)
    with pytest.raises(ValueError, match="no end"):
        regression(keras).fit(itertools.cycle(ITEMS), verbose=0)


def test_data_of_other_libraries_tell_that_they_have_no_end():
    class Tf(Anew):
        def cardinality(self):
            return np.int64(-1)

    with pytest.raises(ValueError, match="no end"):
        regression(keras).fit(Tf(ITEMS), verbose=0)
    assert_same(
        trained(Tf(ITEMS), steps_per_epoch=5), trained(X, Y, sample_weight=WEIGHTS, batch_size=SIZE)
    )


def test_a_model_without_an_input_shape_is_built_by_the_first_batch():
    for data in (Anew(ITEMS), dataset(keras, ITEMS), iter(ITEMS)):
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(data, verbose=0)
        assert model.input_shape == (None, 3)


def test_an_error_in_a_worker_comes_out_of_fit_with_its_traceback():
    class Fails(Recorder):
        def __getitem__(self, index):
            if index == 3:
                raise FileNotFoundError("image 17")
            return super().__getitem__(index)

    for workers in (1, 3):
        with pytest.raises(FileNotFoundError, match="image 17") as caught:
            regression(keras).fit(Fails(workers=workers), verbose=0)
        assert "__getitem__" in [entry.name for entry in caught.traceback]
        assert data_threads() == []


def data_threads():
    return [t for t in threading.enumerate() if t.name.startswith("minikeras-data")]


def test_no_thread_is_left_when_training_stops_within_an_epoch():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            assert data_threads()
            if batch == 1:
                self.model.stop_training = True

    class Fail(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("enough")

    data = Recorder(workers=2, items=batches(X, Y) * 20)
    regression(keras).fit(data, epochs=2, verbose=0, callbacks=[Stop()])
    assert data_threads() == []
    assert data.calls[-1] == "end"
    with pytest.raises(RuntimeError, match="enough"):
        regression(keras).fit(data, epochs=2, verbose=0, callbacks=[Fail()])
    assert data_threads() == []


@pytest.mark.parametrize("times", [1, 2])
def test_no_thread_is_left_by_an_interrupt(times):
    class Press(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    data = Recorder(workers=3, items=batches(X, Y) * 20)
    with pytest.raises(KeyboardInterrupt):
        regression(keras).fit(data, verbose=0, callbacks=[Press()])
    assert data_threads() == []


@pytest.fixture
def files(tmp_path, monkeypatch):
    """X, Y, WEIGHTS, LABELS as HDF5 data sets and as memory maps, all of them large."""
    monkeypatch.setattr(stored, "LARGE", 1)
    monkeypatch.setattr(windows, "IN_ORDER", 400)
    monkeypatch.setattr(windows, "SHUFFLED", 400)
    monkeypatch.setattr(windows, "BLOCK", 80)
    given = {"x": X, "y": Y, "w": WEIGHTS, "labels": LABELS}
    maps = {}
    for name, values in given.items():
        np.save(tmp_path / f"{name}.npy", values)
        maps[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        sets = {name: file.create_dataset(name, data=values) for name, values in given.items()}
        sets["x"] = file.create_dataset("chunked", data=X, chunks=(4, 3))
        yield {
            "h5py": sets,
            "memmap": maps,
            "x in a file": {**given, "x": sets["x"]},
            "y in a file": {**given, "y": maps["y"], "labels": maps["labels"]},
        }


FILES = ["h5py", "memmap", "x in a file", "y in a file"]
OPTIONS = {
    "plain": {},
    "steps": {"steps_per_epoch": 2, "epochs": 5},
    "a split": {"validation_split": 0.3},
}


@pytest.mark.filterwarnings("ignore:The data ran out")
@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("options", sorted(OPTIONS))
def test_data_in_files_train_to_the_bits_of_arrays(files, kind, options):
    options = {"batch_size": SIZE, **OPTIONS[options]}
    data = files[kind]
    assert_same(
        trained(X, Y, sample_weight=WEIGHTS, **options),
        trained(data["x"], data["y"], sample_weight=data["w"], **options),
    )
    assert data_threads() == []


@pytest.mark.parametrize("kind", FILES)
def test_data_in_files_are_evaluated_predicted_and_validated_on_as_arrays(files, kind):
    data, model = files[kind], regression(keras)
    expected = model.evaluate(X, Y, sample_weight=WEIGHTS, batch_size=SIZE, verbose=0)
    evaluated = model.evaluate(
        data["x"], data["y"], sample_weight=data["w"], batch_size=SIZE, verbose=0
    )
    assert evaluated == expected
    for rows in (SIZE, 2, None):
        np.testing.assert_array_equal(
            model.predict(data["x"], batch_size=rows, verbose=0),
            model.predict(X, batch_size=rows, verbose=0),
        )
    assert_same(
        trained(X, Y, batch_size=SIZE, validation_data=(X, Y, WEIGHTS), validation_steps=3),
        trained(
            X,
            Y,
            batch_size=SIZE,
            validation_data=(data["x"], data["y"], data["w"]),
            validation_steps=3,
        ),
    )


@pytest.mark.parametrize("kind", FILES)
def test_labels_in_files_take_class_weights(files, kind):
    def fit(x, y):
        model = classifier(keras)
        model.fit(
            x, y, epochs=2, verbose=0, shuffle=False, batch_size=SIZE, class_weight=CLASS_WEIGHT
        )
        return model.get_weights()

    data = files[kind]
    for a, b in zip(fit(X, LABELS), fit(data["x"], data["labels"]), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shuffle", [True, "batch"])
@pytest.mark.parametrize("eager", [False, True])
def test_shuffled_data_in_files_are_seen_once_an_epoch(files, shuffle, eager):
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(1.0), lambda y, p: p * ROWS / len(p), run_eagerly=eager)
    model.fit(files["h5py"]["x"], Y, batch_size=1, epochs=1, shuffle=shuffle, verbose=0)
    # the loss is linear: after an epoch the weights are the sum of all rows
    np.testing.assert_allclose(model.get_weights()[0][:, 0], -X.sum(0) * ROWS, rtol=1e-4)


def test_a_bad_label_in_memory_is_refused_before_a_file_is_read(files):
    labels = LABELS.copy()
    labels[-1] = 7
    with pytest.raises(ValueError, match="values from 0 to 7, 1 of 22 out of range"):
        classifier(keras).fit(files["h5py"]["x"], labels, verbose=0)
    with pytest.raises(ValueError, match="x 22, y 5"):
        classifier(keras).fit(files["memmap"]["x"], LABELS[:5], verbose=0)
    with pytest.raises(ValueError, match="one weight per sample"):
        classifier(keras).fit(
            files["memmap"]["x"], LABELS, sample_weight=np.ones((ROWS, 4)), verbose=0
        )


def test_a_split_may_be_shuffled_and_stratified():
    order = np.argsort(LABELS, kind="stable")
    x, labels = X[order], LABELS[order]
    options = {"epochs": 1, "verbose": 0, "validation_split": 0.3}
    with pytest.warns(UserWarning, match="validation_shuffle=True"):
        classifier(keras).fit(x, labels, **options)
    classifier(keras).fit(x, labels, **options, validation_shuffle=True)
    classifier(keras).fit(x, labels, **options, validation_stratify=True)


def test_the_batches_of_a_pydataset_may_be_split():
    arrays = trained(X[:15], Y[:15], batch_size=SIZE, validation_data=(X[15:], Y[15:]))
    items = [*batches(X[:15], Y[:15]), (X[15:20], Y[15:20]), (X[20:], Y[20:])]
    assert_same(arrays, trained(dataset(keras, items), validation_split=0.4))


MEMORY = """
import sys
import numpy as np, minikeras as keras
rows = 1 << 18
x = np.memmap(sys.argv[1], "float32", "w+", shape=(rows, 1024))  # 1 GB, of which nothing is written
model = keras.Sequential([keras.Input((1024,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
history = model.fit(x, np.ones((rows, 1), "float32"), batch_size=4096, verbose=0).history
model.predict(x, batch_size=4096, verbose=0)
assert history["loss"][0] < 1
# not getrusage, whose largest size is inherited from the process that started this one
lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(lines["VmHWM"].split()[0])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_gigabyte_of_data_trains_in_less_than_half_a_gigabyte_of_memory(tmp_path):
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "large")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 500 * 1024


def nothing():
    yield from ()


def four():
    yield X, Y, WEIGHTS, Y


MISUSE = {
    "targets twice": (lambda m: m.fit(dataset(keras, ITEMS), Y), "`y` cannot be given"),
    "weights twice": (
        lambda m: m.fit(iter(ITEMS), sample_weight=WEIGHTS),
        "`sample_weight` cannot be given",
    ),
    "a batch size": (lambda m: m.fit(iter(ITEMS), batch_size=4), "makes batches of its own"),
    "a batch size for validation batches": (
        lambda m: m.fit(X, Y, validation_data=iter(ITEMS), validation_batch_size=4),
        "validation_data.*makes batches of its own",
    ),
    "rows of a generator": (lambda m: m.fit(iter(ITEMS), shuffle="batch"), "can be indexed"),
    "a split of a generator": (lambda m: m.fit(iter(ITEMS), validation_split=0.2), "generator|it"),
    "an empty generator": (lambda m: m.fit(nothing()), "yielded no batch"),
    "a generator of four": (lambda m: m.fit(four()), "tuple of length 4"),
    "a generator of None": (lambda m: m.fit(None for _ in range(3)), "Received: None"),
    "a generator of numbers": (lambda m: m.fit(range(3)), "whole batches"),
    "a generator without targets": (lambda m: m.fit(x for x in [X]), "needs targets"),
    "a generator that was not called": (lambda m: m.fit(nothing), r"Call it: `nothing\(\)`"),
    "a class": (lambda m: m.fit(Recorder), r"Create an object of it: `Recorder\(...\)`"),
    "batches of another width": (
        lambda m: m.fit(iter([(X[:, :2], Y)])),
        r"Received: shape \(22, 2",
    ),
    "batches of two lengths": (lambda m: m.fit(iter([(X, Y[:4])])), "same number of samples"),
    "an empty PyDataset": (lambda m: m.fit(dataset(keras, [])), "at least one batch"),
    "a name of a file": (lambda m: m.fit("data.csv"), "Load the file first"),
    "a file as a whole": (
        lambda m: m.fit(MappingProxyType({"x": X}), Y),
        r"with the keys 'x'. Pick from it, as in `x=data\['x'\]`",
    ),
    "a set of samples": (lambda m: m.evaluate(Samples()), "single samples use a loader"),
    "a generator as one batch": (
        lambda m: m.train_on_batch(iter(ITEMS)),
        "`train_on_batch` takes arrays",
    ),
}


MISUSE |= {
    "a shuffled split of batches": (
        lambda m: m.fit(dataset(keras, ITEMS), validation_split=0.4, validation_shuffle=True),
        "validation_shuffle` needs arrays",
    ),
    "a shuffled split without a split": (
        lambda m: m.fit(X, Y, validation_shuffle=True),
        "without a split",
    ),
    "strata beside validation data": (
        lambda m: m.fit(X, Y, validation_data=(X, Y), validation_stratify=True),
        "without a split",
    ),
}


class Samples:
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return X[index], Y[index]


@pytest.mark.parametrize("name", sorted(MISUSE))
def test_misuse_is_refused_before_any_weight_changes(name):
    action, message = MISUSE[name]
    model = regression(keras)
    before = [w.tobytes() for w in model.get_weights()]
    with pytest.raises((ValueError, TypeError), match=message):
        action(model)
    assert [w.tobytes() for w in model.get_weights()] == before


def test_a_later_batch_that_does_not_fit_stops_training():
    items = [*batches(X, Y), (X[:, :2], Y)]
    with pytest.raises(ValueError, match=r"Received: shape \(22, 2\)"):
        regression(keras).fit(Anew(items), verbose=0)


def test_outputs_of_different_shapes_cannot_be_joined():
    class Same(keras.Model):
        def call(self, x):
            return keras.ops.relu(x)

    model = Same()
    assert model.predict(Anew([X, X[:7]]), verbose=0).shape == (29, 3)
    with pytest.raises(ValueError, match=r"rows of shapes \(2,\), \(3,\)"):
        model.predict(Anew([X, X[:, :2]]), verbose=0)
