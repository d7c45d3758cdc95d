"""Convolution and pooling layers: values of Keras, and what they refuse."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import kernels, layers


def ramp(*shape):
    return np.sin(np.arange(np.prod(shape)) * 0.37).astype("float32").reshape(shape)


def sums(layer, shape):
    """Two sums of the layer's output, for weights that are ramps too."""
    x = ramp(*shape)
    layer.build(shape)
    layer.set_weights([ramp(*w.shape) for w in layer.weights])
    y = np.asarray(layer(x), "float64")
    return y.sum(), (y * ramp(*y.shape)).sum()


# recorded from Keras 3.15
KERAS = {
    "Conv1D causal": (lambda k: k.Conv1D(4, 3, padding="causal", dilation_rate=2), (2, 9, 3)),
    "Conv1D same": (lambda k: k.Conv1D(4, 4, strides=3, padding="same"), (2, 10, 3)),
    "Conv2D same": (lambda k: k.Conv2D(5, (4, 3), 2, "same", activation="elu"), (2, 7, 6, 3)),
    "Conv2D groups": (lambda k: k.Conv2D(6, 3, groups=3, activation="relu"), (2, 5, 6, 3)),
    "Conv2D dilated": (
        lambda k: k.Conv2D(2, 3, padding="same", dilation_rate=(2, 3)),
        (1, 7, 6, 2),
    ),
    "Conv3D": (lambda k: k.Conv3D(3, 2, (1, 2, 1), "same"), (1, 4, 5, 3, 2)),
    "Conv1DTranspose": (lambda k: k.Conv1DTranspose(4, 3, 2, "same", 1), (2, 5, 3)),
    "Conv2DTranspose": (lambda k: k.Conv2DTranspose(4, (4, 3), 3, "same"), (2, 5, 4, 3)),
    "Conv3DTranspose": (
        lambda k: k.Conv3DTranspose(2, 3, (1, 2, 2), activation="relu"),
        (1, 2, 3, 4, 2),
    ),
    "DepthwiseConv2D": (lambda k: k.DepthwiseConv2D(3, 2, "same", 2), (2, 6, 7, 3)),
    "DepthwiseConv1D": (lambda k: k.DepthwiseConv1D(3, dilation_rate=2), (2, 9, 3)),
    "SeparableConv2D": (
        lambda k: k.SeparableConv2D(5, (3, 2), 2, depth_multiplier=2),
        (2, 7, 6, 3),
    ),
    "SeparableConv1D": (lambda k: k.SeparableConv1D(5, 3, 3, "same"), (2, 11, 3)),
    "ZeroPadding2D": (lambda k: k.ZeroPadding2D(((1, 0), (2, 1))), (2, 3, 4, 2)),
    "Cropping3D": (lambda k: k.Cropping3D(((0, 1), (1, 1), (0, 0))), (1, 3, 4, 2, 2)),
    "UpSampling3D": (lambda k: k.UpSampling3D((1, 2, 3)), (1, 2, 3, 2, 2)),
    "bilinear": (lambda k: k.UpSampling2D((2, 3), interpolation="bilinear"), (1, 4, 3, 2)),
    "bicubic": (lambda k: k.UpSampling2D((2, 3), interpolation="bicubic"), (1, 4, 5, 2)),
    "lanczos3": (lambda k: k.UpSampling2D(2, interpolation="lanczos3"), (1, 7, 5, 2)),
    "lanczos5": (lambda k: k.UpSampling2D(2, interpolation="lanczos5"), (1, 7, 5, 2)),
    "MaxPooling2D": (lambda k: k.MaxPooling2D(3, 2, "same"), (2, 7, 6, 3)),
    "AveragePooling2D": (lambda k: k.AveragePooling2D((2, 3), (2, 1), "same"), (2, 7, 6, 3)),
    "AveragePooling1D": (lambda k: k.AveragePooling1D(4, 3, "same"), (2, 11, 3)),
    "MaxPooling3D": (lambda k: k.MaxPooling3D(2, 2, "same"), (1, 5, 3, 4, 2)),
    "GlobalMaxPooling1D": (lambda k: k.GlobalMaxPooling1D(), (2, 11, 3)),
    "GlobalAveragePooling3D": (lambda k: k.GlobalAveragePooling3D(keepdims=True), (2, 2, 3, 2, 3)),
}
RECORDED = {
    "Conv1D causal": (35.23283, 1.34823),
    "Conv1D same": (18.95446, 2.86802),
    "Conv2D same": (73.61999, 13.42024),
    "Conv2D groups": (201.76223, 2.30641),
    "Conv2D dilated": (33.17269, 10.09628),
    "Conv3D": (27.02321, -6.42865),
    "Conv1DTranspose": (31.41873, 0.69972),
    "Conv2DTranspose": (695.701, -0.6509),
    "Conv3DTranspose": (275.08101, -3.23799),
    "DepthwiseConv2D": (93.70866, 65.69228),
    "DepthwiseConv1D": (10.00049, 0.69805),
    "SeparableConv2D": (52.8721, 4.09683),
    "SeparableConv1D": (26.93355, 3.44706),
    "ZeroPadding2D": (1.87829, 1.05799),
    "Cropping3D": (5.55008, -0.7954),
    "UpSampling3D": (28.18632, 1.8356),
    "bilinear": (28.18632, 2.42317),
    "bicubic": (24.05132, 4.0318),
    "lanczos3": (1.39086, 4.71087),
    "lanczos5": (1.13507, 4.85178),
    "MaxPooling2D": (50.34891, -0.99404),
    "AveragePooling2D": (0.15439, 11.0329),
    "AveragePooling1D": (1.19119, -0.58411),
    "MaxPooling3D": (15.90691, -1.15871),
    "GlobalMaxPooling1D": (5.90561, 3.8177),
    "GlobalAveragePooling3D": (0.16693, 0.15439),
}


