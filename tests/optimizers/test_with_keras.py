"""Keras itself goes on where we stopped, and we where Keras stopped, for every optimizer."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from tests.optimizers.continue_with_keras import STEPS, numbers
from tests.optimizers.zoo import OPTIONS, ZOO, make
from tests.saving.test_real_models import KERAS_PYTHON, has_keras

CASES = {
    **{name: (name, "plain") for name in ZOO if name != "multi"},  # Keras cannot read its own
    **{f"adam.{option}": ("adam", option) for option in OPTIONS if option != "plain"},
    "muon.everything": ("muon", "everything"),
    "adafactor.everything": ("adafactor", "everything"),
    "loss_scale.everything": ("loss_scale", "everything"),
}


def batches(count):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((count, 8, 6)).astype("float32")
    return x, np.tanh(x[:, :, :3] * 2 - x[:, :, 3:])


def trained(case, x, y):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)]
    )
    model.compile(make(*CASES[case]), "mse")
    for each, target in zip(x, y, strict=True):
        model.train_on_batch(each, target)
    return model


@pytest.mark.slow
@pytest.mark.skipif(not has_keras(), reason="Keras is not installed (see MINIKERAS_KERAS_PYTHON)")
def test_training_goes_on_in_keras_and_comes_back(tmp_path):
    x, y = batches(3 + 2 * STEPS)
    models = {case: trained(case, x[:3], y[:3]) for case in CASES}
    for case, model in models.items():
        model.save(tmp_path / f"{case}.keras")
    np.savez(tmp_path / "batches.npz", x=x[3:], y=y[3:])
    script = Path(__file__).with_name("continue_with_keras.py")
    environment = {**os.environ, "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "jax")}
    done = subprocess.run(
        [KERAS_PYTHON, str(script), str(tmp_path)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for case, model in models.items():
        for step in range(3, 3 + STEPS):
            model.train_on_batch(x[step], y[step])
        with np.load(tmp_path / f"{case}.npz") as content:
            assert_equal(case, numbers(model), list(content.values()))
        # and back: the model as Keras left it goes on as ours does
        back = keras.models.load_model(tmp_path / f"{case}.later.keras")
        for step in range(3 + STEPS, len(x)):
            for one in (model, back):
                one.train_on_batch(x[step], y[step])
        assert_equal(case, numbers(back), numbers(model))


def assert_equal(case, found, expected):
    assert len(found) == len(expected), case
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5, err_msg=case)
