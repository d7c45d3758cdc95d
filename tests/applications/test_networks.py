"""Networks of Keras: their layers, weights and predictions; what they refuse."""

import json
from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras import applications, initializers, layers
from minikeras.datasets._download import DownloadError
from tests.applications import networks

RECORDED = np.load(Path(__file__).with_name("recorded_networks.npz"))


@pytest.fixture
def no_draws(monkeypatch):
    """Weights of zeros, which cost no memory until they are written."""
    monkeypatch.setattr(
        initializers.GlorotUniform, "_draw", lambda self, rng, shape, dtype: np.zeros(shape, dtype)
    )


@pytest.mark.parametrize("name", networks.STRUCTURES)
def test_layers_and_weights_are_those_of_keras_in_its_order(name, no_draws):
    model = getattr(applications, name)(weights=None)
    weights = [f"{w.path} {tuple(w.shape)}" for w in model.weights]
    assert networks.lines(model) == RECORDED[f"{name} lines"].tolist()
    assert weights == RECORDED[f"{name} weights"].tolist()
    trainable = sum(w.size for w in model.trainable_weights)
    assert [model.count_params(), trainable] == RECORDED[f"{name} counts"].tolist()


@pytest.mark.parametrize("name", networks.PREDICTIONS)
def test_without_the_classifier_images_may_have_any_size(name, no_draws):
    model = getattr(applications, name)(weights=None, **networks.OPEN)
    assert networks.lines(model) == RECORDED[f"{name} open"].tolist()


@pytest.mark.parametrize("width", networks.WIDTHS)
def test_mobilenets_of_other_widths_have_as_many_weights(width, no_draws):
    model = applications.MobileNetV2(weights=None, alpha=width)
    assert model.count_params() == RECORDED[f"MobileNetV2 {width}"]
    assert model.name == f"mobilenetv2_{width:.2f}_224"


@pytest.mark.parametrize("name", networks.PREDICTIONS)
def test_predictions_are_those_of_keras(name, no_draws):
    arguments, shape = networks.PREDICTIONS[name]
    model = getattr(applications, name)(weights=None, **arguments)
    networks.fill(model)
    expected = RECORDED[f"{name} predicts"]
    error = np.abs(np.asarray(model(networks.images(shape))) - expected).max()
    assert error <= 1e-5 * np.abs(expected).max()


def test_channels_may_come_first(no_draws):
    arguments, shape = networks.PREDICTIONS["MobileNetV2"]
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        model = applications.MobileNetV2(
            weights=None, **{**arguments, "input_shape": (3, *shape[1:3])}
        )
        networks.fill(model)
        found = model(np.ascontiguousarray(np.moveaxis(networks.images(shape), -1, 1)))
    finally:
        keras.config.set_image_data_format(before)
    np.testing.assert_allclose(found, RECORDED["MobileNetV2 predicts"], 1e-5, 1e-5)


def test_networks_that_keras_lacks_have_the_counts_of_their_papers(no_draws):
    assert applications.LeNet5().count_params() == 61706
    original = applications.LeNet5(variant="1998")
    assert original.count_params() == 60000 + 850
    table = {"c3": 1516, "s2": 12, "s4": 32, "c5": 48120, "f6": 10164}  # section II.B
    for name, count in table.items():
        own = [layer for layer in original.layers if layer.name.startswith(name)]
        assert sum(layer.count_params() for layer in own) == count
    assert applications.AlexNet().count_params() == 60965224
    assert applications.GoogLeNet().count_params() == 6998552
    assert applications.GoogLeNet(auxiliary=True).count_params() == 13378280


def test_the_original_lenet_connects_maps_as_its_table_says(rng):
    model = applications.LeNet5(variant="1998")
    for layer in model.layers:
        layer.trainable_variables and layer.set_weights(
            [rng.standard_normal(w.shape) for w in layer.weights]
        )
    first = keras.Model(model.input, model.get_layer("s2").output)
    maps = np.asarray(first(rng.standard_normal((1, 32, 32, 1)).astype("float32")))
    whole = keras.Model(model.get_layer("s2").output, model.get_layer("c3").output)
    before = np.asarray(whole(maps))
    maps[..., 0] += 1.0
    changed = np.abs(np.asarray(whole(maps)) - before).max((0, 1, 2)) > 0
    assert np.flatnonzero(changed).tolist() == [0, 4, 5, 6, 9, 10, 11, 12, 14, 15]