@pytest.mark.parametrize("name", KERAS)
def test_values_are_those_of_keras(name):
    make, shape = KERAS[name]
    np.testing.assert_allclose(sums(make(layers), shape), RECORDED[name], 1e-5, 1e-5)


def test_second_names():
    assert layers.Convolution2D is layers.Conv2D
    assert layers.MaxPool1D is layers.MaxPooling1D
    assert layers.GlobalAvgPool3D is layers.GlobalAveragePooling3D


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: layers.Conv2D(0, 3), None, "`filters` must be a positive integer.*Received: 0"),
        (lambda: layers.Conv2D(4, 0), None, "`kernel_size` must hold integers of at least 1"),
        (lambda: layers.Conv2D(4, (3, 3, 3)), None, "`kernel_size` must be an integer or 2"),
        (lambda: layers.Conv2D(4, 3, strides=0), None, "`strides` must hold integers"),
        (lambda: layers.Conv2D(4, 3, 2, dilation_rate=2), None, "cannot both be above 1"),
        (lambda: layers.Conv2D(4, 3, groups=3), None, "multiple of `groups`.*filters=4, groups=3"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), None, "`padding` must be one of"),
        (lambda: layers.Conv2D(4, 3, padding="sam"), None, "Did you mean 'same'"),
        (
            lambda: layers.Conv2D(4, 3, groups=2),
            (1, 5, 5, 3),
            "channels must be a multiple.*groups=2",
        ),
        (lambda: layers.Conv2D(4, 7), (1, 5, 5, 3), "smaller than the kernel of size .7, 7."),
        (lambda: layers.Conv2D(4, 3), (1, 5, 5), "expected 4 dimensions"),
        (lambda: layers.Conv2D(4, 3, dilation_rate=3), (1, 5, 5, 3), "with dilation"),
        (lambda: layers.MaxPooling2D(7), (1, 5, 5, 3), "smaller than the window of size .7, 7."),
        (lambda: layers.MaxPooling2D(2, strides=0), None, "`strides` must hold integers"),
        (lambda: layers.Conv2DTranspose(2, 3, 2, output_padding=2), None, "below the strides"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), None, "`depth_multiplier` must be"),
        (lambda: layers.SeparableConv2D(4, 7), (1, 5, 5, 3), "smaller than the kernel"),
        (lambda: layers.GlobalMaxPooling2D(), (2, 3, 4), "expected 4 dimensions"),
        (lambda: layers.AveragePooling1D(2, data_format="last"), None, "data_format"),
        (lambda: layers.Conv1D(True, 3), None, "`filters` must be a positive integer"),
        (lambda: layers.Conv1D(2.5, 3), None, "`filters` must be a positive integer.*2.5"),
        (lambda: layers.Conv3D(2, 3, groups=0), None, "`groups` must be a positive integer"),
        (lambda: layers.Conv1D(2, (3, 3)), None, "`kernel_size` must be an integer or 1"),
        (lambda: layers.Conv2D(2, (3, -1)), None, "`kernel_size` must hold integers"),
        (lambda: layers.Conv2D(2, 3, dilation_rate=0), None, "`dilation_rate` must hold integers"),
        (lambda: layers.Conv2D(2, 3, kernel_initializer="glorot"), None, "glorot"),
        (lambda: layers.Conv2D(2, 3, activation="rellu"), None, "Did you mean 'relu'"),
        (lambda: layers.Conv3D(2, 3), (2, 4, 4, 3), "expected 5 dimensions"),
        (lambda: layers.Conv1D(2, 3, data_format="channels_first"), (2, 5, 2), "smaller than"),
        (lambda: layers.Conv1D(2, 3, groups=2), (2, 5, 4, 4), "expected 3 dimensions"),
        (lambda: layers.Conv2DTranspose(0, 3), None, "`filters` must be a positive integer"),
        (lambda: layers.Conv2DTranspose(2, 3, 2, dilation_rate=2), None, "cannot both be above 1"),
        (lambda: layers.Conv2DTranspose(2, 3), (2, 4, 3), "expected 4 dimensions"),
        (lambda: layers.Conv2DTranspose(2, 3, padding="causal"), None, "`padding` must be one of"),
        (lambda: layers.Conv1DTranspose(2, 3, 3, output_padding=-1), None, "`output_padding` must"),
        (lambda: layers.DepthwiseConv2D(3, 2, dilation_rate=2), None, "cannot both be above 1"),
        (lambda: layers.DepthwiseConv1D(4), (2, 3, 2), "smaller than the kernel of size .4,."),
        (lambda: layers.DepthwiseConv2D(3), (2, 5, 3), "expected 4 dimensions"),
        (lambda: layers.SeparableConv1D(2, 3, 2, dilation_rate=2), None, "cannot both be above 1"),
        (lambda: layers.SeparableConv1D(0, 3), None, "`filters` must be a positive integer"),
        (lambda: layers.MaxPooling1D(0), None, "`pool_size` must hold integers of at least 1"),
        (lambda: layers.MaxPooling2D((2, 2, 2)), None, "`pool_size` must be an integer or 2"),
        (lambda: layers.AveragePooling3D(2), (1, 4, 4, 2), "expected 5 dimensions"),
        (lambda: layers.AveragePooling2D(2, padding="full"), None, "`padding` must be one of"),
        (lambda: layers.AdaptiveMaxPooling2D(0), None, "`output_size` must hold integers of at"),
        (lambda: layers.AdaptiveMaxPooling2D((2, None)), None, "`output_size` must be an integer"),
        (lambda: layers.AdaptiveAveragePooling1D(2), (1, 4, 4, 2), "expected 3 dimensions"),
        (lambda: layers.UpSampling2D(0), None, "`size` must hold integers of at least 1"),
        (lambda: layers.Cropping1D(-1), None, "`cropping` must be an integer of at least 0"),
        (lambda: layers.SpatialDropout2D(1.5), None, "(?i)rate"),
        (lambda: layers.LocalResponseNormalization(4), None, "`size` must be odd"),
        (lambda: layers.LocalResponseNormalization(axis=4), (1, 2, 2, 3), "axis=4 does not exist"),
    ],
)
def test_what_cannot_be_is_refused_before_work_starts(make, shape, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        make()(np.zeros(shape, "float32"))
    if shape is not None:
        with pytest.raises(ValueError, match=f"(?s){message}"):
            make()(keras.Input(shape[1:]))


def test_other_channels_than_before_are_refused():
    layer = layers.Conv1D(2, 3)
    layer(np.zeros((1, 5, 4), "float32"))
    with pytest.raises(ValueError, match="4 along axis -1"):
        layer(np.zeros((1, 5, 3), "float32"))


def test_images_of_any_size_pass_where_sizes_are_open():
    images = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, strides=8, padding="same")(images)
    assert x.shape == (None, None, None, 4)
    model = keras.Model(images, layers.GlobalMaxPooling2D()(layers.MaxPooling2D(2, 1, "same")(x)))
    for size in (9, 30):
        assert model.predict(np.zeros((2, size, size, 3), "float32"), verbose=0).shape == (2, 4)


