import numpy as np
import pytest

import minikeras as keras
from minikeras.autodiff import value_and_grad
from minikeras.callbacks import EarlyStopping, GradientRecorder

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture
def data(rng):
    x = rng.normal(size=(48, 5)).astype("float32")
    return x, x[:, :2].copy()


def network(dropout=0.0):
    layers = [
        keras.Input((5,)),
        keras.layers.Dense(6, "relu", name="first"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(4, name="second"),
        keras.layers.ReLU(name="relu"),
        keras.layers.Dense(2, name="out"),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def fit(model, data, *callbacks, **options):
    options = {"epochs": 2, "batch_size": 8, "validation_data": data, **options}
    return model.fit(*data, verbose=0, callbacks=callbacks, **options).history


def test_norms_are_those_of_the_gradient_of_the_loss(data):
    model, recorder = network(), GradientRecorder()
    history = fit(model, data, recorder)
    layer = model.get_layer("second")
    x, y = data

    def loss(kernel, bias):
        hidden = model.get_layer("norm")(model.get_layer("first")(x), training=False)
        after = keras.ops.relu(keras.ops.matmul(hidden, kernel) + bias)
        return keras.ops.mean(keras.ops.square(model.get_layer("out")(after) - y))

    _, gradients = value_and_grad(loss, argnums=(0, 1))(*layer.get_weights())
    norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
    assert history["gradient_norm_second"][-1] == pytest.approx(norm, rel=1e-5)
    assert sorted(n for n in history if n.startswith("gradient")) == [
        f"gradient_norm_{name}" for name in ("first", "norm", "out", "second")
    ]


def test_dead_units_are_those_that_no_sample_excites(data):
    model = network()
    model.build((None, 5))
    kernel, bias = model.get_layer("first").get_weights()
    bias[:3] = -1e6
    model.get_layer("first").set_weights([kernel, bias])
    model.get_layer("second").set_weights([np.zeros((6, 4)), np.float32([1, 1, 1, -1])])
    model.optimizer.learning_rate = 0.0
    history = fit(model, data, GradientRecorder(), epochs=1)
    assert history["dead_units_first"] == [0.5]
    assert history["dead_units_relu"] == [0.25]


@pytest.mark.parametrize("training", [False, True])
def test_training_is_the_same_to_the_bit(data, training):
    ends = []
    for callbacks in ([], [GradientRecorder(data, every=2, training=training)]):
        keras.utils.set_random_seed(5)
        model = network(dropout=0.3)
        history = fit(model, data, *callbacks, epochs=3)
        ends.append([v.numpy() for v in [*model.variables, *model.optimizer.variables]])
        ends[-1] += [np.array(history["loss"]), np.array(history["val_loss"])]
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_mode_of_training_is_used_when_asked_for(data):
    values = {}
    for training in (False, True):
        keras.utils.set_random_seed(5)
        recorder = GradientRecorder(data, training=training)
        fit(network(dropout=0.5), data, recorder, epochs=1)
        values[training] = recorder.records["gradient_norm_first"][0]
    assert values[False] != values[True]


def test_batches_are_recorded_as_often_as_asked(data):
    recorder = GradientRecorder(every=4)
    history = fit(network(), data, recorder)
    assert recorder.steps == [4, 6, 8, 12]  # the ends of epochs as well
    assert all(len(values) == 4 for values in recorder.records.values())
    assert history["gradient_norm_out"] == [
        recorder.records["gradient_norm_out"][k] for k in (1, 3)
    ]


def test_hooks_of_batches_cost_nothing_when_epochs_are_recorded():
    assert not keras.callbacks.CallbackList([GradientRecorder()]).has_batch_hooks
    assert keras.callbacks.CallbackList([GradientRecorder(every=3)]).has_batch_hooks


def test_another_callback_can_watch_a_norm(data):
    stopper = EarlyStopping("gradient_norm_first", mode="min")
    fit(network(), data, GradientRecorder(), stopper)
    with pytest.raises(ValueError, match="Did you mean 'gradient_norm_first'"):
        fit(network(), data, GradientRecorder(), EarlyStopping("gradient_norm_frst", mode="min"))


def test_layers_of_inner_models_have_their_own_numbers(data):
    inner = keras.Sequential([keras.layers.Dense(3, "relu", name="deep")], name="inner")
    model = keras.Sequential([keras.Input((5,)), inner, keras.layers.Dense(2, name="out")])
    model.compile("sgd", "mse")
    recorder = GradientRecorder()
    fit(model, data, recorder)
    assert sorted(recorder.records) == [
        *("dead_units_inner/deep", "gradient_norm_inner/deep", "gradient_norm_out"),
    ]


def test_a_recorder_used_again_starts_anew(data):
    recorder, model = GradientRecorder(), network()
    fit(model, data, recorder)
    fit(model, data, recorder)
    assert recorder.steps == [18, 24]


def test_norms_and_dead_units_are_drawn(data):
    recorder = GradientRecorder(every=2)
    fit(network(), data, recorder)
    norms, dead = recorder.plot()
    assert norms.get_yscale() == "log"
    assert [len(norms.lines), len(dead.lines)] == [4, 2]
    assert (norms.get_ylabel(), dead.get_ylabel()) == ("gradient norm", "dead units")
    pyplot.close("all")
    with pytest.raises(ValueError, match="nothing to draw"):
        GradientRecorder().plot()


def test_what_cannot_work_is_refused(data):
    with pytest.raises(ValueError, match="needs samples to compute on"):
        fit(network(), data, GradientRecorder(), validation_data=None)
    with pytest.raises(ValueError, match=r"`data` must be \(x, y\)"):
        GradientRecorder(np.zeros(3))
    with pytest.raises(ValueError, match="`every` must be a positive integer"):
        GradientRecorder(every=0)


def test_data_of_ones_own_are_brought_into_shape(rng):
    x, labels = rng.normal(size=(12, 5)), rng.integers(0, 3, 12).astype("uint8")
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    recorder = GradientRecorder((x.tolist(), labels))
    model.fit(x, labels, verbose=0, callbacks=[recorder])
    (norm,) = recorder.records.values()
    assert 0 < norm[0] < 10
