"""Normalisation layers are Keras's, in values, gradients and states."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras import kernels, layers, ops
from minikeras.autodiff import Tape
from tests.parity.reference import VALUES, assert_near

from .normalization_cases import CASES, mask_of, numbers, spectral_kernel, values_of

with np.load(Path(__file__).with_name("recorded_normalization.npz")) as file:
    RECORDED = dict(file)


def made(name):
    case = CASES[name]
    older = pytest.warns(UserWarning, match="RMSNormalization")
    with older if name == "layer_rms" else nullcontext():
        layer = getattr(layers, case.kind)(**case.arguments)
    layer.build(case.shape)
    layer.set_weights(values_of([w.shape for w in layer.weights]))
    return layer, numbers(case.shape, 1), {"mask": mask_of(case.shape)} if case.masked else {}


@pytest.mark.parametrize("name", CASES)
def test_training_gives_the_values_gradients_and_states_of_keras(name):
    layer, x, more = made(name)
    with Tape() as tape:
        x = tape.watch(x)
        for variable in layer.trainable_variables:
            tape.watch(variable)
        y = layer(x, training=True, **more)
        loss = ops.sum(y * numbers(CASES[name].shape, 2))
    assert_near(y, RECORDED[f"{name}/y"], VALUES, "output")
    dx, *dw = tape.gradient(loss, [x, *layer.trainable_variables])
    assert_near(dx, RECORDED[f"{name}/dx"], 2 * VALUES, "gradient of the input")
    for k, d in enumerate(dw):
        assert_near(d, RECORDED[f"{name}/dw{k}"], 2 * VALUES, f"gradient of weight {k}")
    for k, variable in enumerate(layer.non_trainable_variables):
        assert_near(variable.numpy(), RECORDED[f"{name}/after{k}"], VALUES, variable.name)


@pytest.mark.parametrize("name", CASES)
def test_inference_gives_the_values_of_keras(name):
    layer, x, _ = made(name)
    assert_near(layer(x), RECORDED[f"{name}/inference"], VALUES)


def test_spectral_normalization_divides_weights_as_keras_does():
    layer = layers.SpectralNormalization(layers.Dense(4), power_iterations=2)
    layer.build((5, 3))
    layer.set_weights(spectral_kernel())
    for call in range(2):
        y = layer(numbers((5, 3), 4), training=True)
        assert_near(y, RECORDED[f"spectral/y{call}"], VALUES)
    for k, value in enumerate(layer.get_weights()):
        assert_near(value, RECORDED[f"spectral/after{k}"], VALUES)
    assert_near(layer(numbers((5, 3), 4)), RECORDED["spectral/inference"], VALUES)
    names = [w.name for w in layer.weights]
    assert names == [path.rpartition("/")[2] for path in RECORDED["spectral/names"]]


def test_spectral_normalization_leaves_zeros_alone_and_trains():
    layer = layers.SpectralNormalization(layers.Dense(1, kernel_initializer="zeros"))
    x = numbers((32, 3), 1)
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    np.testing.assert_array_equal(layer(x, training=True), 0)
    model.fit(x, x @ np.float32([[1], [2], [3]]), epochs=2, verbose=0)
    assert np.abs(layer.layer.kernel.numpy()).max() > 0


def test_batch_statistics_of_images_do_not_depend_on_the_number_of_threads():
    x, results = numbers((16, 20, 20, 3), 1), []
    before = kernels.num_threads()
    try:
        for threads in (1, 2, 3, 8):
            kernels.set_num_threads(threads)
            layer = layers.BatchNormalization()
            layer.build(x.shape)
            with Tape() as tape:
                watched = tape.watch(x)
                for variable in layer.trainable_variables:
                    tape.watch(variable)
                loss = ops.sum(layer(watched, training=True) * numbers(x.shape, 2))
            found = tape.gradient(loss, [watched, *layer.trainable_variables])
            results.append([*map(np.asarray, found), *layer.get_weights()])
    finally:
        kernels.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


MISUSE = {
    "axis=5 does not exist": lambda: layers.LayerNormalization(axis=5).build((2, 3)),
    "needs fixed extents": lambda: layers.LayerNormalization(axis=1).build((2, None, 3)),
    "`axis` must be an integer": lambda: layers.UnitNormalization(axis="last"),
    "must be a multiple": lambda: layers.GroupNormalization(4).build((2, 6)),
    "`groups` must be a positive integer": lambda: layers.GroupNormalization(0),
    "axis=0 is that of the batch": lambda: layers.GroupNormalization(2, axis=0).build((2, 6)),
    "several devices": lambda: layers.BatchNormalization(synchronized=True),
    "rmax must be at least rmin": lambda: layers.BatchNormalization(
        renorm=True, renorm_clipping={"rmax": 1, "rmin": 2}
    ),
    "one dimension less": lambda: layers.BatchNormalization()(
        numbers((4, 3), 1), mask=np.ones((4, 3), bool), training=True
    ),
    "`kernel` or `embeddings`": lambda: layers.SpectralNormalization(layers.ReLU()).build((2, 3)),
    "`power_iterations`": lambda: layers.SpectralNormalization(layers.Dense(2), 0),
    "`stddev` must be a number between 0 and 1": lambda: layers.GaussianNoise(2.0),
    "rate must be below 1": lambda: layers.GaussianDropout(1.0),
}


@pytest.mark.parametrize("message", MISUSE)
def test_misuse_is_refused_before_work_starts(message):
    with pytest.raises(ValueError, match=message):
        MISUSE[message]()


def test_a_wrong_name_of_a_bound_gets_a_suggestion():
    with pytest.raises(TypeError, match="Did you mean 'rmax'"):
        layers.BatchNormalization(renorm=True, renorm_clipping={"rmaxx": 1})


def test_given_statistics_may_be_wider_than_what_they_normalise():
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    rows = [np.arange(4.0), np.arange(4.0) + 1, np.ones(4), [1.0, 2.0, 3.0, 4.0]]
    y = keras.ops.batch_normalization(x, *rows[:2], axis=-1, offset=rows[2], scale=rows[3])
    assert y.dtype == "float32"
    expected = (x - rows[0]) / np.sqrt(rows[1] + 1e-3) * rows[3] + rows[2]
    np.testing.assert_allclose(y, expected, rtol=1e-5)
