"""Images as arrays."""

import numpy as np
import pytest

import minikeras as keras
from minikeras.preprocessing.image import smart_resize

WIDE = np.arange(12.0).reshape(2, 6, 1) ** 2


def test_proportions_stay_and_the_middle_is_kept_as_in_keras():
    y = smart_resize(WIDE, (2, 3))
    assert y.dtype == "float32"
    np.testing.assert_allclose(y[..., 0], [[1, 4, 9], [49, 64, 81]])
    np.testing.assert_allclose(smart_resize(WIDE, [1, 1]).ravel(), [39.5])
    tall = smart_resize(np.moveaxis(WIDE, 1, 0), (3, 3), "nearest")[..., 0]
    np.testing.assert_allclose(tall, [[4, 64, 64], [9, 81, 81], [9, 81, 81]])


def test_batches_and_channels_first_are_resized_alike():
    batch = np.random.default_rng(0).integers(0, 255, (3, 6, 9, 2), "uint8")
    y = smart_resize(batch, (4, 4))
    np.testing.assert_array_equal(y[1], smart_resize(batch[1], (4, 4)))
    first = smart_resize(np.moveaxis(batch, -1, 1), (4, 4), data_format="channels_first")
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), y)
    assert keras.preprocessing.image.smart_resize is smart_resize


def test_what_is_no_image_and_no_size_is_refused():
    with pytest.raises(ValueError, match="`size` must be a height and a width"):
        smart_resize(WIDE, (4, 4, 4))
    with pytest.raises(ValueError, match="smart_resize takes images of shape"):
        smart_resize(WIDE[0], (4, 4))
    with pytest.raises(ValueError, match="`interpolation` must be one of"):
        smart_resize(WIDE, (4, 4), "area")
