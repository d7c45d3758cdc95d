"""Contracts that every layer keeps, over one table."""

import inspect

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops
from minikeras.autodiff import Tape, check_gradients
from minikeras.core.serialize import deserialize, serialize
from minikeras.program import Replayed
from tests.layers.recurrent_cases import CELLS, RECURRENT


@keras.saving.register_keras_serializable("layers_test")
def doubled(x, plus):
    return 2.0 * x + plus


ZOO = {
    "Dense": [
        (lambda: layers.Dense(4), (5, 3)),
        (lambda: layers.Dense(6, "relu", use_bias=False, dtype="float64"), (5, 3)),
        (lambda: layers.Dense(2, "tanh", kernel_regularizer="l2"), (2, 4, 3)),
        (lambda: layers.Dense(70, "gelu"), (3, 17)),
        (lambda: layers.Dense(4, "softmax"), (5, 3)),
    ],
    "Activation": [(lambda: layers.Activation("sigmoid"), (5, 3))],
    "ActivityRegularization": [(lambda: layers.ActivityRegularization(l2=0.1), (5, 3))],
    "BatchNormalization": [
        (lambda: layers.BatchNormalization(), (6, 3)),
        (lambda: layers.BatchNormalization(axis=1, center=False), (6, 3, 5)),
        (lambda: layers.BatchNormalization(scale=False, momentum=0.5), (4, 5, 3)),
        (lambda: layers.BatchNormalization(dtype="float64"), (3, 4, 5, 2)),
    ],
    "Conv1D": [
        (lambda: layers.Conv1D(4, 3, padding="causal", dilation_rate=2), (2, 7, 3)),
        (lambda: layers.Conv1D(6, 2, 2, "same", groups=3, activation="gelu"), (2, 7, 3)),
    ],
    "Conv2D": [
        (lambda: layers.Conv2D(4, 3, activation="relu"), (2, 5, 6, 3)),
        (lambda: layers.Conv2D(3, (2, 3), 2, "same", "channels_first"), (2, 2, 5, 6)),
        (lambda: layers.Conv2D(5, 1, use_bias=False, kernel_regularizer="l2"), (2, 3, 3, 4)),
    ],
    "Conv1DTranspose": [(lambda: layers.Conv1DTranspose(3, 2, 3, activation="elu"), (2, 4, 2))],
    "Conv2DTranspose": [
        (lambda: layers.Conv2DTranspose(3, 3, 2, "same", activation="tanh"), (2, 3, 4, 2)),
        (
            lambda: layers.Conv2DTranspose(2, (2, 3), 2, output_padding=1, use_bias=False),
            (2, 3, 3, 2),
        ),
        (lambda: layers.Conv2DTranspose(2, 3, data_format="channels_first"), (2, 3, 4, 2)),
    ],
    "Conv3DTranspose": [(lambda: layers.Conv3DTranspose(2, 2, (1, 2, 2)), (1, 2, 2, 3, 2))],
    "DepthwiseConv1D": [
        (lambda: layers.DepthwiseConv1D(3, 2, "same", 2, activation="relu"), (2, 7, 3)),
    ],
    "DepthwiseConv2D": [
        (lambda: layers.DepthwiseConv2D((3, 2), dilation_rate=2), (2, 6, 5, 3)),
        (lambda: layers.DepthwiseConv2D(2, data_format="channels_first"), (2, 3, 5, 4)),
    ],
    "SeparableConv1D": [(lambda: layers.SeparableConv1D(4, 3, use_bias=False), (2, 7, 3))],
    "SeparableConv2D": [
        (lambda: layers.SeparableConv2D(4, 3, 2, "same", depth_multiplier=2), (2, 5, 6, 3)),
    ],
    "ZeroPadding1D": [(lambda: layers.ZeroPadding1D((1, 2)), (2, 4, 3))],
    "ZeroPadding2D": [
        (lambda: layers.ZeroPadding2D(((1, 0), (2, 1)), "channels_first"), (2, 3, 4, 2))
    ],
    "ZeroPadding3D": [(lambda: layers.ZeroPadding3D((0, 1, 2)), (1, 2, 3, 2, 2))],
    "Cropping1D": [(lambda: layers.Cropping1D((1, 2)), (2, 5, 3))],
    "Cropping2D": [(lambda: layers.Cropping2D(((1, 0), (2, 1)), "channels_first"), (2, 3, 4, 5))],
    "Cropping3D": [(lambda: layers.Cropping3D((0, 1, 1)), (1, 2, 3, 4, 2))],
    "UpSampling1D": [(lambda: layers.UpSampling1D(3), (2, 4, 3))],
    "UpSampling2D": [
        (lambda: layers.UpSampling2D((2, 3), "channels_first"), (2, 3, 4, 2)),
        (lambda: layers.UpSampling2D(2, interpolation="bicubic"), (2, 3, 4, 2)),
    ],
    "UpSampling3D": [(lambda: layers.UpSampling3D((1, 2, 2)), (1, 2, 3, 2, 2))],
    "SpatialDropout1D": [(lambda: layers.SpatialDropout1D(0.4, seed=1), (3, 4, 6))],
    "SpatialDropout2D": [
        (lambda: layers.SpatialDropout2D(0.4, "channels_first", seed=1), (3, 6, 2, 3))
    ],
    "SpatialDropout3D": [(lambda: layers.SpatialDropout3D(0.4, seed=1), (2, 2, 3, 2, 6))],
    "Conv3D": [(lambda: layers.Conv3D(2, (1, 2, 2), activation="tanh"), (2, 2, 3, 4, 2))],
    "MaxPooling1D": [(lambda: layers.MaxPooling1D(3, 2, "same"), (2, 7, 3))],
    "MaxPooling2D": [
        (lambda: layers.MaxPooling2D(), (2, 5, 6, 3)),
        (lambda: layers.MaxPooling2D((2, 1), data_format="channels_first"), (2, 3, 4, 5)),
    ],
    "MaxPooling3D": [(lambda: layers.MaxPooling3D(2, 1), (2, 3, 3, 2, 2))],
    "AdaptiveAveragePooling1D": [(lambda: layers.AdaptiveAveragePooling1D(3), (2, 7, 3))],
    "AdaptiveAveragePooling2D": [
        (lambda: layers.AdaptiveAveragePooling2D((2, 4)), (2, 4, 3, 3)),
        (lambda: layers.AdaptiveAveragePooling2D(2, "channels_first"), (2, 3, 5, 4)),
        (lambda: layers.AdaptiveAveragePooling2D(2), (2, 4, 6, 3)),
    ],
    "AdaptiveAveragePooling3D": [
        (lambda: layers.AdaptiveAveragePooling3D((2, 1, 3)), (1, 3, 2, 4, 2)),
    ],
    "AdaptiveMaxPooling1D": [(lambda: layers.AdaptiveMaxPooling1D(5), (2, 7, 3))],
    "AdaptiveMaxPooling2D": [
        (lambda: layers.AdaptiveMaxPooling2D((2, 4)), (2, 5, 3, 3)),
        (lambda: layers.AdaptiveMaxPooling2D(2), (2, 4, 6, 3)),
    ],
    "AdaptiveMaxPooling3D": [
        (lambda: layers.AdaptiveMaxPooling3D((2, 1, 3), "channels_first"), (1, 2, 3, 2, 4)),
    ],
    "AveragePooling1D": [
        (lambda: layers.AveragePooling1D(2, data_format="channels_first"), (2, 3, 6))
    ],
    "AveragePooling2D": [(lambda: layers.AveragePooling2D(3, 2, "same"), (2, 5, 6, 3))],
    "AveragePooling3D": [(lambda: layers.AveragePooling3D(2, 1), (2, 3, 3, 2, 2))],
    "GlobalMaxPooling1D": [(lambda: layers.GlobalMaxPooling1D(), (2, 7, 3))],
    "GlobalMaxPooling2D": [(lambda: layers.GlobalMaxPooling2D("channels_first"), (2, 3, 4, 5))],
    "GlobalMaxPooling3D": [(lambda: layers.GlobalMaxPooling3D(keepdims=True), (2, 2, 3, 2, 3))],
    "GlobalAveragePooling1D": [(lambda: layers.GlobalAveragePooling1D(keepdims=True), (2, 7, 3))],
    "GlobalAveragePooling2D": [(lambda: layers.GlobalAveragePooling2D(), (2, 4, 5, 3))],
    "GlobalAveragePooling3D": [
        (lambda: layers.GlobalAveragePooling3D("channels_first"), (2, 2, 3, 2, 3))
    ],
    "Dropout": [
        (lambda: layers.Dropout(0.5, seed=1), (6, 30)),
        (lambda: layers.Dropout(0.3, noise_shape=(None, 1, 4), seed=1), (6, 5, 4)),
    ],
    "AlphaDropout": [
        (lambda: layers.AlphaDropout(0.4, seed=1), (6, 30)),
        (lambda: layers.AlphaDropout(0.4, (None, 1, 4), seed=1, dtype="float64"), (6, 5, 4)),
    ],
    "GaussianDropout": [(lambda: layers.GaussianDropout(0.3, seed=1), (6, 30))],
    "GaussianNoise": [(lambda: layers.GaussianNoise(0.3, seed=1, dtype="float64"), (6, 30))],
    "GroupNormalization": [
        (lambda: layers.GroupNormalization(2), (3, 4, 6)),
        (lambda: layers.GroupNormalization(-1, axis=1, center=False), (3, 4, 6)),
        (lambda: layers.GroupNormalization(1, scale=False, dtype="float64"), (3, 2, 3, 4)),
        (lambda: layers.GroupNormalization(3, epsilon=0.1), (3, 6)),
    ],
    "LayerNormalization": [
        (lambda: layers.LayerNormalization(), (5, 7)),
        (lambda: layers.LayerNormalization(axis=[1, 2], dtype="float64"), (4, 3, 5)),
        (lambda: layers.LayerNormalization(axis=1, center=False, epsilon=0.1), (4, 3, 5)),
        (lambda: layers.LayerNormalization(axis=(1, 3), scale=False), (3, 4, 2, 5)),
    ],
    "LocalResponseNormalization": [
        (lambda: layers.LocalResponseNormalization(alpha=0.5), (2, 3, 4, 7)),
        (lambda: layers.LocalResponseNormalization(3, 1.0, 2.0, 0.5, axis=1), (2, 6, 3)),
    ],
    "RMSNormalization": [
        (lambda: layers.RMSNormalization(), (5, 7)),
        (lambda: layers.RMSNormalization(axis=[1, 2], epsilon=0.1, dtype="float64"), (4, 3, 5)),
        (lambda: layers.RMSNormalization(axis=1), (4, 3, 5)),
    ],
    "CenterCrop": [
        (lambda: layers.CenterCrop(2, 3), (2, 5, 4, 2)),
        (lambda: layers.CenterCrop(4, 3, "channels_first", dtype="float64"), (2, 2, 3, 5)),
    ],
    "Normalization": [
        (lambda: layers.Normalization(), (5, 3)),
        (lambda: layers.Normalization(mean=[1.0, 2.0], variance=[2.0, 3.0]), (5, 3, 2)),
        (lambda: layers.Normalization(None, 1.0, 4.0, invert=True, dtype="float64"), (5, 3)),
    ],
    "RandomBrightness": [(lambda: layers.RandomBrightness(0.1, (-9, 9), seed=1), (3, 4, 5, 2))],
    "RandomContrast": [(lambda: layers.RandomContrast((0.2, 0.4), (-9, 9), seed=1), (3, 4, 5, 2))],
    "AutoContrast": [(lambda: layers.AutoContrast((-9, 9)), (2, 4, 5, 2))],
    "AugMix": [(lambda: layers.AugMix((-9, 9), 2, 1, seed=1), (2, 4, 5, 3))],
    "CutMix": [(lambda: layers.CutMix(seed=1), (4, 4, 5, 2))],
    "Equalization": [(lambda: layers.Equalization((-3, 3), 16), (2, 4, 5, 2))],
    "MixUp": [(lambda: layers.MixUp(seed=1), (4, 4, 5, 2))],
    "Pipeline": [
        (
            lambda: layers.Pipeline(
                [layers.RandomFlip(seed=1, dtype="float64"), layers.Rescaling(2, dtype="float64")],
                dtype="float64",
            ),
            (3, 4, 5, 2),
        )
    ],
    "RandAugment": [(lambda: layers.RandAugment((-9, 9), 1, seed=1), (2, 4, 5, 3))],
    "RandomColorDegeneration": [
        (lambda: layers.RandomColorDegeneration(0.5, (-9, 9), seed=1), (3, 4, 5, 3))
    ],
    "RandomColorJitter": [
        (lambda: layers.RandomColorJitter((-9, 9), 0.1, 0.2, seed=1), (3, 4, 5, 3))
    ],
    "RandomCrop": [
        (lambda: layers.RandomCrop(2, 3, seed=1), (3, 4, 5, 2)),
        (lambda: layers.RandomCrop(6, 3, 1, "channels_first"), (3, 2, 4, 5)),
    ],
    "RandomErasing": [
        (lambda: layers.RandomErasing(fill_value=[1.0, 2.0, 3.0], seed=1), (3, 6, 5, 3)),
        (lambda: layers.RandomErasing(seed=1, data_format="channels_first"), (3, 2, 6, 5)),
    ],
    "RandomGaussianBlur": [
        (lambda: layers.RandomGaussianBlur(value_range=(-9, 9), seed=1), (3, 4, 5, 2))
    ],
    "RandomGrayscale": [(lambda: layers.RandomGrayscale(seed=1), (3, 4, 5, 3))],
    "RandomHue": [(lambda: layers.RandomHue(0.3, (-9, 9), seed=1), (3, 4, 5, 3))],
    "RandomInvert": [(lambda: layers.RandomInvert(seed=1), (3, 4, 5, 2))],
    "RandomPosterization": [(lambda: layers.RandomPosterization(4, (-9, 9), seed=1), (3, 4, 5, 2))],
    "RandomSaturation": [(lambda: layers.RandomSaturation((0.2, 0.8), seed=1), (3, 4, 5, 3))],
    "RandomSharpness": [
        (lambda: layers.RandomSharpness(0.8, (-9, 9), seed=1), (3, 4, 5, 2)),
        (lambda: layers.RandomSharpness(0.8, (-9, 9), "channels_first", 1), (3, 2, 4, 5)),
    ],
    "RandomShear": [
        (lambda: layers.RandomShear(0.5, (0.1, 0.3), seed=1), (3, 4, 5, 2)),
        (lambda: layers.RandomShear(0.2, 0.1, "nearest", "wrap", seed=1), (3, 4, 5, 2)),
    ],
    "Solarization": [(lambda: layers.Solarization(0.1, 0.2, (-9, 9), 1), (3, 4, 5, 2))],
    "RandomFlip": [
        (lambda: layers.RandomFlip(seed=1), (5, 3, 4, 2)),
        (lambda: layers.RandomFlip("vertical", 1, "channels_first"), (5, 2, 3, 4)),
    ],
    "RandomRotation": [
        (lambda: layers.RandomRotation(0.2, seed=1), (3, 4, 5, 2)),
        (lambda: layers.RandomRotation(0.2, "wrap", "nearest", 1, dtype="float64"), (3, 4, 5, 2)),
    ],
    "RandomTranslation": [
        (lambda: layers.RandomTranslation(0.4, 0.3, "nearest", seed=1), (3, 4, 5, 2)),
    ],
    "RandomZoom": [
        (lambda: layers.RandomZoom(0.4, (-0.2, 0.5), "constant", seed=1), (3, 4, 5, 2)),
        (lambda: layers.RandomZoom(0.4, seed=1, data_format="channels_first"), (3, 2, 4, 5)),
    ],
    "Rescaling": [(lambda: layers.Rescaling([0.5, 2.0], 1.0), (5, 2))],
    "Resizing": [
        (lambda: layers.Resizing(3, 7), (2, 5, 4, 2)),
        (lambda: layers.Resizing(3, 7, "nearest", data_format="channels_first"), (2, 2, 5, 4)),
        (lambda: layers.Resizing(3, 2, "bicubic", True, antialias=True), (2, 5, 4, 2)),
        (lambda: layers.Resizing(3, 7, "lanczos3", pad_to_aspect_ratio=True), (2, 5, 4, 2)),
    ],
    "SpectralNormalization": [
        (
            lambda: layers.SpectralNormalization(
                layers.Dense(4, dtype="float64"), 100, dtype="float64"
            ),
            (5, 3),
        )
    ],
    "UnitNormalization": [
        (lambda: layers.UnitNormalization(), (5, 3)),
        (lambda: layers.UnitNormalization(axis=[1, 2], dtype="float64"), (4, 3, 2)),
    ],
    "EinsumDense": [
        (lambda: layers.EinsumDense("ab,bc->ac", 5, "relu", bias_axes="c"), (4, 3)),
        (lambda: layers.EinsumDense("...x,xy->...y", 5, bias_axes="y"), (2, 3, 4)),
        (lambda: layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="d"), (2, 3, 4)),
        (lambda: layers.EinsumDense("ab...,bc->ac...", 5), (2, 3, 4)),
    ],
    "ELU": [(lambda: layers.ELU(0.7), (5, 3))],
    "Flatten": [
        (lambda: layers.Flatten(), (5, 3, 2)),
        (lambda: layers.Flatten("channels_first"), (2, 3, 4, 5)),
    ],
    "Identity": [(lambda: layers.Identity(), (5, 3))],
    "Lambda": [(lambda: layers.Lambda(doubled, arguments={"plus": 1.0}), (5, 3))],
    "LeakyReLU": [(lambda: layers.LeakyReLU(0.2), (5, 3))],
    "Masking": [(lambda: layers.Masking(0.0), (5, 3, 2))],
    "Permute": [(lambda: layers.Permute((2, 1)), (5, 3, 2))],
    "Maxout": [(lambda: layers.Maxout(3, pieces=2), (5, 4))],
    "PReLU": [(lambda: layers.PReLU("ones", shared_axes=[1]), (5, 3, 2))],
    "ReLU": [(lambda: layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2), (5, 3))],
    "RBF": [(lambda: layers.RBF(3, width=2.0), (5, 4))],
    "RepeatVector": [(lambda: layers.RepeatVector(3), (5, 2))],
    "Reshape": [
        (lambda: layers.Reshape((2, -1)), (5, 6)),
        (lambda: layers.Reshape((6,)), (5, 3, 2)),
    ],
    "Softmax": [(lambda: layers.Softmax(), (5, 3)), (lambda: layers.Softmax(axis=1), (5, 3, 2))],
    "Wrapper": [
        (
            lambda: layers.Wrapper(layers.Activation("tanh", dtype="float64"), dtype="float64"),
            (5, 3),
        )
    ],
}
ZOO |= RECURRENT
CASES = [
    pytest.param(make, shape, id=f"{n}{i}")
    for n, cs in ZOO.items()
    for i, (make, shape) in enumerate(cs)
]
# not functions of an input (InputLayer), or not layers by themselves
EXEMPT = {"Layer", "InputLayer"}
# functions of whole numbers, which have tests of their own
INDEXED = {"Embedding", "ReversibleEmbedding"}
# functions of text and of values, in test_categories.py
OF_VALUES = {
    *("CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup"),
    *("StringLookup", "TextVectorization"),
}
# functions of queries, keys and values, which have a table of their own
ATTENTION = {
    *("AdditiveAttention", "Attention", "GroupedQueryAttention", "MultiHeadAttention"),
}
# functions of several inputs, which have a table of their own
MERGING = {
    *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"),
}