def test_training_gives_the_same_weights_with_any_number_of_threads():
    before = kernels.num_threads()
    x, y = ramp(20, 12, 12, 2), np.arange(20) % 3

    def trained(threads):
        keras.utils.set_random_seed(0)
        kernels.set_num_threads(threads)
        model = keras.Sequential(
            [
                keras.Input((12, 12, 2)),
                layers.Conv2D(20, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(40, 3, 2, "same", activation="tanh"),
                layers.AveragePooling2D(2, 1),
                layers.Flatten(),
                layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=8, epochs=2, verbose=0)
        return [w.tobytes() for w in model.get_weights()]

    try:
        first = trained(1)
        assert all(trained(threads) == first for threads in (2, 3, 8))
    finally:
        kernels.set_num_threads(before)


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (lambda: layers.SpatialDropout1D(0.5, seed=3), (20, 5, 8), (1,)),
        (lambda: layers.SpatialDropout2D(0.5, seed=3), (10, 4, 3, 8), (1, 2)),
        (lambda: layers.SpatialDropout3D(0.5, "channels_first", 3), (10, 8, 2, 3, 2), (2, 3, 4)),
    ],
)
def test_spatial_dropout_drops_whole_channels(layer, shape, axes):
    y = np.asarray(layer()(np.ones(shape, "float32"), training=True))
    assert set(np.unique(y)) == {0.0, 2.0}
    np.testing.assert_array_equal(y.min(axes), y.max(axes))