def test_auxiliary_classifiers_train_with_the_main_one(rng):
    model = applications.GoogLeNet(input_shape=(80, 80, 3), classes=3, auxiliary=True)
    model.compile("sgd", "sparse_categorical_crossentropy", loss_weights=[1, 0.3, 0.3])
    assert [tuple(y.shape) for y in model.outputs] == [(None, 3)] * 3
    before = model.get_layer("auxiliary1_conv").get_weights()[0]
    model.fit(networks.images((2, 80, 80, 3)), [np.zeros(2)] * 3, verbose=0)
    assert (model.get_layer("auxiliary1_conv").get_weights()[0] != before).any()


def test_weights_go_through_a_file(tmp_path, no_draws):
    arguments = {"alpha": 0.35, "input_shape": (32, 32, 3), "classes": 4}
    one = applications.MobileNetV2(weights=None, **arguments)
    networks.fill(one)
    x = networks.images((1, 32, 32, 3))
    one.save_weights(tmp_path / "some.weights.h5")
    one.save(tmp_path / "whole.h5")
    for file in ("some.weights.h5", "whole.h5"):
        two = applications.MobileNetV2(weights=str(tmp_path / file), **arguments)
        np.testing.assert_array_equal(one(x), two(x))


def test_a_network_goes_on_from_a_symbol(no_draws):
    images = keras.Input((40, 40, 3), name="mine")
    x = layers.Rescaling(2.0)(images)
    model = applications.VGG16(False, None, input_tensor=x, pooling="avg")
    assert [layer.name for layer in model.layers[:3]] == ["mine", "rescaling", "block1_conv1"]
    assert model.input is images


# ------------------------------------------------------------------ hosted weights


def test_hosted_weights_are_fetched_once_checked_and_loaded(tmp_path, monkeypatch, no_draws):
    arguments = {"alpha": 0.35, "input_shape": (96, 96, 3)}
    one = applications.MobileNetV2(weights=None, **arguments)
    networks.fill(one)
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96.h5"
    (tmp_path / "host" / "mobilenet_v2").mkdir(parents=True)
    one.save(tmp_path / "host" / "mobilenet_v2" / name)
    monkeypatch.setattr(applications._network, "HOST", (tmp_path / "host").as_uri() + "/")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    two = applications.MobileNetV2(**arguments)
    np.testing.assert_array_equal(one.weights[-2], two.weights[-2])
    assert (tmp_path / "home" / "models" / name).is_file()
    (tmp_path / "host" / "mobilenet_v2" / name).unlink()
    applications.MobileNetV2(**arguments)


def test_a_damaged_download_is_refused_and_leaves_nothing(tmp_path, monkeypatch, no_draws):
    (tmp_path / "vgg16").mkdir()
    name = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    (tmp_path / "vgg16" / name).write_bytes(b"something else")
    monkeypatch.setattr(applications._network, "HOST", tmp_path.as_uri() + "/")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    with pytest.raises(DownloadError, match="(?s)damaged or has changed.*pass its path"):
        applications.VGG16(False)
    assert not list((tmp_path / "home").rglob("*.h5"))


# ------------------------------------------------------------------ images and names


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        ("vgg16", [151.061, -16.779, -123.68]),
        ("vgg19", [151.061, -16.779, -123.68]),
        ("resnet", [151.061, -16.779, -123.68]),
        ("resnet50", [151.061, -16.779, -123.68]),
        ("imagenet_utils", [151.061, -16.779, -123.68]),
        ("resnet_v2", [-1.0, -0.21568626, 1.0]),
        ("inception_v3", [-1.0, -0.21568626, 1.0]),
        ("mobilenet_v2", [-1.0, -0.21568626, 1.0]),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_images_are_prepared_as_keras_does(room, expected, dtype):
    prepare = getattr(applications, room).preprocess_input
    x = np.array([0, 100, 255], dtype).reshape(1, 1, 1, 3)
    y = prepare(x)
    assert y.dtype == ("float32" if dtype == "uint8" else dtype)
    np.testing.assert_allclose(y.ravel(), expected, 1e-6)
    assert x.ravel().tolist() == [0, 100, 255]
    first = prepare(x.reshape(1, 3, 1, 1), data_format="channels_first")
    np.testing.assert_allclose(first.ravel(), expected, 1e-6)
    images = keras.Input((1, 1, 3))
    np.testing.assert_allclose(keras.Model(images, prepare(images))(x).ravel(), expected, 1e-6)


