"""What scripts find under `keras` and `tensorflow`, beside values that TensorFlow gave."""

import importlib
import json
import sys

import numpy as np
import pytest

import minikeras
from minikeras.commands import aliases
from tests.cli.tf_calls import PATH, calls, plain

RECORDED = json.loads(PATH.read_text())
UNRECORDED = {
    *("device", "function", "backend.random_normal", "backend.random_uniform"),
    *(f"backend.{name}" for name in minikeras.backend.__all__),
}


@pytest.fixture(scope="module")
def tf():
    finder = aliases.install()
    yield importlib.import_module("tensorflow")
    aliases.remove(finder)


@pytest.fixture(scope="module")
def computed(tf):
    return {name: plain(value) for name, value in calls(tf).items()}


def leaves(value):
    return [x for one in value for x in leaves(one)] if isinstance(value, list) else [value]


def shape(value):
    """Lengths all the way down."""
    return [len(value), *map(shape, value)] if isinstance(value, list) else []


@pytest.mark.parametrize("name", RECORDED)
def test_a_function_gives_what_tensorflow_gives(computed, name):
    assert shape(computed[name]) == shape(RECORDED[name])
    np.testing.assert_allclose(leaves(computed[name]), leaves(RECORDED[name]), rtol=1e-5, atol=1e-6)


def test_every_function_that_is_offered_was_compared(tf):
    rooms = {"": tf, "math.": tf.math, "nn.": tf.nn, "linalg.": tf.linalg}
    rooms["backend."] = tf.keras.backend
    offered = {
        prefix + name
        for prefix, room in rooms.items()
        for name, value in vars(room).items()
        if callable(value) and not isinstance(value, type) and not name.startswith("_")
    }
    assert offered - set(RECORDED) == UNRECORDED


@pytest.mark.parametrize(
    "path",
    ["layers", "optimizers.schedules", "datasets.mnist", "utils", "preprocessing.sequence"],
)
def test_documented_modules_are_ours_under_all_their_names(tf, path):
    ours = importlib.import_module(f"minikeras.{path}")
    spec = ours.__spec__
    for root in ("keras", "tensorflow.keras"):
        assert importlib.import_module(f"{root}.{path}") is ours
    assert ours.__spec__ is spec
    assert tf.keras.layers is minikeras.layers


def test_every_public_name_is_found(tf):
    keras = importlib.import_module("keras")
    for name in minikeras.__all__:
        assert getattr(keras, name) is getattr(minikeras, name)
    assert "Model" in dir(keras)


def test_versions_tell_whose_names_these_are_and_what_runs(tf):
    keras = importlib.import_module("keras")
    assert keras.__version__ == keras.version() == f"3.15.0+minikeras.{minikeras.__version__}"
    assert int(tf.__version__.split(".")[0]) >= 2


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("import keras.src", r"keras.src is not among what Keras 3 documents"),
        ("from keras.layers.core import Dense", r"keras.layers.core is not .* from keras.layers\."),
        (
            "from keras import quantizers",
            r"minikeras has no keras.quantizers. It has: .*layers",
        ),
        ("import tensorflow.data", r"tf.data is TensorFlow's own.*generator or a keras.utils.PyD"),
        ("from tensorflow import io", r"tf.io is TensorFlow's own.*Of `tf` there is: GradientTape"),
        ("import tensorflow.compat.v1 as tf", r"Programs of TensorFlow 1 cannot be run"),
        ("from tensorflow.python.keras import layers", r"Import from tensorflow.keras\."),
    ],
)
def test_imports_of_anything_else_say_what_there_is(tf, statement, message):
    with pytest.raises(ImportError, match=message):
        exec(statement, {})


def test_unknown_names_say_what_there_is(tf):
    with pytest.raises(AttributeError, match=r"tf.reduce_men is .*Did you mean 'reduce_mean'\?"):
        tf.reduce_men([1.0])
    with pytest.raises(AttributeError, match="tf.nn.conv2d is TensorFlow's own"):
        tf.nn.conv2d([1.0])
    with pytest.raises(TypeError, match=r"reduce_mean\(\) here takes input_tensor, axis, keepdims"):
        tf.reduce_mean([1.0], axes=0)


def test_gpus_are_not_pretended(tf):
    assert tf.config.list_physical_devices("GPU") == []
    with tf.device("/CPU:0"), pytest.raises(ValueError, match="only the CPU"), tf.device("/GPU:0"):
        pass


def test_constants_can_be_watched_by_a_tape(tf):
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(tf.square(x) * 3.0)
    np.testing.assert_allclose(tape.gradient(y, x), [6, 12])
    assert y.numpy() == 15


def test_variables_train_in_a_loop_of_ones_own(tf):
    w = tf.Variable([1.0, -1.0], name="w")
    assert isinstance(w, tf.Variable)

    @tf.function(jit_compile=True)
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(w - 3.0))
        w.assign_sub(0.25 * tape.gradient(loss, w))
        return loss

    losses = [float(step()) for _ in range(3)]
    assert losses == [20.0, 5.0, 1.25]


def test_seeds_make_starting_values_repeat(tf):
    def start():
        tf.random.set_seed(3)
        return np.asarray(tf.keras.layers.Dense(2)(np.ones((1, 2)))), tf.random.normal((2,)).numpy()

    one, other = start(), start()
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    np.random.seed(0)
    before = np.random.rand()
    np.random.seed(0)
    tf.random.set_seed(3)
    assert np.random.rand() == before  # TensorFlow's seed leaves numpy's alone


def test_random_numbers_are_what_their_arguments_say(tf):
    drawn = tf.random.uniform((1000,), 2, 4).numpy()
    assert 2 <= drawn.min() < 2.1 < 3.9 < drawn.max() <= 4
    whole = tf.random.uniform((1000,), maxval=3, dtype=tf.int32).numpy()
    assert set(whole.tolist()) == {0, 1, 2}
    assert abs(tf.random.normal((4000,), 5.0, 0.5).numpy().mean() - 5) < 0.1
    assert sorted(tf.random.shuffle(np.arange(5)).numpy().tolist()) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="need a `maxval`"):
        tf.random.uniform((2,), dtype="int32")


def test_another_package_of_that_name_is_not_replaced(tf, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", sys)
    with pytest.raises(RuntimeError, match="keras has been imported already"):
        aliases.install()
