import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from minikeras import saving
from minikeras.core.registry import register_keras_serializable
from tests.saving import fakes

FORMATS = ["m.keras", "m.h5", "m.hdf5"]


@pytest.fixture(autouse=True)
def small_world(monkeypatch):
    fakes.install(monkeypatch)


@pytest.mark.parametrize("name", FORMATS)
def test_models_come_back_with_weights_and_optimizer(tmp_path, name):
    model = fakes.trained(fakes.compiled(fakes.mlp()))
    saving.save_model(model, tmp_path / name)
    back = saving.load_model(tmp_path / name)
    assert fakes.same(fakes.weights(back), fakes.weights(model))
    assert fakes.same(fakes.state(back), fakes.state(model))
    assert [layer.name for layer in back.layers] == ["a", "b", "c"]
    assert back.compile_args["metrics"] == ["accuracy"]
    assert back.optimizer.learning_rate == 0.01


@pytest.mark.parametrize("name", FORMATS)
def test_models_need_not_be_compiled(tmp_path, name):
    saving.save_model(fakes.mlp(), str(tmp_path / name))
    assert saving.load_model(str(tmp_path / name)).optimizer is None


@pytest.mark.parametrize("name", FORMATS)
def test_compilation_can_be_left_out_on_either_side(tmp_path, name):
    model = fakes.trained(fakes.compiled(fakes.mlp()))
    saving.save_model(model, tmp_path / name)
    assert saving.load_model(tmp_path / name, compile=False).optimizer is None
    saving.save_model(model, tmp_path / name, include_optimizer=False)
    assert saving.load_model(tmp_path / name).optimizer is None


@pytest.mark.parametrize("name", FORMATS)
def test_models_compiled_but_not_trained_load_without_a_warning(tmp_path, name):
    saving.save_model(fakes.compiled(fakes.mlp()), tmp_path / name)
    back = saving.load_model(tmp_path / name)
    assert len(fakes.state(back)) == 2 + 2 * len(back.trainable_weights)


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
def test_weights_come_back_alone(tmp_path, name):
    model, other = fakes.mlp(), fakes.numbered(fakes.mlp(), 7.0)
    saving.save_weights(model, tmp_path / name)
    saving.load_weights(other, tmp_path / name)
    assert fakes.same(fakes.weights(other), fakes.weights(model))


@pytest.mark.parametrize("name", FORMATS)
def test_weights_can_be_taken_from_whole_models(tmp_path, name):
    model, other = fakes.mlp(), fakes.numbered(fakes.mlp(), 7.0)
    saving.save_model(model, tmp_path / name)
    saving.load_weights(other, tmp_path / name)
    assert fakes.same(fakes.weights(other), fakes.weights(model))


def test_weights_files_hold_the_optimizer_too(tmp_path):
    model = fakes.trained(fakes.compiled(fakes.mlp()))
    saving.save_weights(model, tmp_path / "w.weights.h5")
    fresh = fakes.compiled(fakes.numbered(fakes.mlp(), 7.0))
    saving.load_weights(fresh, tmp_path / "w.weights.h5")
    assert fakes.same(fakes.state(fresh), fakes.state(model))


def test_open_files_are_taken_like_paths():
    buffer = io.BytesIO()
    model = fakes.mlp()
    saving.save_model(model, buffer)
    buffer.seek(0)
    assert fakes.same(fakes.weights(saving.load_model(buffer)), fakes.weights(model))