def test_cropping_cuts_as_much_off_as_in_keras_when_it_is_not_told():
    assert layers.Cropping1D().get_config()["cropping"] == (1, 1)
    assert layers.Cropping2D().get_config()["cropping"] == ((0, 0), (0, 0))
    assert layers.Cropping3D().get_config()["cropping"] == ((1, 1), (1, 1), (1, 1))
    x = np.ones((1, 3, 3, 1), "float32")
    assert layers.Cropping2D()(x).shape == (1, 3, 3, 1)
    assert layers.Cropping2D(1)(x).shape == (1, 1, 1, 1)


def test_nothing_left_after_cropping_is_an_error():
    with pytest.raises(ValueError, match="nothing is left of an axis of length 3"):
        layers.Cropping2D(2)(np.zeros((1, 3, 9, 1), "float32"))
    with pytest.raises(ValueError, match="`padding` must be an integer"):
        layers.ZeroPadding2D((1, 2, 3))


def test_arguments_by_place_are_in_the_order_of_keras():
    """Keras has `data_format` before the output padding for volumes, after it for others."""
    volume = layers.Conv3DTranspose(2, 3, 2, "same", "channels_first", 1, 1, "relu")
    assert volume.data_format == "channels_first"
    assert volume.output_padding == (1, 1, 1)
    assert volume.get_config()["activation"] == "relu"
    assert layers.Conv2DTranspose(2, 3, 2, "same", 1, "channels_first").output_padding == (1, 1)


WHOLE = np.array([[3, -10, 4], [200, -251, 7]]).reshape(1, 2, 3, 1)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_largest_of_whole_numbers_is_one_of_them(dtype, padding):
    x = WHOLE.astype(dtype)
    largest = layers.MaxPooling2D(2, padding=padding)(x)
    expected = [x[:, :, :2].max()] + [x[:, :, 2:].max()] * (padding == "same")
    assert largest.dtype == dtype
    np.testing.assert_array_equal(largest.ravel(), expected)
    for layer in (layers.GlobalMaxPooling2D(), layers.AdaptiveMaxPooling2D(1)):
        assert layer(x).dtype == dtype
        assert layer(x).ravel() == x.max()
    assert layers.AdaptiveMaxPooling2D((1, 2))(x).ravel().tolist() == [
        x[:, :, :2].max(), x[:, :, 1:].max(),
    ]  # fmt: skip
    assert layers.AveragePooling2D(2, padding=padding)(x).dtype == "float32"


