"""Fusion: the program with each rule equals the program without, and where a rule must not act."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import kernels
from minikeras.program import Recording, fusion

L = keras.layers


@pytest.fixture
def recorded(monkeypatch):
    """The names of the primitives of what was recorded last."""
    names: list[list[str]] = []
    made = Recording.__init__

    def noting(self, *arguments):
        made(self, *arguments)
        names.append([i.primitive.name for i in self.instructions])

    monkeypatch.setattr(Recording, "__init__", noting)
    return names


def images(shape, dtype="float32", seed=0, batch=6):
    return np.random.default_rng(seed).normal(0.3, 1, (batch, *shape)).astype(dtype)


def sequential(shape, *layers, dtype="float32"):
    keras.utils.set_random_seed(3)
    previous = keras.config.floatx()
    keras.config.set_floatx(dtype)
    try:
        model = keras.Sequential([keras.Input(shape), *[layer() for layer in layers]])
        model.compile(keras.optimizers.SGD(0.1), "mse")
    finally:
        keras.config.set_floatx(previous)
    randomise(model)
    return model


def randomise(model):
    """Weights and moving averages unlike those at the beginning; some scales are negative or 0."""
    rng = np.random.default_rng(5)
    for weight in model.weights:
        value = rng.normal(0, 0.4, weight.shape)
        if "variance" in weight.path:
            value = abs(value) + 0.1
        weight.assign(value.astype(weight.dtype))
        if "gamma" in weight.path:
            weight.assign(np.where(np.arange(weight.shape[0]) == 1, 0, value).astype(weight.dtype))


def trained(make, x, steps=2):
    """Weights after some steps, and the losses."""
    model = make()
    y = np.random.default_rng(1).normal(0, 1, (len(x), *model.output_shape[1:])).astype(x.dtype)
    losses = [model.train_on_batch(x, y) for _ in range(steps)]
    return [np.asarray(w) for w in model.weights] + [np.asarray(losses)]


def both(monkeypatch, compute):
    """The results with all rules and with none."""
    fused = compute()
    with monkeypatch.context() as context:
        context.setattr(fusion, "RULES", ())
        return fused, compute()


def assert_equal(pair, dtype="float32"):
    for a, b in zip(*pair, strict=True):
        assert a.dtype == b.dtype
        limit = 1e-5 if dtype == "float32" else 1e-12
        np.testing.assert_allclose(a, b, limit, limit * max(1.0, np.nanmax(abs(b))))


def norm_relu(filters, **options):
    return (
        lambda: L.Conv2D(filters, 3, padding="same", use_bias=False),
        lambda: L.BatchNormalization(**options),
        lambda: L.Activation("relu"),
    )


HEAD = (lambda: L.GlobalAveragePooling2D(), lambda: L.Dense(2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
@pytest.mark.parametrize("filters", [3, 70])
def test_norm_and_relu_train_to_the_same_numbers(monkeypatch, recorded, filters, options, dtype):
    def make():
        return sequential((5, 7, 2), *norm_relu(filters, **options), *HEAD, dtype=dtype)

    pair = both(monkeypatch, lambda: trained(make, images((5, 7, 2), dtype)))
    assert {"batch_norm_relu", "batch_norm_relu_grad"} <= set(recorded[0])
    assert not {"relu", "relu_grad", "batch_norm_grad"} & set(recorded[0])
    assert "relu" in recorded[-1]
    assert_equal(pair, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [(4, 6), (2, 2)])
@pytest.mark.parametrize("filters", [3, 70])
def test_norm_relu_and_pooling_train_to_the_same_numbers(
    monkeypatch, recorded, filters, size, dtype
):
    def make():
        pool = (lambda: L.MaxPooling2D(2),)
        return sequential((*size, 2), *norm_relu(filters), *pool, *HEAD, dtype=dtype)

    pair = both(monkeypatch, lambda: trained(make, images((*size, 2), dtype)))
    assert {"batch_norm_relu_pool", "batch_norm_relu_pool_grad"} <= set(recorded[0])
    assert not {"max_pool", "max_pool_grad", "relu", "batch_norm"} & set(recorded[0])
    assert_equal(pair, dtype)


def test_pooling_that_leaves_a_rest_is_not_fused_with_the_norm(monkeypatch, recorded):
    def make():
        return sequential((5, 7, 2), *norm_relu(3), lambda: L.MaxPooling2D(2), *HEAD)

    pair = both(monkeypatch, lambda: trained(make, images((5, 7, 2))))
    assert "batch_norm_relu" in recorded[0]
    assert_equal(pair)


@pytest.mark.parametrize("pooled", [False, True])
def test_nan_goes_through_norm_and_relu(monkeypatch, pooled):
    def make():
        pool = [lambda: L.MaxPooling2D(2)] * pooled
        return sequential((4, 4, 2), *norm_relu(3), *pool, *HEAD)

    x = images((4, 4, 2))
    x[1, 2, 2] = np.nan
    fused, plain = both(monkeypatch, lambda: trained(make, x, 1))
    for a, b in zip(fused, plain, strict=True):
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    assert np.isnan(fused[-1]).all()


@pytest.mark.parametrize("act", [None, "relu"])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norm_behind_a_convolution_goes_into_its_weights(monkeypatch, recorded, dtype, bias, act):
    def make():
        layers = [
            lambda: L.Conv2D(6, 3, strides=2, use_bias=bias),
            lambda: L.BatchNormalization(),
            *([lambda: L.Activation(act)] if act else []),
        ]
        return sequential((17, 19, 3), *layers, dtype=dtype)

    x = images((17, 19, 3), dtype)
    pair = both(monkeypatch, lambda: [make().predict(x, verbose=0)])
    assert {"fold_norm"} <= set(recorded[0])
    assert not {"normalise", "relu"} & set(recorded[0])
    assert_equal(pair, dtype)


def test_a_convolution_keeps_its_way_when_it_is_fused(monkeypatch):
    """Winograd's way has memory of its own behind the result, which must not get lost."""
    made, memory = Recording.__init__, []

    def noting(self, *arguments):
        made(self, *arguments)
        memory.append([len(i.outs) for i in self.instructions if i.primitive.name == "conv"])

    monkeypatch.setattr(Recording, "__init__", noting)

    def make():
        return sequential((16, 16, 16), *norm_relu(16), lambda: L.MaxPooling2D(2))

    x = images((16, 16, 16))
    pair = both(monkeypatch, lambda: [make().predict(x, verbose=0)])
    assert memory == [[2], [2]]
    fused, plain = pair
    np.testing.assert_allclose(fused[0], plain[0], 1e-4, 1e-4)