def test_an_unzipped_archive_loads(tmp_path):
    model = fakes.mlp()
    saving.save_model(model, tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        archive.extractall(tmp_path / "folder")
    assert fakes.same(fakes.weights(saving.load_model(tmp_path / "folder")), fakes.weights(model))


def test_deflated_and_reordered_archives_load(tmp_path):
    model = fakes.mlp()
    saving.save_model(model, tmp_path / "m.keras")
    with (
        zipfile.ZipFile(tmp_path / "m.keras") as old,
        zipfile.ZipFile(tmp_path / "n.keras", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in ("model.weights.h5", "config.json"):
            new.writestr(name, old.read(name))
        new.writestr("assets/notes.txt", "more members are ignored")
    assert fakes.same(fakes.weights(saving.load_model(tmp_path / "n.keras")), fakes.weights(model))


def test_an_unbuilt_model_is_saved_with_a_warning_and_its_weights_not_at_all(tmp_path):
    model = fakes.mlp(built=False)
    with pytest.warns(UserWarning, match="before it was built"):
        saving.save_model(model, tmp_path / "m.keras")
    assert not saving.load_model(tmp_path / "m.keras").built
    with pytest.raises(ValueError, match="can be saved only once the model is built"):
        saving.save_weights(model, tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="can be loaded only once the model is built"):
        saving.load_weights(model, tmp_path / "w.weights.h5")
    assert not (tmp_path / "w.weights.h5").exists()


def test_custom_classes_come_back_by_name_or_registration(tmp_path):
    class Mine(fakes.Dense):
        pass

    model = fakes.Sequential([Mine(2)])
    model.build((None, 3))
    for name in FORMATS:
        saving.save_model(model, tmp_path / name)
        with pytest.raises(TypeError, match="Could not find the class 'Mine'"):
            saving.load_model(tmp_path / name)
        back = saving.load_model(tmp_path / name, custom_objects={"Mine": Mine})
        assert type(back.layers[0]) is Mine
    register_keras_serializable("pkg")(Mine)
    for name in FORMATS:
        saving.save_model(model, tmp_path / name)
        assert type(saving.load_model(tmp_path / name).layers[0]) is Mine


def test_layers_may_store_what_they_like(tmp_path):
    class Table(fakes.Layer):
        def save_own_variables(self, store):
            store["keys"] = np.array([3, 1, 2])

        def load_own_variables(self, store):
            self.loaded = store["keys"]

    model = fakes.Sequential([fakes.Dense(2), Table()])
    model.build((None, 3))
    saving.save_model(model, tmp_path / "m.keras")
    back = saving.load_model(tmp_path / "m.keras", custom_objects={"Table": Table})
    np.testing.assert_array_equal(back.layers[1].loaded, [3, 1, 2])


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_more_state_goes_to_a_group_of_our_own(tmp_path, name):
    model = fakes.mlp()
    model.extra = {"order": np.arange(3), "epoch": 4, "seeds": {"dropout": [1, 2]}}
    saving.save_model(model, tmp_path / name)
    back = saving.load_model(tmp_path / name)
    np.testing.assert_array_equal(back.extra.pop("order"), np.arange(3))
    assert back.extra == {"epoch": 4, "seeds": {"dropout": [1, 2]}}


def test_nothing_of_our_own_is_written_without_need(tmp_path):
    saving.save_weights(fakes.mlp(), tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert sorted(file) == ["layers", "vars"]


def test_old_files_name_losses_in_full(tmp_path):
    """Keras cannot read its own old files when they say "mse"."""
    saving.save_model(fakes.compiled(fakes.mlp()), tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        training = json.loads(file.attrs["training_config"])
    assert training["loss"] == "mean_squared_error"
    assert training["optimizer_config"] == {
        "class_name": "Adam",
        "config": {"learning_rate": 0.01, "name": "adam"},
    }


def test_long_lists_of_names_are_split_in_old_files(tmp_path):
    layers = [fakes.Dense(1, name=f"{number:03}" + "x" * 400) for number in range(200)]
    model = fakes.Sequential(layers)
    model.build((None, 1))
    saving.save_model(fakes.numbered(model), tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert {"layer_names0", "layer_names1"} <= set(file["model_weights"].attrs)
    back = saving.load_model(tmp_path / "m.h5")
    assert fakes.same(fakes.weights(back), fakes.weights(model))


def test_variables_of_one_path_do_not_collide_in_old_files(tmp_path):
    model = fakes.mlp()
    for weight in model.weights:
        weight.path = "same"
    saving.save_weights(model, tmp_path / "w.h5")
    other = fakes.numbered(fakes.mlp(), 7.0)
    saving.load_weights(other, tmp_path / "w.h5")
    assert fakes.same(fakes.weights(other), fakes.weights(model))


def test_weights_can_be_matched_by_name_in_old_files_only(tmp_path):
    model = fakes.mlp()
    saving.save_weights(model, tmp_path / "w.h5")
    other = fakes.Sequential([fakes.Dense(9, name="new"), fakes.Dense(4, name="a")])
    other.build((None, 3))
    other.layers[1].kernel = fakes.Variable((3, 4), "kernel")
    saving.load_weights(other, tmp_path / "w.h5", by_name=True)
    np.testing.assert_array_equal(other.layers[1].kernel.array, model.layers[0].kernel.array)
    saving.save_weights(model, tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="older `.h5` layout"):
        saving.load_weights(other, tmp_path / "w.weights.h5", by_name=True)


def test_doubles_are_taken_for_singles_and_bfloat16_is_read(tmp_path):
    model = fakes.mlp()
    saving.save_weights(model, tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5", "a") as file:
        group = file["layers/dense/vars"]
        del group["0"], group["1"]
        group["0"] = np.full((3, 4), 0.5, ">f8")
        bits = (np.array([1.5, -2.0, 3.0, 0.0], "<f4").view("<u4") >> 16).astype("<u2")
        group["1"] = bits.view("V2")
        group["1"].attrs["dtype"] = "bfloat16"
    saving.load_weights(model, tmp_path / "w.weights.h5")
    assert (model.layers[0].kernel.array == 0.5).all()
    np.testing.assert_array_equal(model.layers[0].bias.array, [1.5, -2.0, 3.0, 0.0])


def test_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "m.keras"
    saving.save_model(fakes.mlp(), path)
    assert Path(path).exists()
