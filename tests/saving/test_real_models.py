"""Models of this library in files: what Keras wrote, and what it would read."""

import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest

import minikeras as keras
from tests.conftest import GOLDEN
from tests.saving.dump import dump

SEQUENTIAL = ["mlp_softmax", "bn_train", "autoencoder"]
# An interpreter that has Keras 3, where the one that runs the tests has not.
KERAS_PYTHON = os.environ.get("MINIKERAS_KERAS_PYTHON", sys.executable)
FORMATS = ["m.keras", "m.h5"]


def zoo(dropout=0.2):
    """A model with every layer and option that files must carry, compiled and trained."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4, 6)),
            layers.Flatten(),
            layers.Dense(12, "relu", kernel_regularizer="l2", kernel_initializer="he_normal"),
            layers.BatchNormalization(momentum=0.9),
            layers.Dropout(dropout, seed=3),
            layers.Reshape((3, 4)),
            layers.Dense(5, use_bias=False, kernel_constraint="max_norm"),
            layers.Activation("tanh"),
            layers.BatchNormalization(center=False),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ],
        name="zoo",
    )
    model.compile(
        keras.optimizers.Adam(0.01, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    return model


def batch(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(16, 4, 6)).astype("float32"), rng.integers(0, 3, 16)


@pytest.fixture(scope="module")
def trained():
    model = zoo()
    for seed in range(3):
        model.train_on_batch(*batch(seed))
    return model


def without_ids(value):
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    if isinstance(value, dict):
        return {key: without_ids(v) for key, v in value.items() if key != "shared_object_id"}
    return value


def config_of(path):
    if str(path).endswith(".keras"):
        with zipfile.ZipFile(path) as archive:
            return without_ids(json.loads(archive.read("config.json")))
    with h5py.File(path) as file:
        texts = [file.attrs.get(key, "null") for key in ("model_config", "training_config")]
    return [without_ids(json.loads(text)) for text in texts]


ORIGINALS = sorted(
    path
    for name in SEQUENTIAL
    for path in (GOLDEN / "models" / name).iterdir()
    if path.name in ("model.keras", "resume.keras", "model.h5")
)


@pytest.mark.parametrize("original", ORIGINALS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_files_of_keras_are_written_again_word_for_word(tmp_path, original):
    copy = tmp_path / original.name
    keras.models.load_model(original).save(copy)
    assert config_of(copy) == config_of(original)


def test_old_files_have_the_groups_of_keras(golden, tmp_path):
    original = golden / "optim" / "adam.resume.h5"
    found = keras.models.load_model(original)
    model = keras.models.load_model(golden / "optim" / "base.keras")  # as Keras had it: its paths
    model.set_weights(found.get_weights())
    model.compile_from_config(found.get_compile_config())
    model.optimizer.build(model.trainable_variables)
    for own, read in zip(model.optimizer.variables, found.optimizer.variables, strict=True):
        own.assign(read)
    model.save(tmp_path / "m.h5")
    old, new = dump(original), dump(tmp_path / "m.h5")
    assert new.keys() == old.keys()
    for path in old.keys() - {"/", "model_weights"}:
        assert new[path] == old[path], path


@pytest.mark.parametrize("name", FORMATS)
def test_training_goes_on_in_the_same_bits(tmp_path, name):
    model = zoo(dropout=0.0)  # its random numbers are not part of the file yet
    for seed in range(3):
        model.train_on_batch(*batch(seed))
    model.save(tmp_path / name)
    copy = keras.models.load_model(tmp_path / name)
    for seed in range(3, 6):
        for one in (model, copy):
            one.reset_metrics()
            one.train_on_batch(*batch(seed))
    for variable, other in zip(variables(model), variables(copy), strict=True):
        np.testing.assert_array_equal(variable, other)
    assert int(copy.optimizer.iterations.numpy()) == 6


def variables(model):
    return [variable.numpy() for variable in [*model.weights, *model.optimizer.variables]]


@pytest.mark.parametrize("name", FORMATS)
def test_predictions_and_evaluations_stay_the_same(trained, tmp_path, name):
    x, y = batch(9)
    trained.save(tmp_path / name)
    model = keras.models.load_model(tmp_path / name)
    np.testing.assert_array_equal(
        model.predict(x, verbose=0), trained.predict(x, verbose=0), strict=True
    )
    assert model.evaluate(x, y, verbose=0) == trained.evaluate(x, y, verbose=0)


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
def test_weights_move_between_models(trained, tmp_path, name):
    trained.save_weights(tmp_path / name)
    other = zoo()
    other.load_weights(tmp_path / name)
    for one, two in zip(trained.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_sizes_beyond_the_data_are_refused_before_memory_is_taken(trained, tmp_path):
    trained.save(tmp_path / "m.keras")
    with (
        zipfile.ZipFile(tmp_path / "m.keras") as old,
        zipfile.ZipFile(tmp_path / "n.keras", "w") as new,
    ):
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, text.replace(b'"units": 12,', b'"units": 700000000,'))
    with pytest.raises(ValueError, match="holds data for only"):
        keras.models.load_model(tmp_path / "n.keras")


SEQUENTIAL_OF_KERAS_2 = [
    *("seq_dense", "seq_class_losses", "seq_legacy_opt", "hand_chunked_names"),
    *("hand_config_list", "hand_learning_rate", "hand_lr", "hand_no_input_layer"),
    *("hand_no_version", "hand_stripped"),
]


@pytest.mark.parametrize("name", SEQUENTIAL_OF_KERAS_2)
def test_models_of_keras_2_predict_as_they_did(keras_fixtures, name):
    folder = keras_fixtures / "legacy_tf2"
    model = keras.models.load_model(folder / f"{name}.h5")
    with np.load(folder / f"{name}.npz") as content:
        inputs = [content[key] for key in sorted(content) if key.startswith("x")]
        outputs = [content[key] for key in sorted(content) if key.startswith("y")]
    np.testing.assert_allclose(model.predict(inputs[0], verbose=0), outputs[0], atol=1e-5)


def has_keras():
    if sys.executable == KERAS_PYTHON:
        return find_spec("keras") is not None
    return Path(KERAS_PYTHON).exists()


@pytest.mark.slow
@pytest.mark.skipif(not has_keras(), reason="Keras is not installed (see MINIKERAS_KERAS_PYTHON)")
def test_keras_reads_what_is_written_here(trained, tmp_path):
    x, _ = batch(9)
    for name in FORMATS:
        trained.save(tmp_path / name)
    trained.save_weights(tmp_path / "m.weights.h5")
    state = {f"o{i}": v.numpy() for i, v in enumerate(trained.optimizer.variables)}
    np.savez(tmp_path / "io.npz", x=x, y=trained.predict(x, verbose=0), **state)
    script = Path(__file__).with_name("check_with_keras.py")
    environment = {**os.environ, "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "jax")}
    done = subprocess.run(
        [KERAS_PYTHON, str(script), str(tmp_path)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["m.h5", "m.keras", "m.weights.h5"]
