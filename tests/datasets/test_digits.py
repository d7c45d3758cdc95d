"""The embedded digits are the real ones, whole, and split fairly."""

import hashlib

import numpy as np

from minikeras.datasets import digits


def test_shapes_types_and_values_are_as_documented():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1438, 8, 8)
    assert x_test.shape == (359, 8, 8)
    assert y_train.shape == (1438,)
    assert y_test.shape == (359,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert (x_train.min(), x_train.max()) == (0, 16)
    assert set(y_train) == set(y_test) == set(range(10))


def test_each_digit_gives_a_fifth_of_its_images_to_the_test_part():
    (_, y_train), (_, y_test) = digits.load_data()
    for digit in range(10):
        count = np.sum(y_train == digit) + np.sum(y_test == digit)
        assert np.sum(y_test == digit) == round(0.2 * count)


def test_no_image_is_in_both_parts():
    (x_train, _), (x_test, _) = digits.load_data()
    assert not {x.tobytes() for x in x_train} & {x.tobytes() for x in x_test}


def test_images_are_those_of_the_source():
    """The sum was taken over the sorted rows (64 values, then the label) of scikit-learn's copy."""
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    images = np.concatenate([x_train, x_test]).reshape(-1, 64)
    labels = np.concatenate([y_train, y_test])
    rows = sorted(row.tobytes() for row in np.column_stack([images, labels]))
    assert (
        hashlib.sha256(b"".join(rows)).hexdigest()
        == "f67d6a29d0e1f70e7f0cd9dcf25816b694881f4b8f27f5cc1db59551f0499fb8"
    )


def test_each_call_returns_arrays_of_its_own():
    (first, _), _ = digits.load_data()
    first[:] = 0
    (second, _), _ = digits.load_data()
    assert second.any()
