"""Files with every kind of layer go to Keras and come back: `exchange.tar.xz` holds Keras's own."""

import inspect
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import minikeras as keras
from minikeras.core.catalog import public_path
from tests.parity.reference import VALUES, assert_near
from tests.saving.dump import dump
from tests.saving.exchange_models import MODELS, NOT_IN_H5, inputs_of, outputs_of
from tests.saving.test_real_models import KERAS_PYTHON, has_keras, without_ids

FILES = [f"{name}.keras" for name in MODELS]
FILES += [f"{name}.h5" for name in MODELS if name not in NOT_IN_H5]
# Not in Keras, or without a `call` there (Wrapper), or what others derive from.
MISSING = "(not there)"
OURS = {"LocalResponseNormalization", "Maxout", "RBF", "Wrapper", "Layer"}


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("keras")
    with tarfile.open(Path(__file__).with_name("exchange.tar.xz")) as archive:
        archive.extractall(folder, filter="data")
    return folder


def outputs_of_keras(originals: Path, name: str) -> list[np.ndarray]:
    with np.load(originals / f"{name}.npz") as content:
        return [content[f"y{number}"] for number in range(len(content))]


def assert_predicts_as_keras(model, originals: Path, name: str) -> None:
    outputs = outputs_of(model, inputs_of(model))
    for number, (y, expected) in enumerate(
        zip(outputs, outputs_of_keras(originals, name), strict=True)
    ):
        assert_near(y, expected, VALUES, f"output {number}")


def config_of(path: Path):
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return without_ids(json.loads(archive.read("config.json")))
    with h5py.File(path) as file:
        return without_ids(json.loads(file.attrs["model_config"]))


def tree_of(path: Path) -> dict:
    """The groups, attributes and datasets of a file, but for what tells who wrote it.

    Helpers without variables, such as the dropout in an attention layer, leave an empty group in
    Keras's files. Seeds are drawn anew, and kept in a group of our own.
    """
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            found = dump(io.BytesIO(archive.read("model.weights.h5")))
    else:
        found = dump(path)
        for place in ("/", "model_weights"):
            for told in (found[place], found[place].get("attributes", {})):
                for key in ("model_config", "keras_version", "backend"):
                    told.pop(key, None)
    holding = [place for place, item in found.items() if "value" in item]
    for place in list(found):
        empty = not any(one.startswith(place) for one in holding)
        helper = place.count("/") > 1 and empty and path.suffix == ".keras"
        if helper or place.startswith("minikeras") or "seed_generator" in place:
            del found[place]
    return found


def differences(ours, theirs, path=""):
    """Where two configs say different things, each as (path, ours, Keras's)."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            one, other = ours.get(key, MISSING), theirs.get(key, MISSING)
            if not is_allowed(key, one, other):
                yield from differences(one, other, f"{path}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            named = one.get("class_name", number) if isinstance(one, dict) else number
            yield from differences(one, other, f"{path}/{named}")
    elif ours != theirs:
        yield path, ours, theirs


def is_allowed(key: str, ours, theirs) -> bool:
    """What may differ: what is not said is the default, and Keras is not always of one mind."""
    if MISSING in (ours, theirs):
        said = theirs if ours is MISSING else ours
        # a layer without weights needs no shape to be built for; a seed may be drawn, and kept
        return key in ("build_config", "seed") or said in (None, False, True)
    if key == "build_config" and "shapes_dict" in theirs:
        return "input_shape" in ours  # the states that a recurrent layer was given need no shape
    if key == "dtype" and isinstance(ours, dict):
        return theirs == ours["config"]["name"]
    return key == "seed" and ours is None


def members_of(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


@pytest.mark.parametrize("name", FILES)
def test_what_keras_wrote_predicts_the_same(originals, name):
    model = keras.models.load_model(originals / name, compile=False)
    assert_predicts_as_keras(model, originals, name.partition(".")[0])


@pytest.mark.parametrize("name", MODELS)
def test_weights_that_keras_wrote_fill_a_model_made_here(originals, name, tmp_path):
    with zipfile.ZipFile(originals / f"{name}.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    if name == "categories_learned":  # a vocabulary is no weight
        return
    model = MODELS[name](keras)
    kept = model.get_weights()
    model.set_weights([np.zeros_like(weight) for weight in kept])
    model.load_weights(tmp_path / "model.weights.h5")
    for weight, expected in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert_predicts_as_keras(model, originals, name)


@pytest.mark.parametrize("name", FILES)
def test_the_same_model_gives_the_same_file(originals, name, tmp_path):
    MODELS[name.partition(".")[0]](keras).save(tmp_path / name)
    ours, theirs = config_of(tmp_path / name), config_of(originals / name)
    assert list(differences(ours, theirs)) == []
    assert tree_of(tmp_path / name) == tree_of(originals / name)
    if name.endswith(".keras"):
        assert members_of(tmp_path / name) == members_of(originals / name)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_keras_is_written_again_as_it_was(originals, name, tmp_path):
    keras.models.load_model(originals / name, compile=False).save(tmp_path / name)
    ours, theirs = config_of(tmp_path / name), config_of(originals / name)
    assert list(differences(ours, theirs)) == []
    if name.endswith(".keras"):  # older files hold paths, and cells are built before their layer
        assert tree_of(tmp_path / name) == tree_of(originals / name)


def classes_in(config) -> set[str]:
    if isinstance(config, list):
        return set().union(*map(classes_in, config)) if config else set()
    if not isinstance(config, dict):
        return set()
    own = {config["class_name"]} if "class_name" in config else set()
    return own.union(*map(classes_in, config.values()))


def test_every_layer_is_in_some_file(originals):
    exported = {
        (public_path(made) or ("", made.__name__))[1]
        for made in vars(keras.layers).values()
        if inspect.isclass(made) and issubclass(made, keras.layers.Layer)
    }
    found = set().union(*(classes_in(config_of(path)) for path in originals.glob("*.keras")))
    assert exported - OURS - found == set()
    assert not OURS & found


def write(model, folder: Path, name: str) -> None:
    x = inputs_of(model)
    y = outputs_of(model, x)
    model.save(folder / f"{name}.keras")
    model.save_weights(folder / f"{name}.weights.h5")
    if name not in NOT_IN_H5:
        model.save(folder / f"{name}.h5")
    arrays = {f"x{k}": a.astype(str) if a.dtype == object else a for k, a in enumerate(x)}
    np.savez(folder / f"{name}.npz", **arrays, **{f"y{k}": a for k, a in enumerate(y)})


@pytest.mark.slow
@pytest.mark.skipif(not has_keras(), reason="Keras is not installed (see MINIKERAS_KERAS_PYTHON)")
def test_keras_reads_every_file_written_here(tmp_path):
    for name, make in MODELS.items():
        keras.utils.clear_session()
        write(make(keras), tmp_path, name)
    script = Path(__file__).with_name("check_with_keras.py")
    environment = {**os.environ, "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "jax")}
    command = [KERAS_PYTHON, str(script), "--table", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sys.executable != KERAS_PYTHON or done.stdout
