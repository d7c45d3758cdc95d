"""Noise layers: identity at inference, Keras's distributions in training."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

NOISE = {
    "GaussianNoise": lambda seed=3: layers.GaussianNoise(0.5, seed=seed),
    "GaussianDropout": lambda seed=3: layers.GaussianDropout(0.2, seed=seed),
    "AlphaDropout": lambda seed=3: layers.AlphaDropout(0.2, seed=seed),
}


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_only_for_training_and_depends_on_seed_and_call(name):
    x = np.random.default_rng(0).normal(0, 1, (50, 40)).astype("float32")
    layer, twin, other = NOISE[name](), NOISE[name](), NOISE[name](4)
    np.testing.assert_array_equal(layer(x), x)
    first = layer(x, training=True)
    np.testing.assert_array_equal(first, twin(x, training=True))
    assert (first != layer(x, training=True)).any()
    assert (first != other(x, training=True)).any()


def test_gaussian_noise_is_added_with_its_deviation():
    noise = NOISE["GaussianNoise"]()(np.full((400, 500), 2, "float32"), training=True) - 2
    assert abs(noise.mean()) < 0.005
    assert abs(noise.std() - 0.5) < 0.005


def test_gaussian_dropout_multiplies_by_numbers_around_one():
    y = NOISE["GaussianDropout"]()(np.full((400, 500), 2, "float32"), training=True)
    assert abs(y.mean() - 2) < 0.01
    assert abs(y.std() - 2 * (0.2 / 0.8) ** 0.5) < 0.01


def test_alpha_dropout_keeps_mean_and_variance_and_drops_to_one_value():
    x = np.random.default_rng(0).normal(0, 1, (400, 500)).astype("float32")
    y = NOISE["AlphaDropout"]()(x, training=True)
    assert abs(y.mean()) < 0.01
    assert abs(y.std() - 1) < 0.01
    values, counts = np.unique(y, return_counts=True)
    assert abs(counts.max() / y.size - 0.2) < 0.01
    bottom = -1.7580993
    scale = (0.8 * (1 + 0.2 * bottom**2)) ** -0.5
    np.testing.assert_allclose(values[counts.argmax()], scale * bottom * 0.8, rtol=1e-5)


def test_alpha_dropout_shares_its_mask_along_axes_of_one():
    layer = layers.AlphaDropout(0.5, noise_shape=(None, 1, 4), seed=1)
    dropped = layer(np.zeros((6, 5, 4), "float32"), training=True) < -0.5
    np.testing.assert_array_equal(dropped, np.broadcast_to(dropped[:, :1], dropped.shape))
    assert 0 < dropped.mean() < 1


@pytest.mark.parametrize("kind", [layers.Dropout, layers.SpatialDropout1D])
def test_dropout_of_everything_leaves_zeros(kind):
    x = np.ones((2, 3, 4), "float32")
    np.testing.assert_array_equal(kind(1.0)(x), x)
    np.testing.assert_array_equal(kind(1)(x, training=True), np.zeros_like(x))
    model = keras.Sequential([keras.Input((3, 4)), layers.Dense(2), kind(1.0), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit(x, np.ones((2, 3, 1)), verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)


@pytest.mark.parametrize("kind", [layers.Dropout, layers.AlphaDropout])
def test_a_shape_of_noise_is_broadcast_from_the_last_axis_on(kind):
    y = kind(0.5, noise_shape=(3, 1), seed=2)(np.ones((50, 3, 4), "float32"), training=True)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:1, :, :1], y.shape))
    for shape in ((7,), (2, 3, 4, 5), (None, 2, 4)):
        with pytest.raises(ValueError, match="`noise_shape` must be 1, None or the size"):
            kind(0.5, noise_shape=shape)(np.ones((2, 3, 4), "float32"), training=True)
