"""Convolutions and pooling of odd shapes: outputs and gradients of Keras, either order of axes."""

from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras import kernels, layers
from minikeras.autodiff import Tape
from minikeras.layers.images import TrainingImageLayer
from tests.layers.convolution_cases import CASES, numbers, prepared, told

RECORDED = np.load(Path(__file__).with_name("recorded_convolution.npz"))
by_case = pytest.mark.parametrize("name", CASES)


def computed(layer, x, weighting):
    """Output, and the gradients of its weighted sum for input and weights."""
    with Tape() as tape:
        sources = [tape.watch(a) for a in (x, *layer.trainable_variables)]
        y = layer(sources[0])
    found = tape.gradient(y, sources, seed=np.ascontiguousarray(weighting))
    return [np.asarray(a) for a in (y, *found)]


@by_case
def test_outputs_and_gradients_are_those_of_keras(name):
    case = CASES[name]
    layer, x = prepared(getattr(layers, case.kind)(**case.arguments), case)
    shape = tuple(RECORDED[f"{name} shape"].tolist())
    assert layer.compute_output_shape(case.shape) == shape
    arrays = computed(layer, x, numbers(*shape))
    assert arrays[0].shape == shape
    for array, expected in zip(arrays, RECORDED[name], strict=True):
        size = max(1.0, np.abs(array).sum(dtype="float64"))
        np.testing.assert_allclose(told(array), expected, 1e-5, 1e-6 * size)


@by_case
def test_channels_may_come_first(name):
    case = CASES[name]
    last, x = prepared(getattr(layers, case.kind)(**case.arguments), case)
    first = getattr(layers, case.kind)(**case.arguments, data_format="channels_first")
    turned = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    first.build(turned.shape)
    first.set_weights(last.get_weights())
    weighting = numbers(*last.compute_output_shape(case.shape))
    y, dx, *rest = computed(last, x, weighting)
    turned_y, turned_dx, *turned_rest = computed(first, turned, np.moveaxis(weighting, -1, 1))
    assert first.compute_output_shape(turned.shape) == turned_y.shape
    np.testing.assert_allclose(np.moveaxis(turned_y, 1, -1), y, 1e-5, 1e-5)
    np.testing.assert_allclose(np.moveaxis(turned_dx, 1, -1), dx, 1e-5, 1e-5)
    for one, other in zip(turned_rest, rest, strict=True):
        np.testing.assert_allclose(one, other, 1e-5, 1e-4)


# every other layer that takes `data_format`, with an input whose channels are last
OTHERS = {
    "ZeroPadding2D": ({"padding": ((1, 0), (2, 1))}, (2, 3, 4, 5)),
    "ZeroPadding1D": ({"padding": (1, 2)}, (2, 3, 5)),
    "ZeroPadding3D": ({"padding": (0, 1, 2)}, (1, 3, 2, 4, 5)),
    "Cropping2D": ({"cropping": ((1, 0), (2, 1))}, (2, 3, 4, 5)),
    "Cropping3D": ({"cropping": (0, 1, 1)}, (1, 2, 3, 4, 5)),
    "UpSampling2D": ({"size": (2, 3), "interpolation": "bilinear"}, (2, 3, 4, 5)),
    "UpSampling3D": ({"size": (1, 2, 2)}, (1, 2, 3, 2, 4)),
    "GlobalMaxPooling1D": ({"keepdims": True}, (2, 5, 3)),
    "GlobalMaxPooling2D": ({"keepdims": True}, (2, 5, 4, 3)),
    "GlobalMaxPooling3D": ({"keepdims": True}, (2, 5, 4, 2, 3)),
    "GlobalAveragePooling1D": ({"keepdims": True}, (2, 5, 3)),
    "GlobalAveragePooling2D": ({"keepdims": True}, (2, 5, 4, 3)),
    "GlobalAveragePooling3D": ({"keepdims": True}, (2, 5, 4, 2, 3)),
    "MaxPooling1D": ({"pool_size": 2}, (2, 5, 3)),
    "AveragePooling3D": ({"pool_size": 2}, (2, 5, 4, 2, 3)),
    "AdaptiveAveragePooling3D": ({"output_size": (2, 3, 1)}, (2, 5, 4, 2, 3)),
    "AdaptiveMaxPooling1D": ({"output_size": 3}, (2, 7, 3)),
    "CenterCrop": ({"height": 2, "width": 3}, (2, 5, 4, 3)),
    "Resizing": ({"height": 7, "width": 3}, (2, 5, 4, 3)),
    "AutoContrast": ({"value_range": (-1.0, 1.0)}, (2, 5, 4, 3)),
}


def test_every_layer_with_an_order_of_axes_is_compared():
    """Those for training only are told apart: their draws are compared elsewhere."""
    takes = {
        name
        for name in layers.__all__
        if isinstance(kind := getattr(layers, name), type) and kind.__name__ == name
        if "data_format" in getattr(kind.__init__, "__code__", np).co_varnames
    }
    drawn = {name for name in takes if name.startswith(("SpatialDropout", "ConvLSTM"))}
    drawn |= {n for n in takes if issubclass(getattr(layers, n), TrainingImageLayer)}
    compared = {case.kind for case in CASES.values()} | set(OTHERS)
    assert takes - drawn - {"Flatten"} <= compared


@pytest.mark.parametrize("name", OTHERS)
def test_other_layers_take_channels_first_too(name):
    arguments, shape = OTHERS[name]
    x = numbers(*shape)
    last = np.asarray(getattr(layers, name)(**arguments)(x))
    first = getattr(layers, name)(**arguments, data_format="channels_first")
    found = np.asarray(first(np.ascontiguousarray(np.moveaxis(x, -1, 1))))
    np.testing.assert_allclose(np.moveaxis(found, 1, -1), last, 1e-5, 1e-6)


