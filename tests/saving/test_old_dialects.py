"""Files of Keras 2 and early Keras 3, which Keras 3.15 itself reads only in part."""

import json

import h5py
import numpy as np
import pytest

from minikeras import saving
from minikeras.saving.dialects import modern_compile_config, modern_model_config
from minikeras.saving.optimizer_state import _slot
from tests.saving import fakes

DENSE = [
    *("seq_dense", "hand_chunked_names", "hand_config_list", "hand_learning_rate", "hand_lr"),
    *("hand_no_input_layer", "hand_no_version", "hand_stripped"),
]


@pytest.fixture(autouse=True)
def small_world(monkeypatch):
    fakes.install(monkeypatch)


def saved(path, group):
    """The arrays in a group of an old file, in the order of its names."""
    with h5py.File(path) as file:
        inner = file[group]
        return [inner[name][()] for name in inner.attrs["weight_names"]]


@pytest.mark.parametrize("name", DENSE)
def test_models_of_keras_2_come_back_whole(keras_fixtures, name):
    path = keras_fixtures / "legacy_tf2" / f"{name}.h5"
    model = saving.load_model(path)
    expected = saved(path, "model_weights/dense") + saved(path, "model_weights/dense_1")
    assert fakes.same(fakes.weights(model), expected)
    assert model.layers[0].shape == (None, 12)
    assert model.optimizer.learning_rate == pytest.approx(0.01)
    assert model.compile_args["metrics"] == ["accuracy"]
    iteration, *slots = saved(path, "optimizer_weights")
    assert int(model.optimizer.variables[0].array) == iteration > 0
    assert float(model.optimizer.variables[1].array) == pytest.approx(0.01)
    assert fakes.same(fakes.state(model)[2:], slots)


def test_decay_of_keras_2_is_a_schedule(keras_fixtures):
    model = saving.load_model(keras_fixtures / "legacy_tf2" / "seq_legacy_opt.h5")
    schedule = model.optimizer.learning_rate
    assert schedule.decay_rate == pytest.approx(1e-4)
    assert (schedule.decay_steps, schedule.staircase) == (1, False)
    momenta = saved(keras_fixtures / "legacy_tf2" / "seq_legacy_opt.h5", "optimizer_weights")[1:]
    assert fakes.same(fakes.state(model)[2:], momenta)


def test_weights_alone_are_found_at_the_root(keras_fixtures):
    folder = keras_fixtures / "legacy_tf2"
    model = saving.load_model(folder / "seq_dense.h5")
    before = fakes.weights(model)
    fakes.numbered(model)
    saving.load_weights(model, folder / "seq_dense__topo.h5")
    assert fakes.same(fakes.weights(model), before)


def test_every_fixture_of_keras_2_is_translated(keras_fixtures):
    """Nothing is left in it that only Keras 2 understands."""
    gone = (
        "batch_input_shape",
        "time_major",
        "implementation",
        "query_shape",
        "is_legacy_optimizer",
    )
    for path in sorted((keras_fixtures / "legacy_tf2").glob("*.h5")):
        with h5py.File(path) as file:
            text = file.attrs.get("model_config")
        if text is not None:
            words = json.dumps(modern_model_config(json.loads(text)))
            assert not [word for word in gone if f'"{word}"' in words], path.name


def test_training_goes_on_from_old_files_of_keras_3(golden):
    """Keras itself drops the slots of such files."""
    path = golden / "optim" / "adam.resume.h5"
    model = saving.load_model(path)
    assert fakes.same(fakes.state(model), saved(path, "optimizer_weights"))
    assert int(model.optimizer.variables[0].array) == 5


def test_an_input_layer_is_put_in_front_of_a_first_layer_that_says_its_shape():
    def first_of(**config):
        record = {"class_name": "Dense", "config": {"name": "d", "units": 3, **config}}
        model = {"class_name": "Sequential", "config": {"layers": [record]}}
        return modern_model_config(model)["config"]["layers"]

    for config in ({"batch_input_shape": [None, 4]}, {"input_dim": 4}):
        front, dense = first_of(**config)
        assert front["class_name"] == "InputLayer"
        assert front["config"] == {"batch_shape": [None, 4], "name": "d_input"}
        assert dense["config"] == {"name": "d", "units": 3}
    assert len(first_of()) == 1


def test_keys_go_only_at_their_defaults():
    def keys(class_name, **config):
        return modern_model_config({"class_name": class_name, "config": config})["config"]

    assert keys("LSTM", time_major=False, implementation=2, units=3) == {"units": 3}
    assert keys("LSTM", time_major=True) == {"time_major": True}
    assert keys("DepthwiseConv2D", groups=1) == {}
    assert keys("DepthwiseConv2D", groups=2) == {"groups": 2}
    assert keys("Conv2D", groups=1) == {"groups": 1}
    assert keys("BatchNormalization", axis=[3]) == {"axis": 3}
    assert keys("InputLayer", batch_input_shape=[None, 2]) == {"batch_shape": [None, 2]}


def test_present_configs_are_left_alone():
    record = fakes.serialize(fakes.mlp())
    assert modern_model_config(record) == record


def test_losses_and_metrics_of_keras_2_are_translated():
    config = modern_compile_config(
        {
            "loss": {
                "class_name": "LossFunctionWrapper",
                "config": {"fn": "mean_squared_error", "reduction": "auto", "name": "x"},
            },
            "metrics": [
                [{"class_name": "MeanMetricWrapper", "config": {"name": "acc", "fn": "f"}}]
            ],
            "weighted_metrics": None,
            "optimizer_config": {
                "class_name": "Custom>Adam",
                "config": {"lr": 0.5, "jit_compile": False, "is_legacy_optimizer": False},
            },
        }
    )
    assert config["loss"] == "mean_squared_error"
    assert config["metrics"] == ["acc"]
    assert config["optimizer"] == {
        "module": "keras.optimizers",
        "class_name": "Adam",
        "config": {"learning_rate": 0.5},
        "registered_name": None,
    }


def test_losses_per_output_keep_their_structure():
    config = modern_compile_config({"loss": {"a": "mse", "b": None}, "metrics": [["m"], ["n"]]})
    assert config["loss"] == {"a": "mse", "b": None}
    assert config["metrics"] == [["m"], ["n"]]


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("iteration:0", "iteration"),
        ("Adam/iter:0", "iteration"),
        ("Adam/m/dense/kernel:0", "momentum"),
        ("Adam/v/dense/kernel:0", "velocity"),
        ("Adam/dense/kernel/m:0", "momentum"),
        ("SGD/dense_2/bias/momentum:0", "momentum"),
        ("RMSprop/dense/kernel/rms:0", "velocity"),
        ("RMSprop/average_gradient/dense/kernel:0", "average_gradient"),
        ("adam/learning_rate", "learning_rate"),
    ],
)
def test_slots_are_recognised_in_both_ways_of_naming_them(name, slot):
    assert _slot(name) == slot


def test_state_that_does_not_fit_leaves_the_optimizer_fresh(tmp_path):
    saving.save_model(fakes.trained(fakes.compiled(fakes.mlp())), tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        group = file["optimizer_weights/adam"]
        key = next(key for key in group if key.endswith("kernel_momentum"))
        del group[key]
        group[key] = np.zeros((1, 1), "f4")
    with pytest.warns(UserWarning, match="fresh optimizer.*expected shape"):
        back = saving.load_model(tmp_path / "m.h5")
    assert int(back.optimizer.variables[0].array) == 0
