"""Layers on images, and on the scale of inputs, are Keras's."""

import re
from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from tests.parity.reference import VALUES, assert_near

from .image_cases import CASES, DRAWN, LABELS, colours, numbers

with np.load(Path(__file__).with_name("recorded_images.npz")) as file:
    RECORDED = dict(file)

RANDOM = {
    "RandomFlip": lambda seed: layers.RandomFlip(seed=seed),
    "RandomRotation": lambda seed: layers.RandomRotation(0.3, seed=seed),
    "RandomTranslation": lambda seed: layers.RandomTranslation(0.3, 0.4, seed=seed),
    "RandomZoom": lambda seed: layers.RandomZoom(0.4, seed=seed),
    "RandomContrast": lambda seed: layers.RandomContrast(0.8, seed=seed),
    "RandomBrightness": lambda seed: layers.RandomBrightness(0.3, seed=seed),
    "RandomShear": lambda seed: layers.RandomShear(0.5, 0.3, seed=seed),
    "RandomHue": lambda seed: layers.RandomHue(0.5, seed=seed),
    "RandomSaturation": lambda seed: layers.RandomSaturation(0.5, seed=seed),
    "RandomColorDegeneration": lambda seed: layers.RandomColorDegeneration(0.5, seed=seed),
    "RandomSharpness": lambda seed: layers.RandomSharpness(0.5, seed=seed),
    "RandomPosterization": lambda seed: layers.RandomPosterization(8, seed=seed),
    "RandomInvert": lambda seed: layers.RandomInvert(seed=seed),
    "RandomGrayscale": lambda seed: layers.RandomGrayscale(seed=seed),
    "RandomGaussianBlur": lambda seed: layers.RandomGaussianBlur(seed=seed),
    "RandomColorJitter": lambda seed: layers.RandomColorJitter(
        (0, 255), 0.2, hue_factor=0.2, seed=seed
    ),
    "Solarization": lambda seed: layers.Solarization(0.5, 0.5, seed=seed),
    "RandomErasing": lambda seed: layers.RandomErasing(seed=seed),
}
IMAGES = numbers((20, 6, 5, 3), "float32")


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


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_changes_images_and_labels_as_in_keras(name):
    case = DRAWN[name]
    layer = getattr(layers, case.kind)(**case.arguments)
    layer.numbers = lambda images: case.ours
    y = layer({"images": colours(), "labels": LABELS}, training=True)
    assert_near(y["images"], RECORDED[name], 5 * VALUES)
    assert_near(y["labels"], RECORDED[f"{name}_labels"], VALUES)


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
            keras.Input((6, 5, 3)),
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


def shares(layer, name, count=4000):
    """What a layer draws for so many images."""
    return np.asarray(layer.numbers(np.zeros((count, 4, 4, 3), "float32"))[name])


def test_factors_are_drawn_from_the_ranges_of_keras():
    hue = shares(layers.RandomHue((0.2, 0.8), seed=1), "factor")
    assert 0.1 <= np.abs(hue).min() < 0.11
    assert 0.39 < np.abs(hue).max() <= 0.4
    assert 0.45 < (hue > 0).mean() < 0.55
    step = shares(layers.RandomPosterization((2, 5), seed=1), "step")
    assert sorted(np.unique(step)) == [16, 32, 64]
    saturation = shares(layers.RandomSaturation((0.0, 0.5), seed=1), "factor")
    assert 0 <= saturation.min() < 0.01
    assert 0.99 < saturation.max() <= 1
    added = shares(layers.Solarization((0.1, 0.2), 0.5, seed=1), "added")
    assert 0.1 <= added.min() < 0.5
    assert 50.5 < added.max() <= 51
    for factor, share in (((0.3, 0.3), 0.3), (1.0, 0.5)):
        assert shares(layers.RandomInvert(factor, seed=1), "chosen").mean() == pytest.approx(
            share, abs=0.03
        )
    assert shares(layers.RandomGrayscale(0.2, seed=1), "chosen").mean() == pytest.approx(
        0.2, abs=0.03
    )


