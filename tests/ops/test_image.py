"""Images in other sizes, and blocks of pixels: values of Keras, and what is refused."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops

IMAGE = (np.arange(12.0).reshape(2, 6, 1) ** 2).astype("float32")


RESIZED = {
    "bilinear": (
        {"size": (2, 4)},
        [[0.25, 3.25, 10.75, 22.75], [39.25, 60.25, 85.75, 115.75]],
    ),
    "averaged": ({"size": (1, 3), "antialias": True}, [[23.285717, 40.0, 62.571434]]),
    "nearest": (
        {"size": [3, 3], "interpolation": "nearest"},
        [[1, 9, 25], [49, 81, 121], [49, 81, 121]],
    ),
    "cut": ({"size": (2, 4), "crop_to_aspect_ratio": True}, [[1, 4, 9, 16], [49, 64, 81, 100]]),
    "filled": ({"size": (2, 2), "pad_to_aspect_ratio": True, "fill_value": -1.0}, -np.ones((2, 2))),
}


@pytest.mark.parametrize("name", RESIZED)
def test_images_are_resized_as_in_keras(name):
    options, expected = RESIZED[name]
    np.testing.assert_allclose(ops.image.resize(IMAGE, **options)[..., 0], expected, rtol=1e-6)
    batch = np.stack([IMAGE, -IMAGE])
    y = ops.image.resize(batch, **options)
    np.testing.assert_array_equal(y[0], ops.image.resize(IMAGE, **options))
    first = ops.image.resize(np.moveaxis(batch, -1, 1), **options, data_format="channels_first")
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), y)


def test_resized_whole_numbers_are_rounded_as_in_keras():
    y = ops.image.resize(IMAGE.astype("uint8"), (1, 4))
    assert y.dtype == "uint8"
    np.testing.assert_array_equal(y[..., 0], [[20, 32, 48, 69]])


def test_resizing_and_blocks_are_steps_of_models():
    inputs = keras.Input((4, 6, 1))
    features = layers.Conv2D(4, 3, padding="same")(ops.image.resize(inputs, (2, 3)))
    model = keras.Model(inputs, ops.depth_to_space(features, 2))
    assert model.output_shape == (None, 4, 6, 1)
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(3, 4, 6, 1)).astype("float32")
    losses = model.fit(x, x, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    anywhere = keras.Input((None, None, 3))
    assert ops.space_to_depth(anywhere, 2).shape == (None, None, None, 12)
    assert ops.image.resize(anywhere, (4, 5)).shape == (None, 4, 5, 3)


REFUSED = {
    "`size` must be a height and a width": lambda: ops.image.resize(IMAGE, (4, 4, 4)),
    "resize: `size` must be a positive integer": lambda: ops.image.resize(IMAGE, (0, 4)),
    "resize takes images": lambda: ops.image.resize(IMAGE[0], (4, 4)),
    "`interpolation` must be one of": lambda: ops.image.resize(IMAGE, (4, 4), "area"),
    "either cuts or fills": lambda: ops.image.resize(
        IMAGE, (4, 4), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True
    ),
    "`block_size` must be at least 2": lambda: ops.depth_to_space(IMAGE[None], 1),
    "the number of channels must be a multiple of 4": lambda: ops.depth_to_space(IMAGE[None], 2),
    "height and width must be a multiple of 4": lambda: ops.space_to_depth(IMAGE[None], 4),
    "space_to_depth takes images": lambda: ops.space_to_depth(IMAGE, 2),
}


@pytest.mark.parametrize("message", REFUSED)
def test_misuse_is_refused_before_work_starts(message):
    with pytest.raises(ValueError, match=message):
        REFUSED[message]()