@pytest.mark.parametrize(
    "name",
    ["RandomFlip", "RandomTranslation", "RandomZoom", "RandomRotation", "Solarization", "MixUp"],
)
def test_augmentation_draws_the_same_for_either_order(name):
    arguments = {"RandomFlip": {}, "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.2}}
    given = arguments.get(name, {"factor": 0.3} if name == "RandomRotation" else {})
    given = {"height_factor": 0.3} if name == "RandomZoom" else given
    x = numbers(3, 6, 5, 2)
    last = getattr(layers, name)(**given, seed=4)(x, training=True)
    first = getattr(layers, name)(**given, seed=4, data_format="channels_first")
    found = np.asarray(first(np.ascontiguousarray(np.moveaxis(x, -1, 1)), training=True))
    np.testing.assert_allclose(np.moveaxis(found, 1, -1), np.asarray(last), 1e-5, 1e-6)


def test_a_network_of_all_kinds_trains_to_the_same_bits_with_any_number_of_threads():
    before = kernels.num_threads()
    x, y = numbers(24, 16, 15, 3), np.arange(24) % 4

    def trained(threads):
        keras.utils.set_random_seed(1)
        kernels.set_num_threads(threads)
        model = keras.Sequential(
            [
                keras.Input((16, 15, 3)),
                layers.RandomFlip(),
                layers.RandomRotation(0.1),
                layers.RandomTranslation(0.1, 0.2),
                layers.RandomZoom(0.2),
                layers.RandomContrast(0.3),
                layers.RandomBrightness(0.1, (-1, 1)),
                layers.Conv2D(17, 3, padding="same", use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.MaxPooling2D(3, 2, "same"),
                layers.SpatialDropout2D(0.2),
                layers.DepthwiseConv2D(3, padding="same"),
                layers.GroupNormalization(1),
                layers.SeparableConv2D(20, 3, activation="relu"),
                layers.Conv2D(24, 3, groups=4, strides=2, padding="same"),
                layers.LayerNormalization(),
                layers.Conv2DTranspose(5, 3, 2, "same"),
                layers.AveragePooling2D(2),
                layers.Dropout(0.3),
                layers.GaussianNoise(0.1),
                layers.AdaptiveAveragePooling2D(2),
                layers.Flatten(),
                layers.Dense(4, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=9, epochs=2, verbose=0)
        return [w.tobytes() for w in model.get_weights()]

    try:
        first = trained(1)
        assert all(trained(threads) == first for threads in (2, 3, 8))
    finally:
        kernels.set_num_threads(before)


def slid(x, kernel, stride, dilation, joined):
    """A convolution as a sum over the taps of its kernel, in float64, without zeros around."""
    size, taps = x.shape[1:-1], kernel.shape[: x.ndim - 2]
    pairs = zip(size, taps, strict=True)
    count = [(n - (k - 1) * dilation - 1) // stride + 1 for n, k in pairs]
    total = 0
    for tap in np.ndindex(*taps):
        axes = zip(tap, count, strict=True)
        read = [slice(t * dilation, t * dilation + (n - 1) * stride + 1, stride) for t, n in axes]
        total = total + joined(x[(slice(None), *read)], kernel[tap])
    return total


JOINED = {
    "conv": lambda pixels, tap: pixels @ tap,
    "depthwise_conv": lambda pixels, tap: (pixels[..., None] * tap).reshape(*pixels.shape[:-1], -1),
}


@pytest.mark.parametrize("name", JOINED)
@pytest.mark.parametrize("size", [(13,), (11, 13)])
def test_steps_and_gaps_may_both_be_wide_as_in_the_functions_of_keras(name, size):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *size, 16))
    kernel = rng.normal(size=(*(3,) * len(size), 16, 2))
    expected = slid(x, kernel, 2, 3, JOINED[name])
    function = getattr(keras.ops, name)
    variables = [keras.Variable(v.astype("float32")) for v in (x, kernel)]
    weights = rng.normal(size=expected.shape)
    with keras.GradientTape() as tape:
        y = function(*variables, strides=2, padding="VALID", dilation_rate=3)
        loss = keras.ops.sum(y * weights.astype("float32"))
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    along = [rng.normal(size=v.shape) for v in (x, kernel)]
    slopes = [
        (weights * slid(along[0], kernel, 2, 3, JOINED[name])).sum(),
        (weights * slid(x, along[1], 2, 3, JOINED[name])).sum(),
    ]
    gradients = tape.gradient(loss, variables)
    found = [float((np.asarray(g) * a).sum()) for g, a in zip(gradients, along, strict=True)]
    np.testing.assert_allclose(found, slopes, rtol=1e-4)


def test_functions_take_paddings_in_capitals_and_name_wrong_ones():
    x, kernel = np.ones((1, 5, 2), "float32"), np.ones((3, 2, 2), "float32")
    assert keras.ops.conv(x, kernel, padding="SAME").shape == (1, 5, 2)
    assert keras.ops.conv_transpose(x, kernel, 2, "Same").shape == (1, 10, 2)
    assert keras.ops.max_pool(x, 2, padding="SAME").shape == (1, 3, 2)
    for function in (keras.ops.conv, keras.ops.average_pool):
        with pytest.raises(ValueError, match="`padding` must be one of 'valid', 'same'"):
            function(x, kernel if function is keras.ops.conv else 2, padding="full")