def test_images_are_slanted_by_either_sign_in_both_directions_at_once():
    maps = shares(layers.RandomShear((0.1, 0.4), (0.2, 0.3), seed=1), "maps")
    across, down = maps[:, 1], maps[:, 3]
    assert 0.1 <= np.abs(across).min() < 0.11
    assert 0.39 < np.abs(across).max() <= 0.4
    assert 0.2 <= np.abs(down).min() < 0.21
    assert ((across > 0) == (down > 0)).all()
    assert 0.45 < (across > 0).mean() < 0.55


def test_rectangles_have_the_sides_that_were_asked_for_and_lie_anywhere():
    images = np.zeros((300, 40, 20, 1), "float32")
    layer = layers.RandomErasing((1.0, 1.0), (0.25, 0.25), fill_value=1.0, seed=1)
    erased = np.asarray(layer(images))[..., 0]
    rows, columns = erased.any(axis=2), erased.any(axis=1)
    assert np.abs(rows.sum(axis=1) - 20).max() <= 1  # a place more or less by rounding
    assert np.abs(columns.sum(axis=1) - 10).max() <= 1
    assert len(np.unique(rows.argmax(axis=1))) > 15
    assert len(np.unique(columns.argmax(axis=1))) > 7
    noise = np.asarray(layers.RandomErasing((1.0, 1.0), seed=1)(images + 300))
    assert 0 < (noise != 300).mean() < 0.4
    assert noise[noise != 300].min() == 0
    assert noise[noise != 300].max() == 255


def test_labels_are_mixed_in_the_shares_in_which_images_are():
    images = np.arange(50, dtype="float32").reshape(50, 1, 1, 1) * np.ones(
        (1, 16, 16, 3), "float32"
    )
    labels = np.eye(50, dtype="float32")
    for layer in (layers.CutMix(seed=1), layers.MixUp(0.8, seed=1)):
        mixed = layer({"images": images, "labels": labels}, training=True)
        means = np.asarray(mixed["images"]).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(mixed["labels"] @ np.arange(50), means, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(np.asarray(mixed["labels"]).sum(axis=1), 1, rtol=1e-5)
        assert (np.asarray(mixed["labels"]).max(axis=1) < 0.99).sum() > 10
        same = layer({"images": images, "labels": labels}, training=False)
        np.testing.assert_array_equal(same["labels"], labels)
        np.testing.assert_array_equal(layer(images[3], training=True), images[3])


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.RandomFlip(seed=1),
        lambda: layers.RandomRotation(0.3, interpolation="nearest", seed=1),
        lambda: layers.RandomCrop(4, 3, seed=1),
        lambda: layers.CenterCrop(4, 3),
        lambda: layers.Resizing(4, 3, "nearest"),
        lambda: layers.CutMix(seed=1),
        lambda: layers.RandAugment((0, 255), 5, interpolation="nearest", seed=2),
    ],
)
def test_masks_move_with_their_images_and_keep_their_dtype(make):
    images = np.random.default_rng(0).integers(0, 2, (6, 8, 9, 1)).astype("uint8")
    if isinstance(make(), layers.RandAugment):  # changes tones, too, so only places count
        images = images * 255
        images = np.repeat(images, 3, axis=-1)
    found = make()({"images": images, "segmentation_masks": images, "labels": np.ones((6, 1))})
    assert found["segmentation_masks"].dtype == np.uint8
    assert found["segmentation_masks"].shape == found["images"].shape
    if not isinstance(make(), layers.RandAugment):
        np.testing.assert_array_equal(found["segmentation_masks"], found["images"])
        np.testing.assert_array_equal(found["labels"], np.ones((6, 1)))


