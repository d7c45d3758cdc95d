"""Convolutional models of Keras 2's HDF5 files, also those that Keras 3 itself does not read."""

import numpy as np
import pytest

import minikeras as keras
from tests.parity.reference import VALUES, assert_near

NAMES = ["cnn_bn", "conv1d_pool", "conv2d_transpose", "hand_axis_list_dtype_str", "seq_frozen"]


@pytest.mark.parametrize("name", NAMES)
def test_it_predicts_as_then_and_after_it_is_saved_here(keras_fixtures, name, tmp_path):
    folder = keras_fixtures / "legacy_tf2"
    with np.load(folder / f"{name}.npz") as content:
        x, y = content["x0"], content["y0"]
    model = keras.models.load_model(folder / f"{name}.h5")
    assert_near(model.predict(x, verbose=0), y, VALUES)
    for file in ("again.h5", "again.keras"):
        model.save(tmp_path / file)
        assert_near(keras.models.load_model(tmp_path / file).predict(x, verbose=0), y, VALUES)