def test_images_between_mean_and_deviation():
    x = np.float32([0, 100, 255]).reshape(1, 1, 1, 3)
    y = applications.imagenet_utils.preprocess_input(x, mode="torch")
    np.testing.assert_allclose(y.ravel(), [-2.117904, -0.28501397, 2.64], 1e-6)


def test_predictions_get_the_names_of_a_file(tmp_path, rng):
    path = tmp_path / "names.json"
    path.write_text(json.dumps({str(k): [f"n{k:05d}", f"thing {k}"] for k in range(1000)}))
    preds = np.zeros((2, 1000), "float32")
    preds[0, [7, 3]], preds[1, 999] = (0.5, 0.25), 1.0
    names = applications.vgg16.decode_predictions(preds, top=2, class_index=path)
    assert names[0] == [("n00007", "thing 7", 0.5), ("n00003", "thing 3", 0.25)]
    assert names[1][0] == ("n00999", "thing 999", 1.0)
    path.write_text("[]")
    with pytest.raises(ValueError, match="to hold names as JSON"):
        applications.resnet.decode_predictions(preds, class_index=path)


# ------------------------------------------------------------------ mistakes

SYMBOL = (64, 64, 3)
MISTAKES = {
    "(?s)are for 1000 classes.*classes=10": lambda a: a.VGG16(classes=10),
    "must be None.*'imagenet' or the path.*'foo', which": lambda a: a.VGG16(weights="foo"),
    "at least 32 x 32.*31, 32, 3": lambda a: a.VGG16(weights=None, input_shape=(31, 32, 3)),
    "at least 75 x 75": lambda a: a.InceptionV3(weights=None, input_shape=(75, 74, 3)),
    "`input_shape` must be": lambda a: a.VGG16(weights=None, input_shape=(32, 32)),
    "`pooling` must be one of": lambda a: a.VGG16(False, None, pooling="sum"),
    "`pooling` is for features": lambda a: a.VGG16(weights=None, pooling="avg"),
    "needs images of a known size": lambda a: a.ResNet50(weights=None, input_shape=(None, None, 3)),
    "(?s)for images of .224, 224, 3": lambda a: a.ResNet50(input_shape=(64, 64, 3)),
    "for images of 3 channels": lambda a: a.VGG16(False, input_shape=(64, 64, 1)),
    "are for alpha in": lambda a: a.MobileNetV2(alpha=0.9),
    "for images of .224": lambda a: a.MobileNetV2((100, 100, 3)),
    "activation is 'softmax' or None": lambda a: a.MobileNetV2(classifier_activation="relu"),
    "hosts no weights": lambda a: a.AlexNet(weights="imagenet"),
    "`variant` must be one of": lambda a: a.LeNet5(variant="1989"),
    "auxiliary=True is for": lambda a: a.GoogLeNet(False, auxiliary=True),
    "`input_tensor` must be a symbol": lambda a: a.VGG16(
        False, None, input_tensor=np.zeros((1, 64, 64, 3))
    ),
    "say different things": lambda a: a.VGG16(
        False, None, keras.Input(SYMBOL), input_shape=(32, 32, 3)
    ),
    "`classes` must be a positive integer": lambda a: a.ResNet50(weights=None, classes=0),
    "takes predictions of shape": lambda a: a.vgg16.decode_predictions(np.ones((2, 10))),
    "`mode` must be one of": lambda a: a.imagenet_utils.preprocess_input(
        np.ones((2, 4, 4, 3)), mode="pytorch"
    ),
    "`data_format` must be one of": lambda a: a.vgg16.preprocess_input(
        np.ones((2, 4, 4, 3)), "last"
    ),
    "images of 3 channels": lambda a: a.vgg16.preprocess_input(np.ones((2, 4, 4, 1))),
}


@pytest.mark.parametrize("message", MISTAKES)
def test_misuse_is_refused_before_work_starts(message, no_draws):
    with pytest.raises(ValueError, match=message):
        MISTAKES[message](applications)


def test_unusual_channels_are_told_where_they_are_given(no_draws):
    with pytest.warns(UserWarning, match="5 channels") as told:
        applications.VGG16(False, None, input_shape=(32, 32, 5))
    assert told[0].filename == __file__