def test_all_images_of_a_batch_are_cropped_alike_anywhere_and_at_inference_in_the_middle():
    layer = layers.RandomCrop(3, 4, seed=1)
    image = np.arange(42, dtype="float32").reshape(1, 6, 7, 1) * np.ones((5, 1, 1, 1), "float32")
    corners = set()
    for _ in range(200):
        y = np.asarray(layer(image, training=True))
        assert (y == y[:1]).all()
        corners.add(int(y[0, 0, 0, 0]))
    assert corners == {7 * row + column for row in range(4) for column in range(4)}
    middle = layers.CenterCrop(3, 4)(image)
    np.testing.assert_array_equal(layer(image, training=False), middle)
    small = layers.RandomCrop(9, 4)
    np.testing.assert_array_equal(small(image), layers.CenterCrop(9, 4)(image))


def test_policies_draw_other_changes_each_time_and_stay_in_the_range():
    images = colours((2, 5, 7, 3)) / 255
    for layer in (
        layers.RandAugment((0, 1), seed=1),
        layers.AugMix((0, 1), seed=1, all_ops=False),
    ):
        found = [np.asarray(layer(images, training=True)) for _ in range(6)]
        assert len({y.tobytes() for y in found}) > 3
        assert min(y.min() for y in found) >= -1e-5
        assert max(y.max() for y in found) <= 1 + 1e-5
        np.testing.assert_array_equal(layer(images, training=False), images)


def test_in_a_recorded_step_policies_draw_anew():
    model = keras.Sequential(
        [
            keras.Input((6, 5, 3)),
            layers.RandAugment(seed=1),
            layers.Flatten(),
            layers.Dense(1, use_bias=False, kernel_initializer="ones"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")
    target = IMAGES.sum((1, 2, 3))
    losses = model.fit(IMAGES, target, epochs=4, verbose=0).history["loss"]
    assert len(set(losses)) > 2


def test_a_pipeline_is_its_layers_in_a_row(tmp_path):
    pipeline = layers.Pipeline([layers.RandomFlip(seed=1), layers.Rescaling(1 / 255)])
    twin = [layers.RandomFlip(seed=1), layers.Rescaling(1 / 255)]
    np.testing.assert_array_equal(pipeline(IMAGES, training=True), twin[1](twin[0](IMAGES)))
    np.testing.assert_array_equal(pipeline(IMAGES, training=False), twin[1](IMAGES))
    model = keras.Sequential([keras.Input((6, 5, 3)), pipeline])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(IMAGES, verbose=0), twin[1](IMAGES))


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
    "or a pair of numbers, between -1 and 1. Received: [0.1]": lambda: layers.RandomZoom([0.1]),
    "does not move bounding boxes": lambda: layers.RandomFlip()(
        {"images": IMAGES, "bounding_boxes": np.zeros((20, 1, 4))}
    ),
    "needs a dict with 'images'": lambda: layers.RandomFlip()({"labels": np.zeros((20, 1))}),
    "segmentation_masks of shape (20,)": lambda: layers.RandomFlip()(
        {"images": IMAGES, "segmentation_masks": np.zeros(20)}
    ),
    "needs images of 3 channels": lambda: layers.RandomHue(0.1)(IMAGES[..., :2]),
    "ends of `value_range` must differ": lambda: layers.RandomInvert(value_range=(1, 1)),
    "`fill_value` must be a number, three": lambda: layers.RandomErasing(fill_value=[1, 2]),
    "must be an odd number": lambda: layers.RandomGaussianBlur(kernel_size=4),
    "`alpha` must be positive": lambda: layers.MixUp(0),
    "between 1 and 8. Received: 0.5": lambda: layers.RandomPosterization(0.5),
    "`layers` must be layers": lambda: layers.Pipeline([np.sin]),
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
    with pytest.raises(ValueError, match=re.escape(message)):
        MISUSE[message]()


def test_images_of_one_channel_are_grey_already():
    np.testing.assert_array_equal(
        layers.RandomGrayscale(1.0)(IMAGES[..., :1], training=True), IMAGES[..., :1]
    )