def data(shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_every_layer_has_a_case():
    exported = {
        n
        for n in layers.__all__
        if inspect.isclass(c := getattr(layers, n)) and issubclass(c, layers.Layer)
        if c.__name__ == n  # no second name
    }
    elsewhere = EXEMPT | MERGING | INDEXED | CELLS | OF_VALUES | ATTENTION
    assert exported - elsewhere == set(ZOO)


@pytest.mark.parametrize(("make", "shape"), CASES)
@pytest.mark.parametrize("training", [False, True])
def test_real_shape_and_dtype_are_those_that_symbols_promise(make, shape, training):
    layer = make()
    symbol = layer(keras.Input(shape[1:], dtype=layer.dtype))
    output = layer(data(shape, layer.dtype), training=training)
    assert output.shape == (shape[0], *symbol.shape[1:])
    assert symbol.shape[0] is None
    assert output.dtype == layer.dtype == symbol.dtype
    assert tuple(layer.compute_output_shape((None, *shape[1:]))) == symbol.shape


@pytest.mark.parametrize(("make", "shape"), CASES)
def test_a_config_makes_a_layer_that_computes_the_same(make, shape):
    layer = make()
    x = data(shape, layer.dtype)
    layer(x)
    twin = deserialize(serialize(layer))
    twin.build((None, *shape[1:])) if not twin.built else None
    twin(x)
    twin.set_weights(layer.get_weights())
    assert twin.get_config() == layer.get_config()
    np.testing.assert_array_equal(layer(x), twin(x))


@pytest.mark.parametrize(("make", "shape"), CASES)
@pytest.mark.parametrize("training", [False, True])
def test_gradients_of_inputs_and_weights_match_finite_differences(make, shape, training):
    layer = make()
    layer.dtype_policy = keras.DTypePolicy("float64")
    x = data(shape, "float64") + 0.05
    layer(x)
    states = [v for v in layer.non_trainable_variables]
    values = [np.random.default_rng(3).standard_normal(v.shape) for v in layer.trainable_variables]
    others = [v.numpy() for v in states]

    def function(x, *values):
        return layer.stateless_call(values, others, x, training=training)[0]

    check_gradients(function, x, *values, tolerance=1e-4)


@pytest.mark.parametrize(("make", "shape"), CASES)
@pytest.mark.parametrize("training", [False, True])
def test_replayed_and_eager_agree_to_the_bit(make, shape, training):
    keras.utils.set_random_seed(1)
    eager = make()
    keras.utils.set_random_seed(1)
    recorded = make()
    x = data(shape, eager.dtype)
    eager(x), recorded(x)

    def step(layer, x):
        with Tape() as tape:
            for v in layer.trainable_variables:
                tape.watch(v)
            x = tape.watch(x)
            y = layer(x, training=training)
            loss = ops.sum(ops.square(y))
        grads = tape.gradient(loss, [x, *layer.trainable_variables])
        return [y, *[g for g in grads if g is not None]]

    replayed = Replayed(lambda x: step(recorded, x))
    for seed in range(3):
        x = data(shape, eager.dtype, seed)
        want = [np.asarray(getattr(v, "value", v)) for v in step(eager, x)]
        for a, b in zip(want, replayed(x), strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(eager.variables, recorded.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_batch_normalization_uses_batch_statistics_in_training_and_moving_ones_after():
    layer = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
    x = data((50, 4)) * 3 + 2
    y = layer(x, training=True)
    np.testing.assert_allclose(y, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), atol=2e-5)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * x.var(0), rtol=1e-5)
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    np.testing.assert_allclose(layer(x), (x - mean) / np.sqrt(variance + 1e-3), atol=2e-5)


def test_a_frozen_batch_normalization_stays_in_inference():
    layer = layers.BatchNormalization()
    x = data((20, 4)) + 1
    layer(x)
    layer.trainable = False
    np.testing.assert_array_equal(layer(x, training=True), layer(x, training=False))
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 4


def test_dropout_is_the_identity_at_inference_and_keeps_the_expectation_in_training():
    layer = layers.Dropout(0.4, seed=3)
    x = np.ones((200, 500), "float32")
    np.testing.assert_array_equal(layer(x), x)
    first, second = layer(x, training=True), layer(x, training=True)
    assert set(np.unique(first)) == {np.float32(0), np.float32(1 / 0.6)}
    assert abs(first.mean() - 1) < 0.01
    assert (first != second).mean() > 0.3


def test_dropout_takes_its_older_argument_and_refuses_both():
    assert layers.Dropout(p=0.25).rate == 0.25
    with pytest.raises(TypeError, match="not both"):
        layers.Dropout(0.5, p=0.25)
    with pytest.raises(ValueError, match="rate"):
        layers.Dropout(1.5)


def test_unknown_arguments_are_errors_with_a_suggestion():
    with pytest.raises(TypeError, match="Did you mean 'activation'"):
        layers.Dense(3, activaton="relu")
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        layers.Dense(3, activation="rellu")
    with pytest.raises(ValueError, match="units"):
        layers.Dense(0)


def test_inputs_of_another_shape_are_refused_with_both_shapes():
    layer = layers.Dense(2)
    layer(data((4, 3)))
    with pytest.raises(ValueError, match=r"expected 3 along axis -1.*Received: shape \(4, 5\)"):
        layer(data((4, 5)))
    with pytest.raises(ValueError, match="at least 2 dimensions"):
        layer(data((3,)))


def test_set_weights_checks_all_shapes_before_it_changes_any():
    layer = layers.Dense(2)
    layer(data((4, 3)))
    before = layer.get_weights()
    with pytest.raises(ValueError, match="No weight was changed"):
        layer.set_weights([np.ones((3, 2)), np.ones(5)])
    with pytest.raises(ValueError, match="2 weights. Received: 1"):
        layer.set_weights([np.ones((3, 2))])
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Scaled(layers.Layer):
    """A layer as users write them."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.inner = layers.Dense(3)

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")

    def call(self, x, training=None):
        self.add_loss(ops.sum(self.gain) * 0.5)
        return self.inner(x * self.gain) * (self.factor if training else 1.0)


def test_a_users_layer_has_its_weights_losses_and_config_found():
    layer = Scaled(3.0)
    x = data((4, 2))
    np.testing.assert_allclose(layer(x, training=True), 3 * layer(x), rtol=1e-6)
    assert [w.name for w in layer.weights] == ["gain", "kernel", "bias"]
    assert [float(v) for v in layer.losses] == [1.0]
    assert layer.get_config()["factor"] == 3.0
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 3


def test_weights_are_in_the_order_in_which_they_were_made():
    class Three(layers.Layer):
        def __init__(self):
            super().__init__()
            self.late = None
            self.first = keras.Variable(np.zeros(1), name="first")

        def build(self, input_shape):
            self.middle = self.add_weight((1,), name="middle")
            self.late = self.add_weight((1,), name="late")

        def call(self, x):
            return x * self.middle + self.late

    layer = Three()
    layer(data((2, 1)))
    assert [w.name for w in layer.weights] == ["first", "middle", "late"]


LOOKING_AT_SHAPES = {
    "noise": (lambda x: x + keras.random.normal(ops.shape(x), seed=1), (None, 6)),
    "rows of ones": (
        lambda x: ops.concatenate([x, ops.ones((ops.shape(x)[0], 1))], axis=1),
        (None, 7),
    ),
    "pairs": (lambda x: ops.reshape(x, (ops.shape(x)[0], -1, 2)), (None, 3, 2)),
    "flat": (lambda x: ops.reshape(x, (x.shape[0] * 3, 2)), (None, 2)),
    "mean over the batch": (lambda x: ops.sum(x, axis=0) / x.shape[0], (6,)),
}


@pytest.mark.parametrize("name", sorted(LOOKING_AT_SHAPES))
def test_a_call_may_look_at_the_shape_of_symbols_as_if_it_were_known(name):
    function, shape = LOOKING_AT_SHAPES[name]

    class Custom(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            return function(x)

    layer = Custom(activity_regularizer="l2")
    model = keras.Sequential([keras.Input((6,)), layer])
    assert model.output_shape == shape
    assert layer.losses == []
    assert layer.compute_output_shape((None, 6)) == shape
    for rows in (2, 4):
        assert model(data((rows, 6))).shape[1:] == shape[1:]


def test_stateless_call_leaves_the_layer_as_it_was():
    layer = layers.BatchNormalization()
    x = data((8, 3))
    layer(x)
    before = layer.get_weights()
    values = [v.numpy() + 1 for v in layer.trainable_variables]
    others = [v.numpy() for v in layer.non_trainable_variables]
    y, after = layer.stateless_call(values, others, x, training=True)
    assert not np.array_equal(after[0], others[0])
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(y, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3) * 2 + 1, atol=1e-4)


def test_a_layer_built_by_hand_is_built():
    layer = layers.Dense(2)
    layer.build((None, 3))
    assert layer.built
    assert layer.count_params() == 8

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(2)

        def build(self, input_shape):
            self.inner.build(input_shape)

        def call(self, x):
            return self.inner(x)

    outer = Outer()
    outer.build((None, 3))
    before = outer.get_weights()
    outer(data((4, 3)))
    assert len(outer.weights) == 2
    np.testing.assert_array_equal(outer.get_weights()[0], before[0])


def test_inputs_may_be_given_by_name():
    layer = layers.Dense(2)
    x = data((4, 3))
    np.testing.assert_array_equal(layer(inputs=x), layer(x))


def test_a_forgotten_super_init_is_named():
    class Forgetful(layers.Layer):
        def __init__(self):
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    with pytest.raises(AttributeError, match=r"super\(\).__init__"):
        Forgetful()(data((4, 3)))


def test_a_masked_softmax_leaves_masked_positions_out():
    x = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], "float32")
    mask = np.array([[True, False, True], [False, False, False]])
    y = layers.Softmax()(x, mask=mask)
    share = 1 / (1 + np.exp(2.0))
    np.testing.assert_allclose(y, [[share, 0, 1 - share], [0, 0, 0]], rtol=1e-6)


def test_errors_in_a_call_name_the_layer_once():
    class Broken(layers.Layer):
        def call(self, x):
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError) as caught:
        keras.Sequential([layers.Dense(2), Broken(name="culprit")])(data((2, 3)))
    notes = caught.value.__notes__
    assert len(notes) == 1
    assert "culprit" in notes[0]


def test_a_layer_is_not_built_twice():
    layer = layers.Dense(2)
    layer.build((None, 3))
    with pytest.raises(ValueError, match="built already.*layer.built"):
        layer.build((None, 3))
    assert len(layer.weights) == 2


def test_the_record_of_a_layer_makes_the_same_layer():
    layer = layers.Dense(3, activation="relu", name="d")
    record = layers.serialize(layer)
    assert (record["module"], record["class_name"]) == ("keras.layers", "Dense")
    assert layers.deserialize(record).get_config() == layer.get_config()

    class Mine(layers.Dense):
        pass

    record = {"class_name": "Mine", "config": {"units": 2}}
    assert type(layers.deserialize(record, {"Mine": Mine})) is Mine


@pytest.mark.parametrize("record", [3, {}, {"class_name": "Zeros", "module": "keras.initializers"}])
def test_the_record_of_something_else_is_refused(record):
    with pytest.raises((ValueError, TypeError)):
        layers.deserialize(record)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(),
        layers.Dropout(0.5, seed=1),
        layers.SpatialDropout2D(0.5, seed=1),
        layers.GaussianNoise(0.5, seed=1),
        layers.GaussianDropout(0.5, seed=1),
        layers.AlphaDropout(0.5, seed=1),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_that_train_on_floats_take_whole_numbers(layer, dtype):
    images = np.arange(96).reshape(2, 4, 4, 3).astype(dtype)
    for training in (False, True):
        found = type(layer).from_config(layer.get_config())(images, training=training)
        again = type(layer).from_config(layer.get_config())
        np.testing.assert_allclose(again(images.astype("float32"), training=training), found)


def test_records_hold_the_names_and_arguments_that_keras_has_for_them():
    assert "data_format" not in layers.Cropping1D(1).get_config()
    record = serialize(layers.GroupedQueryAttention(2, 4, 2))
    assert record["class_name"] == "GroupQueryAttention"
    assert isinstance(deserialize(record), layers.GroupedQueryAttention)
    older = {**record, "class_name": "GroupedQueryAttention"}
    assert isinstance(deserialize(older), layers.GroupedQueryAttention)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda **given: layers.LSTM(3, **given), "cell"),
        (lambda **given: layers.ConvLSTM1D(3, 2, **given), "cell"),
        (layers.AdditiveAttention, "score_mode"),
    ],
)
def test_what_a_layer_decides_for_the_classes_above_it_is_no_argument(make, name):
    with pytest.raises(TypeError, match=f"has no argument {name!r}") as told:
        make(**{name: 1})
    assert f" {name}," not in str(told.value)


def test_a_subclass_of_users_may_name_its_arguments_as_it_likes():
    class Named(layers.LSTM):
        def __init__(self, cell):
            super().__init__(cell)

    assert Named(cell=3).units == 3


def test_what_has_only_two_values_can_be_rectified_and_normalised():
    x = np.array([[[True, False, True]]])
    np.testing.assert_array_equal(layers.PReLU("ones")(x), x.astype("float32"))
    normalised = layers.LocalResponseNormalization(3)(x)
    np.testing.assert_array_equal(
        normalised, layers.LocalResponseNormalization(3)(x.astype("float32"))
    )


def penalised(kind):
    """A model with a penalty on what its first layer gives."""
    inputs = keras.Input((5,))
    layer = layers.Dense(2, activity_regularizer="l2", kernel_initializer="ones")
    if kind == "functional":
        return keras.Model(inputs, layer(inputs))
    return keras.Sequential([inputs, layer])


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_penalties_of_a_call_are_numbers(kind):
    model = penalised(kind)
    model(np.ones((4, 5), "float32"))
    assert [float(loss) for loss in model.losses] == [pytest.approx(0.01 * 2 * 25)]
    model(2 * np.ones((4, 5), "float32"))
    assert [float(loss) for loss in model.losses] == [pytest.approx(0.01 * 2 * 100)]
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 5)), np.ones((4, 2)), verbose=0)
    assert model.losses == []  # those of a recorded step are part of its loss
