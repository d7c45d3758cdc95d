"""Files are compared with those that Keras 3.15 wrote, group by group and type by type."""

import io
import json
import zipfile

import h5py
import pytest

from minikeras import saving
from minikeras.saving import legacy
from tests.saving import fakes
from tests.saving.dump import dump

MODELS = ["mlp_softmax", "bn_train"]
TEXTS = ("model_config", "training_config", "backend")  # compared elsewhere, or our own


@pytest.fixture
def small_world(monkeypatch):
    fakes.install(monkeypatch)


def weights_of(path):
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read("model.weights.h5"))


def without_texts(found):
    for item in found.values():
        for attributes in (item, item.get("attributes", {})):
            for key in TEXTS:
                if key in attributes:
                    attributes[key]["value"] = None
    return found


@pytest.mark.usefixtures("small_world")
@pytest.mark.parametrize("name", MODELS)
def test_archives_have_the_members_and_groups_of_keras(golden, tmp_path, name):
    original = golden / "models" / name / "resume.keras"
    model = saving.load_model(original)
    saving.save_model(model, tmp_path / "m.keras")
    with zipfile.ZipFile(original) as old, zipfile.ZipFile(tmp_path / "m.keras") as new:
        assert new.namelist() == old.namelist()
        assert [e.compress_type for e in new.infolist()] == [
            e.compress_type for e in old.infolist()
        ]
        assert json.loads(new.read("metadata.json")).keys() == {"keras_version", "date_saved"}
        config = json.loads(new.read("config.json"))
        assert config.keys() == json.loads(old.read("config.json")).keys()
    assert dump(weights_of(tmp_path / "m.keras")) == dump(weights_of(original))


@pytest.mark.usefixtures("small_world")
@pytest.mark.parametrize("name", MODELS)
def test_weights_files_have_the_groups_of_keras(golden, tmp_path, name):
    original = golden / "models" / name / "model.keras"
    model = saving.load_model(original)
    model.optimizer.variables = model.optimizer.variables[:2]  # Keras saved it before training
    saving.save_weights(model, tmp_path / "w.weights.h5")
    assert dump(tmp_path / "w.weights.h5") == dump(weights_of(original))


@pytest.mark.usefixtures("small_world")
@pytest.mark.parametrize("name", MODELS)
def test_old_files_have_the_groups_of_keras(golden, tmp_path, name):
    original = golden / "models" / name / "model.h5"
    saving.save_model(saving.load_model(original), tmp_path / "m.h5")
    assert without_texts(dump(tmp_path / "m.h5")) == without_texts(dump(original))


def all_models(folder):
    return sorted(path.parent for path in folder.glob("models/*/model.h5"))


def test_old_configs_are_those_of_archives_without_modules(keras_fixtures):
    folders = all_models(keras_fixtures)
    assert folders
    for folder in folders:
        with zipfile.ZipFile(folder / "model.keras") as archive:
            record = json.loads(archive.read("config.json"))
        with h5py.File(folder / "model.h5") as file:
            expected = json.loads(file.attrs["model_config"])
        assert without_ids(legacy._bare_record(record)) == without_ids(expected), folder.name


def without_ids(value):
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    if isinstance(value, dict):
        return {key: without_ids(v) for key, v in value.items() if key != "shared_object_id"}
    return value