def test_the_largest_of_truth_values_is_whether_any_is_true():
    x = WHOLE == -10
    for layer in (layers.MaxPooling2D((1, 3)), layers.AdaptiveMaxPooling2D((2, 1))):
        y = layer(x)
        assert y.dtype == bool
        np.testing.assert_array_equal(y.ravel(), [True, False])
    np.testing.assert_array_equal(layers.GlobalMaxPooling2D()(x), [[True]])


def test_a_model_that_pools_whole_numbers_trains():
    inputs = keras.Input((4, 4, 1), dtype="int32")
    pooled = layers.MaxPooling2D(2)(inputs)
    assert pooled.dtype == "int32"
    model = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(pooled)))
    model.compile("sgd", "mse")
    x = np.arange(32).reshape(2, 4, 4, 1)
    model.fit(x, np.ones((2, 1)), verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), model(x), rtol=1e-6)


def test_interpolated_whole_numbers_are_rounded_as_in_keras():
    x = np.array([[3, 10], [200, 251]], "uint8").reshape(1, 2, 2, 1)
    y = layers.UpSampling2D(2, interpolation="bilinear")(x)
    assert y.dtype == "uint8"
    expected = [[3, 5, 8, 10], [52, 57, 66, 70], [151, 161, 181, 191], [200, 213, 238, 251]]
    np.testing.assert_array_equal(y[0, :, :, 0], expected)
    beyond = layers.UpSampling2D(2, interpolation="bicubic")(x)[0, :, :, 0]
    np.testing.assert_array_equal(beyond[[0, -1]], [[0, 0, 0, 0], [213, 229, 255, 255]])


def test_interpolation_takes_images_of_any_size():
    inputs = keras.Input((None, None, 3))
    outputs = layers.UpSampling2D((2, 3), interpolation="Bilinear")(inputs)
    assert outputs.shape == (None, None, None, 3)
    model = keras.Model(inputs, outputs)
    for height, width in ((2, 3), (4, 1)):
        x = ramp(1, height, width, 3)
        fixed = layers.UpSampling2D((2, 3), interpolation="bilinear")(x)
        np.testing.assert_array_equal(model.predict(x, verbose=0), fixed)


def test_numbers_of_numpy_and_capitals_are_taken():
    pair = np.array([2, 3])
    layer = layers.Conv2D(np.int64(4), pair, strides=[np.int64(1), 2], data_format="Channels_Last")
    config = layer.get_config()
    assert (config["filters"], config["kernel_size"]) == (4, (2, 3))
    assert config["data_format"] == "channels_last"
    assert all(type(n) is int for n in (*config["kernel_size"], *config["strides"]))
    assert layers.MaxPooling2D(pair).pool_size == (2, 3)
    assert layers.ZeroPadding2D(np.array([[1, 2], [0, 3]])).padding == ((1, 2), (0, 3))
    assert layers.Cropping1D(np.int64(2)).cropping == (2, 2)
    assert layers.Flatten(data_format="CHANNELS_FIRST").data_format == "channels_first"
    with pytest.raises(ValueError, match="`kernel_size` must be an integer or 2 of them"):
        layers.Conv2D(4, np.array([2.0, 3.0]))
    with pytest.raises(ValueError, match="`kernel_size` must be an integer or 2 of them"):
        layers.Conv2D(4, True)


def test_the_shape_and_dtype_of_an_output_can_be_asked_for():
    layer = layers.Conv2D(4, 3)
    spec = layer.compute_output_spec(keras.KerasTensor((2, 8, 8, 3)))
    assert (spec.shape, spec.dtype) == ((2, 6, 6, 4), "float32")
    with pytest.raises(AttributeError, match="was not called on symbols"):
        _ = layer.output
