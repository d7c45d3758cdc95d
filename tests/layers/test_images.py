"""Layers on images, and on the scale of inputs, are Keras's."""

from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from tests.parity.reference import VALUES, assert_near

from .image_cases import CASES, numbers

with np.load(Path(__file__).with_name("recorded_images.npz")) as file:
    RECORDED = dict(file)

RANDOM = {
    "RandomFlip": lambda seed: layers.RandomFlip(seed=seed),
    "RandomRotation": lambda seed: layers.RandomRotation(0.3, seed=seed),
    "RandomTranslation": lambda seed: layers.RandomTranslation(0.3, 0.4, seed=seed),
    "RandomZoom": lambda seed: layers.RandomZoom(0.4, seed=seed),
    "RandomContrast": lambda seed: layers.RandomContrast(0.8, seed=seed),
    "RandomBrightness": lambda seed: layers.RandomBrightness(0.3, seed=seed),
}
IMAGES = numbers((20, 6, 5, 2), "float32")


@pytest.mark.parametrize("name", CASES)
def test_outputs_are_those_of_keras(name):
    case = CASES[name]
    layer = getattr(layers, case.kind)(**case.arguments)
    x = numbers(case.shape, case.dtype)
    if case.adapts:
        layer.adapt(x)
    y = layer(x)
    assert y.dtype == RECORDED[name].dtype
    # places are computed in float32 there, so they are off by some 1e-7 of the width
    assert_near(y, RECORDED[name], 5 * VALUES if case.kind.startswith("Random") else VALUES)


def test_contrast_is_that_of_keras():
    layer = layers.RandomContrast(0.5)
    layer.draw = lambda images, bounds: np.float32([[0.7], [1.4]])
    y = layer(numbers((2, 5, 7, 3), "float32"), training=True)
    assert_near(y, RECORDED["contrast"], VALUES)


@pytest.mark.parametrize("name", RANDOM)
def test_changes_are_for_training_and_depend_on_seed_image_and_call(name):
    layer, twin, other = (RANDOM[name](seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(layer(IMAGES, training=False), IMAGES)
    same = np.broadcast_to(IMAGES[:1], IMAGES.shape)
    first = layer(same, training=True)
    np.testing.assert_array_equal(first, twin(same, training=True))
    assert (first != first[:1]).any()
    assert (first != layer(same, training=True)).any()
    assert (first != other(same, training=True)).any()


@pytest.mark.parametrize("name", RANDOM)
def test_whole_numbers_become_floats_in_training_and_at_inference(name):
    for training in (True, False):
        assert RANDOM[name](1)(IMAGES.astype("uint8"), training=training).dtype == np.float32


@pytest.mark.parametrize(
    ("mode", "axes"), [("horizontal", 2), ("vertical", 1), ("horizontal_and_vertical", (1, 2))]
)
def test_about_half_of_the_images_are_flipped(mode, axes):
    images = np.random.default_rng(0).normal(0, 1, (400, 3, 2, 1)).astype("float32")
    y = layers.RandomFlip(mode, seed=1)(images)
    stay = (y == images).all((1, 2, 3))
    np.testing.assert_array_equal(y[~stay], np.flip(images, axes)[~stay])
    assert 150 < stay.sum() < 250


def test_in_a_model_images_change_in_fit_only_and_replayed_steps_draw_anew():
    model = keras.Sequential(
        [
            keras.Input((6, 5, 2)),
            layers.RandomFlip(seed=1),
            layers.RandomRotation(0.2, seed=2),
            layers.Flatten(),
            layers.Dense(1, use_bias=False, kernel_initializer="ones"),
        ]
    )
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0), IMAGES.sum((1, 2, 3))[:, None], rtol=1e-5
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")
    history = model.fit(IMAGES, IMAGES.sum((1, 2, 3)), epochs=3, verbose=0).history["loss"]
    assert len(set(history)) == 3
    assert model.evaluate(IMAGES, IMAGES.sum((1, 2, 3)), verbose=0) < min(history) / 100


def test_statistics_of_batches_are_those_of_the_whole():
    x = numbers((50, 3), "float32")
    whole, parts, pairs = layers.Normalization(), layers.Normalization(), layers.Normalization()
    whole.adapt(x)
    parts.adapt([x[:7], x[7:30], x[30:]])
    pairs.adapt((batch, 0) for batch in (x[:20], x[20:]))
    np.testing.assert_allclose(whole.mean, x.mean(0, keepdims=True), rtol=1e-6)
    for layer in (parts, pairs):
        np.testing.assert_allclose(layer.mean, whole.mean, rtol=1e-6)
        np.testing.assert_allclose(layer.variance, whole.variance, rtol=1e-6)


def test_a_saved_normalization_keeps_its_statistics(tmp_path):
    x = numbers((50, 3), "float32")
    layer = layers.Normalization()
    layer.adapt(x)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


MISUSE = {
    "`factor` must be a number, or a pair": lambda: layers.RandomRotation(1.5),
    "`height_factor` must be a number": lambda: layers.RandomTranslation("a", 0.1),
    "above -1": lambda: layers.RandomZoom((-1.0, 0.5)),
    "between 0 and 1. Received: -0.5": lambda: layers.RandomContrast(-0.5),
    "Did you mean 'reflect'": lambda: layers.RandomRotation(0.1, fill_mode="reflekt"),
    "`interpolation` must be one of": lambda: layers.RandomRotation(0.1, interpolation="cubic"),
    "`mode` must be one of": lambda: layers.RandomFlip("diagonal"),
    "`value_range` must be a pair": lambda: layers.RandomBrightness(0.1, value_range=255),
    "either cuts or fills": lambda: layers.Resizing(
        3, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True
    ),
    "`height` must be a positive integer": lambda: layers.CenterCrop(0, 3),
    "works on images": lambda: layers.CenterCrop(1, 1)(IMAGES[0, 0]),
    "`scale` must be a number": lambda: layers.Rescaling("large"),
    "both `mean` and `variance`": lambda: layers.Normalization(mean=1.0),
    "must have the same shape": lambda: layers.Normalization(mean=[1.0], variance=2.0),
    "cannot be adapted": lambda: layers.Normalization(mean=1.0, variance=2.0).adapt(IMAGES),
    "needs data": lambda: layers.Normalization().adapt([]),
    "axis=7 does not exist": lambda: layers.Normalization(7).build((2, 3)),
    "was built for extents": lambda: layers.Normalization().adapt([IMAGES, IMAGES[..., :1]]),
}


@pytest.mark.parametrize("message", MISUSE)
def test_misuse_is_refused_before_work_starts(message):
    with pytest.raises(ValueError, match=message):
        MISUSE[message]()
