"""The shape of what indices give, found without making it."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import ops
from minikeras.ops.shapes import getitem

ALL, ROWS, SQUARE = slice(None), np.array([0, 1, 1]), np.zeros((2, 4), int)


@pytest.mark.parametrize(
    "key",
    [
        ROWS,
        (ALL, ROWS),
        (ALL, ROWS, ALL, SQUARE[0, :3]),
        (ROWS, ALL, ROWS),
        (..., ROWS),
        (None, ALL, SQUARE, ..., None),
        (0, ALL, SQUARE),
        (ALL, slice(1, 1), ROWS),
        (ROWS, ROWS, ROWS, ROWS),
        (ALL, np.zeros(0, int)),
        (slice(0, 1), SQUARE, ALL, slice(None, None, 2)),
        (..., slice(0, 2), SQUARE, 1),
    ],
)
def test_symbols_have_the_shape_of_what_the_index_gives(key):
    x = np.zeros((2, 3, 4, 5), "float32")
    assert keras.Input(batch_shape=x.shape)[key].shape == x[key].shape
    assert getitem(x, key).shape == x[key].shape


def test_indices_into_huge_symbols_take_no_memory():
    image = keras.Input((10**4, 10**4, 10**4))
    assert ops.take(image, ROWS, 1).shape == (None, 3, 10**4, 10**4)
    crop = keras.layers.RandomCrop(8, 9)
    assert crop(keras.Input((None, None, None))).shape == (None, 8, 9, None)