def test_folded_weights_follow_the_variables():
    model = sequential((9, 9, 2), *norm_relu(4))
    x = images((9, 9, 2))
    model.predict(x, verbose=0)
    randomised = [w.numpy() * 1.5 + 0.1 for w in model.weights]
    model.set_weights(randomised)
    expected = np.asarray(model(x, training=False))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, 1e-5, 1e-5)


def test_dense_map_takes_the_norm_in_where_rows_are_many(monkeypatch, recorded):
    def make():
        return sequential((8,), lambda: L.Dense(5), lambda: L.BatchNormalization())

    x = images((8,), batch=20)
    pair = both(monkeypatch, lambda: [make().predict(x, verbose=0)])
    assert "fold_norm" in recorded[0]
    assert_equal(pair)
    recorded.clear()
    few = images((8,), batch=2)
    make().predict(few, verbose=0)
    assert "fold_norm" not in recorded[0]


def test_norm_and_relu_at_inference_are_one_pass(monkeypatch, recorded):
    def make():
        layers = (L.ZeroPadding2D, L.BatchNormalization, L.ReLU)
        return sequential((4, 4, 70), *layers)

    pair = both(monkeypatch, lambda: [make().predict(images((4, 4, 70)), verbose=0)])
    assert "normalise_relu" in recorded[0]
    assert "relu" not in recorded[0]
    assert_equal(pair)


