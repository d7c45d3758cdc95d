"""Convolutions that go Winograd's way equal those that do not."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import ops
from minikeras.autodiff import value_and_grad
from minikeras.ops import winograd
from minikeras.ops.convolution_geometry import Window


@pytest.fixture(autouse=True)
def restored():
    yield
    keras.config.set_winograd(True)


def both(function):
    """Results with direct sums and with Winograd's."""
    results = []
    for enabled in (False, True):
        keras.config.set_winograd(enabled)
        results.append(function())
    return results


def case(dtype, images=8, sizes=(13, 10), channels=17, filters=35):
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (images, *sizes, channels)).astype(dtype)
    kernel = rng.normal(0, 1 / 12, (3, 3, channels, filters)).astype(dtype)
    return x, kernel, rng.normal(0, 1, filters).astype(dtype)


@pytest.mark.parametrize(("dtype", "most"), [("float64", 1e-13), ("float32", 1e-5)])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
def test_results_and_gradients_are_those_of_direct_sums(dtype, most, padding, activation):
    x, kernel, bias = case(dtype)

    def loss(x, kernel, bias):
        y = ops.convolution.fused_conv(
            x, kernel, bias, 1, padding, "channels_last", 1, activation, "test"
        )
        return ops.mean(ops.square(y - 0.1)), y

    def run():
        (value, y), grads = value_and_grad(loss, argnums=(0, 1, 2), has_aux=True)(x, kernel, bias)
        return [np.asarray(a) for a in (value, y, *grads)]

    for direct, mapped in zip(*both(run), strict=True):
        scale = np.sqrt(np.mean(np.square(direct)))
        assert np.abs(direct - mapped).max() <= most * max(scale, 1e-30)
        assert mapped.dtype == dtype


def test_both_ways_are_really_taken():
    x, kernel, _ = case("float32", images=8)
    direct, mapped = both(lambda: np.asarray(ops.conv(x, kernel)))
    assert not np.array_equal(direct, mapped)


def test_the_transposed_convolution_goes_either_way():
    x, kernel, _ = case("float64", channels=35, filters=17)
    kernel = np.swapaxes(kernel, -1, -2).copy()
    direct, mapped = both(lambda: np.asarray(ops.conv_transpose(x, kernel, 1, "same")))
    np.testing.assert_allclose(direct, mapped, atol=1e-12)


WINDOW = Window((1, 1), (1, 1), (1, 1), (1, 1))


@pytest.mark.parametrize(
    ("images", "sizes", "kernel", "window"),
    [
        (64, (16, 16), (5, 5, 32, 32), WINDOW),
        (64, (16, 16), (3, 3, 3, 32), WINDOW),
        (64, (8, 8), (3, 3, 32, 32), WINDOW._replace(strides=(2, 2))),
        (64, (16, 16), (3, 3, 32, 32), WINDOW._replace(dilation=(2, 2))),
        (64, (16, 16), (3, 3, 32, 32), WINDOW._replace(groups=4)),
        (1, (8, 8), (3, 3, 32, 32), WINDOW),
        (64, (1, 9), (3, 3, 32, 32), WINDOW),
    ],
)
def test_what_does_not_pay_or_does_not_fit_is_summed_directly(images, sizes, kernel, window):
    assert winograd.applies(64, (16, 16), np.empty((3, 3, 32, 32)), WINDOW)
    assert not winograd.applies(images, sizes, np.empty(kernel), window)


def test_training_with_either_way_agrees():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, (64, 12, 12, 16)).astype("float32"), rng.integers(0, 4, 64)

    def run():
        keras.utils.set_random_seed(1)
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input((12, 12, 16)),
                layers.Conv2D(24, 3, activation="relu"),
                layers.Conv2D(16, 3, padding="same", use_bias=False),
                layers.BatchNormalization(),
                layers.GlobalAveragePooling2D(),
                layers.Dense(4, activation="softmax"),
            ]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        history = model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        return np.array(history.history["loss"]), model.predict(x, verbose=0)

    (loss, predictions), (other, same) = both(run)
    np.testing.assert_allclose(loss, other, rtol=1e-5)
    np.testing.assert_allclose(predictions, same, atol=1e-5)
