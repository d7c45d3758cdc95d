"""Statistics of a whole data set in place of moving averages."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.utils import recompute_batch_statistics


def data(*shape):
    return (np.random.default_rng(0).normal(3, 2, shape)).astype("float32")


def network():
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.BatchNormalization(),
            layers.Dense(5, "relu"),
            layers.Dropout(0.5),
            layers.BatchNormalization(epsilon=0.1),
            layers.Dense(1),
        ]
    )


@pytest.mark.parametrize("batch_size", [7, 32, 1000])
def test_each_layer_gets_the_statistics_of_what_reaches_it(batch_size):
    model, x = network(), data(100, 4)
    weights = [w.numpy() for w in model.trainable_weights]
    assert recompute_batch_statistics(model, x, batch_size) is model
    first, dense, _, second, _ = model.layers
    reaching = dense(first(x))
    for layer, values in ((first, x), (second, reaching)):
        np.testing.assert_allclose(layer.moving_mean.numpy(), values.mean(0), rtol=1e-5)
        np.testing.assert_allclose(layer.moving_variance.numpy(), values.var(0), rtol=1e-4)
    for before, after in zip(weights, model.trainable_weights, strict=True):
        np.testing.assert_array_equal(before, after.numpy())


def test_images_and_nested_models_have_statistics_per_channel():
    inner = keras.Sequential([layers.BatchNormalization(axis=1)])
    model, x = keras.Sequential([inner]), data(20, 3, 5, 6)
    recompute_batch_statistics(model, x, batch_size=8)
    layer = inner.layers[0]
    np.testing.assert_allclose(layer.moving_mean.numpy(), x.mean((0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), x.var((0, 2, 3)), rtol=1e-5)


def test_renorm_gets_its_deviations_too():
    layer, x = layers.BatchNormalization(renorm=True), data(50, 3)
    recompute_batch_statistics(keras.Sequential([layer]), x)
    deviation = np.sqrt(x.var(0) + layer.epsilon)
    np.testing.assert_allclose(layer.renorm_stddev.numpy(), deviation, rtol=1e-5)


def test_batches_of_a_dataset_are_used_without_their_targets():
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, k):
            return x[k * 25 : k * 25 + 25], None

    x, model = data(100, 4), network()
    recompute_batch_statistics(model, Batches())
    np.testing.assert_allclose(model.layers[0].moving_mean.numpy(), x.mean(0), rtol=1e-5)


def test_a_program_recorded_before_uses_the_new_statistics():
    model, x = network(), data(40, 4)
    before = model.predict(x, verbose=0)
    recompute_batch_statistics(model, x)
    after = model.predict(x, verbose=0)
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, model(x), rtol=1e-5, atol=1e-6)


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="BatchNormalization layers"):
        recompute_batch_statistics(keras.Sequential([layers.Dense(1)]), data(3, 2))
    with pytest.raises(ValueError, match="at least one sample"):
        recompute_batch_statistics(network(), data(0, 4))
    with pytest.raises(ValueError, match="iterator"):
        recompute_batch_statistics(network(), iter([data(3, 4)]))