@pytest.mark.parametrize("act", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose", "Dense"])
def test_activation_becomes_part_of_the_map_before_it(monkeypatch, recorded, name, act):
    def make():
        maps = {
            "Conv2D": lambda: L.Conv2D(4, 3, strides=2),
            "Conv2DTranspose": lambda: L.Conv2DTranspose(4, 3, strides=2),
            "Dense": lambda: L.Dense(4),
        }
        return sequential((7, 6, 2), maps[name], lambda: L.Activation(act), *HEAD)

    pair = both(monkeypatch, lambda: trained(make, images((7, 6, 2))))
    assert act not in recorded[0]
    assert_equal(pair)


POOLINGS = {
    "by four": (2, 2, "valid"),
    "overlapping": (3, 2, "same"),
    "with gaps": (1, 2, "valid"),
    "of one axis": ((1, 2), None, "valid"),
}


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("kind", POOLINGS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pooling_behind_relu_trains_to_the_same_bits(monkeypatch, recorded, kind, dtype, alone):
    def make():
        before = [lambda: L.ZeroPadding2D(1), L.ReLU] if alone else []
        return sequential(
            (7, 9, 2),
            lambda: L.Conv2D(5, 3, activation=None if alone else "relu"),
            *before,
            lambda: L.MaxPooling2D(*POOLINGS[kind]),
            lambda: L.Conv2D(3, 2),
            *HEAD,
            dtype=dtype,
        )

    x = images((7, 9, 2), dtype)
    x[2, 3, 3] = np.nan if kind == "with gaps" else 1
    fused, plain = both(monkeypatch, lambda: trained(make, x))
    whole = kind == "by four" and not alone
    assert ("conv_relu_pool" if whole else "relu_max_pool") in recorded[0]
    assert ("conv_pool_weights_grad" in recorded[0]) == whole
    assert "relu_grad" not in recorded[0]
    for a, b in zip(fused, plain, strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_of_pixels_are_made_where_an_input_asks_for_them(monkeypatch, recorded):
    def make():
        pooled = (lambda: L.Conv2D(5, 2, activation="relu"), lambda: L.MaxPooling2D(2))
        return sequential((13, 15, 2), *pooled, *pooled, *HEAD)

    fused, plain = both(monkeypatch, lambda: trained(make, images((13, 15, 2))))
    assert recorded[0].count("conv_relu_pool") == 2
    assert recorded[0].count("conv_pool_weights_grad") == 1
    assert recorded[0].count("max_pool_grad") == 1
    for a, b in zip(fused, plain, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("options", [{}, {"padding": "same"}, {"strides": 2}, {"groups": 2}])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_convolution_relu_and_pooling_predict_the_same_bits(
    monkeypatch, recorded, dtype, options, bias, separate
):
    act = None if separate else "relu"

    def make():
        return sequential(
            (11, 13, 4),
            lambda: L.Conv2D(6, 3, activation=act, use_bias=bias, **options),
            *([L.ReLU] if separate else []),
            lambda: L.MaxPooling2D(2),
            dtype=dtype,
        )

    x = images((11, 13, 4), dtype)
    x[1, 4, 4] = np.nan
    fused, plain = both(monkeypatch, lambda: [make().predict(x, verbose=0)])
    assert "conv_relu_pool" in recorded[0]
    assert not {"conv", "max_pool", "relu_max_pool"} & set(recorded[0])
    np.testing.assert_array_equal(fused[0], plain[0])


@pytest.mark.parametrize(
    ("shape", "pooling"),
    [((8, 300, 1), 2), ((7, 7, 2), (2, 1)), ((7, 7, 2), 3), ((6, 6, 2), {"padding": "same"})],
)
def test_pooling_of_other_kinds_stays_behind_the_convolution(monkeypatch, recorded, shape, pooling):
    options = pooling if isinstance(pooling, dict) else {"pool_size": pooling}

    def make():
        conv = L.Conv2D(4, 2, activation="relu")
        return sequential(shape, lambda: conv, lambda: L.MaxPooling2D(**options))

    pair = both(monkeypatch, lambda: [make().predict(images(shape), verbose=0)])
    assert {"conv", "max_pool"} <= set(recorded[0])
    assert_equal(pair)


def test_windows_of_many_taps_are_pooled_as_before(monkeypatch, recorded):
    def make():
        return sequential(
            (18, 18, 2), lambda: L.Conv2D(3, 2, activation="relu"), L.GlobalMaxPooling2D
        )

    pair = both(monkeypatch, lambda: trained(make, images((18, 18, 2))))
    assert "max_pool" in recorded[0]
    assert_equal(pair)


def functional(build):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4, 6, 2))
    model = keras.Model(inputs, build(inputs))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    randomise(model)
    return model


def pre_activation_is_an_output(x):
    before = L.BatchNormalization()(L.Conv2D(3, 3, padding="same")(x))
    return [L.MaxPooling2D(1)(before), L.GlobalAveragePooling2D()(L.ReLU()(before))]


def pre_activation_itself_is_an_output(x):
    before = L.BatchNormalization()(L.Conv2D(3, 3, padding="same")(x))
    return [before, L.GlobalAveragePooling2D()(L.ReLU()(before))]


def residual(x):
    x = L.Conv2D(3, 3, padding="same")(x)
    before = L.BatchNormalization()(x)
    return L.Add()([L.ReLU()(before), before, x])


def convolution_is_read_twice(x):
    x = L.Conv2D(3, 3, padding="same")(x)
    return [x, L.ReLU()(L.BatchNormalization()(x))]


def relu_is_read_beside_its_pooling(x):
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(3, 3, padding="same")(x)))
    return [L.MaxPooling2D(2)(x), L.GlobalMaxPooling2D()(x)]


