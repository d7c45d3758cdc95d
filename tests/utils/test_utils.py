"""Helpers for data, and seeds for runs that repeat."""

import random

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, utils


def test_to_categorical_gives_float32_rows():
    rows = utils.to_categorical([0, 2, 1])
    np.testing.assert_array_equal(rows, np.eye(3)[[0, 2, 1]])
    assert rows.dtype == "float32"
    assert utils.to_categorical([0, 1], num_classes=5).shape == (2, 5)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((), (4,)), ((3,), (3, 4)), ((3, 1), (3, 4)), ((2, 3), (2, 3, 4)), ((0,), (0, 4))],
)
def test_to_categorical_adds_an_axis_and_drops_one_of_size_one(shape, expected):
    rows = utils.to_categorical(np.full(shape, 2), 4)
    assert rows.shape == expected
    assert (rows.argmax(-1) == 2).all()


def test_to_categorical_takes_whole_floats_and_columns_of_bytes():
    np.testing.assert_array_equal(utils.to_categorical([1.0, 0.0]), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(utils.to_categorical(np.uint8([[1], [0]])), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(utils.to_categorical([True, False]), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 3], 3, "between 0 and 2. Received: values from 0 to 3"),
        ([-1, 0], None, "Received: values from -1"),
        ([0.5], None, "whole numbers"),
        ([float("nan")], None, "whole numbers"),
        (["a", "b"], None, "whole numbers"),
        ([0, 1], 0, "num_classes"),
        ([0, 1], 2.5, "num_classes"),
    ],
)
def test_to_categorical_refuses_what_is_no_class_index(labels, classes, message):
    with pytest.raises(ValueError, match=message):
        utils.to_categorical(labels, classes)


def test_normalize_divides_by_norms_and_leaves_zeros():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(utils.normalize(x), [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(utils.normalize(x, axis=0), [[1, 1], [0, 0]])
    np.testing.assert_allclose(utils.normalize(x, order=1)[0], [3 / 7, 4 / 7])


def test_one_seed_governs_python_numpy_and_the_library():
    def draws():
        utils.set_random_seed(12)
        return [
            random.random(),
            float(np.random.rand()),
            keras.random.normal((3,)).tolist(),
            keras.initializers.GlorotUniform()((2, 2)).tolist(),
            layers.Dropout(0.5)(np.ones((1, 50), "float32"), training=True).tolist(),
        ]

    assert draws() == draws()


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "one", None])
def test_a_seed_that_numpy_could_not_take_is_refused(seed):
    with pytest.raises(ValueError, match="seed"):
        utils.set_random_seed(seed)


def test_clear_session_starts_names_anew():
    assert layers.Dense(1).name == "dense"
    assert layers.Dense(1).name == "dense_1"
    utils.clear_session()
    assert layers.Dense(1).name == "dense"


def test_symbols_are_told_from_arrays():
    assert utils.is_keras_tensor(keras.Input((3,)))
    assert not utils.is_keras_tensor(np.ones(3))