def layers_called_twice(x):
    conv, norm, relu = L.Conv2D(2, 3, padding="same"), L.BatchNormalization(), L.ReLU()
    return relu(norm(conv(relu(norm(conv(x))))))


def relu_of_a_convolution_is_an_output(x):
    x = L.Conv2D(3, 3, activation="relu")(x)
    return [x, L.MaxPooling2D(2)(x)]


def linear_output_is_read_twice(x):
    before = L.Conv2D(3, 3)(x)
    return L.Add()([L.ReLU()(before), before])


def pooled_twice(x):
    x = L.Conv2D(3, 3, activation="relu")(x)
    return [L.MaxPooling2D(2)(x), L.MaxPooling2D((1, 2))(x), L.Conv2D(2, 1)(x)]


BRANCHED = [
    pre_activation_is_an_output,
    pre_activation_itself_is_an_output,
    residual,
    convolution_is_read_twice,
    relu_is_read_beside_its_pooling,
    layers_called_twice,
    relu_of_a_convolution_is_an_output,
    linear_output_is_read_twice,
    pooled_twice,
]


@pytest.mark.parametrize("build", BRANCHED)
def test_what_is_read_elsewhere_keeps_its_value(monkeypatch, build):
    x = images((4, 6, 2))

    def train():
        model = functional(build)
        outputs = model.output if isinstance(model.output, list) else [model.output]
        rng = np.random.default_rng(1)
        y = [rng.normal(0, 1, (6, *o.shape[1:])).astype("float32") for o in outputs]
        losses = [model.train_on_batch(x, y if len(y) > 1 else y[0]) for _ in range(2)]
        weights = [np.asarray(w) for w in model.weights]
        predicted = model.predict(x, verbose=0)
        predicted = predicted if isinstance(predicted, list) else [predicted]
        return [*weights, np.asarray(losses), *predicted]

    assert_equal(both(monkeypatch, train))


def test_a_frozen_norm_trains_what_lies_below(monkeypatch):
    def make():
        model = sequential((4, 6, 2), *norm_relu(3), lambda: L.MaxPooling2D(2), *HEAD)
        model.layers[1].trainable = False
        model.compile(keras.optimizers.SGD(0.1), "mse")
        return model

    assert_equal(both(monkeypatch, lambda: trained(make, images((4, 6, 2)))))


@pytest.mark.parametrize("training", [True, False])
def test_bits_do_not_depend_on_the_number_of_threads(training):
    x = images((16, 16, 3), batch=9)

    def make():
        return sequential(
            (16, 16, 3), *norm_relu(16), *norm_relu(33), lambda: L.MaxPooling2D(2), *HEAD
        )

    results, before = [], kernels.num_threads()
    try:
        for threads in (1, 2, 3, 8):
            kernels.set_num_threads(threads)
            results.append(trained(make, x) if training else [make().predict(x, verbose=0)])
    finally:
        kernels.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a.tobytes() == b.tobytes()
