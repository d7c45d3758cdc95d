"""Sequential: building, training, batches, what it refuses."""

import contextlib
import io

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers


@pytest.fixture
def blobs(rng):
    """Two clouds of points that a line separates."""
    y = rng.integers(0, 2, 200)
    x = (rng.standard_normal((200, 3)) + 3 * y[:, None]).astype("float32")
    return x, y


def classifier(**compile_arguments):
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(8, "relu"), layers.Dense(2, "softmax")]
    )
    arguments = {
        "optimizer": "adam",
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    }
    model.compile(**{**arguments, **compile_arguments})
    return model


def test_the_slides_program_runs_as_printed(rng):
    x, y = (
        rng.random((50, 28 * 28)).astype("float32"),
        np.eye(10, dtype="float32")[rng.integers(0, 10, 50)],
    )
    model = keras.Sequential()
    model.add(layers.Dense(units=500, input_dim=28 * 28, activation="sigmoid"))
    model.add(layers.Dense(units=500, activation="sigmoid"))
    model.add(layers.Dense(units=10, activation="softmax"))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(lr=0.1), metrics=["accuracy"])
    model.fit(x, y, epochs=2, batch_size=25, verbose=0)
    score = model.evaluate(x, y, verbose=0)
    assert len(score) == 2
    assert model.predict(x).shape == (50, 10)
    assert model.count_params() == 784 * 500 + 500 + 500 * 500 + 500 + 500 * 10 + 10


def test_a_model_without_input_shape_is_built_by_the_data(blobs):
    x, y = blobs
    model = keras.Sequential([layers.Dense(8, "relu"), layers.Dense(2, "softmax")])
    assert not model.built
    with pytest.raises(AttributeError, match="not built"):
        _ = model.output_shape
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=1, verbose=0)
    assert model.input_shape == (None, 3)
    assert [w.shape for w in model.weights] == [(3, 8), (8,), (8, 2), (2,)]


def test_training_separates_two_clouds_and_reports_it(blobs):
    x, y = blobs
    model = classifier(optimizer=keras.optimizers.Adam(0.05))
    history = model.fit(x, y, epochs=15, verbose=0, validation_split=0.2)
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history.history["accuracy"][-1] > 0.95
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert accuracy > 0.95
    assert model.evaluate(x, y, verbose=0, return_dict=True) == pytest.approx(
        {"loss": loss, "accuracy": accuracy}
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adagrad"])
@pytest.mark.parametrize("weights", [False, True])
def test_replayed_training_gives_the_bits_of_eager_training(blobs, optimizer, weights):
    x, y = blobs
    results = []
    for eager in (False, True):
        keras.utils.set_random_seed(3)
        model = keras.Sequential(
            [
                layers.Dense(9, "tanh", kernel_regularizer="l2"),
                layers.BatchNormalization(),
                layers.Dropout(0.3),
                layers.Dense(2, "softmax"),
            ]
        )
        model.compile(
            optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=eager
        )
        sample_weight = np.linspace(0.5, 2, len(x)) if weights else None
        history = model.fit(x, y, epochs=2, batch_size=32, verbose=0, sample_weight=sample_weight)
        results.append((model.get_weights(), history.history))
    assert results[0][1] == results[1][1]
    for a, b in zip(results[0][0], results[1][0], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [1, 3, 8])
def test_weights_after_training_do_not_depend_on_the_number_of_threads(threads, rng):
    x, y = rng.standard_normal((70, 131)).astype("float32"), rng.integers(0, 7, 70)

    def train(count):
        before = keras.config.num_threads()
        keras.config.set_num_threads(count)
        try:
            keras.utils.set_random_seed(5)
            model = keras.Sequential(
                [
                    layers.Dense(259, "relu"),
                    layers.BatchNormalization(),
                    layers.Dropout(0.4),
                    layers.Dense(67, "sigmoid"),
                    layers.Dense(7, "softmax"),
                ]
            )
            model.compile(
                keras.optimizers.Adam(0.01, global_clipnorm=1.0), "sparse_categorical_crossentropy"
            )
            model.fit(x, y, epochs=3, batch_size=32, verbose=0)
            return model.get_weights()
        finally:
            keras.config.set_num_threads(before)

    for a, b in zip(train(2), train(threads), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_same_seed_gives_the_same_run(blobs):
    x, y = blobs

    def run():
        keras.utils.set_random_seed(11)
        model = classifier()
        model.fit(x, y, epochs=2, verbose=0)
        return model.get_weights()

    for a, b in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_results_are_named_as_in_keras(blobs):
    x, y = blobs

    def shift(y_true, y_pred):
        return keras.ops.mean(y_pred, axis=-1)

    mine = keras.metrics.MeanAbsoluteError(name="mine")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(
        "sgd", "mse", metrics=["mse", shift, mine, "mse"], weighted_metrics=["mse", "mae"]
    )
    names = ["loss", "mse", "shift", "mine", "mse_1", "weighted_mse", "mae"]
    assert model.metrics_names == names
    history = model.fit(x, y, validation_split=0.5, verbose=0).history
    assert list(history) == [*sorted(names), *(f"val_{name}" for name in sorted(names))]
    values = model.evaluate(x, y, verbose=0)
    results = model.evaluate(x, y, verbose=0, return_dict=True)
    assert values == [results[name] for name in names]
    assert results["mse"] == results["mse_1"] == results["weighted_mse"]


def test_a_model_may_say_itself_which_metrics_it_has(blobs):
    x, y = blobs
    seen = keras.metrics.Mean(name="seen")

    class Watched(keras.Sequential):
        @property
        def metrics(self):
            return [seen]

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = super().compute_loss(x, y, y_pred, sample_weight, training)
            seen.update_state(loss * 2.0)
            return loss

    model = Watched([keras.Input((3,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    history = model.fit(x, y, batch_size=100, verbose=0).history
    assert list(history) == ["seen"]
    error = np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2)
    assert history["seen"][0] == pytest.approx(2 * error, rel=1e-4)


def test_batches_have_results_of_their_own(blobs):
    x, y = blobs
    model = classifier(optimizer=keras.optimizers.SGD(0.0))
    first = model.test_on_batch(x[:50], y[:50])
    second = model.test_on_batch(x[50:], y[50:])
    assert second != first
    assert second == pytest.approx(model.evaluate(x[50:], y[50:], verbose=0), rel=1e-5)
    assert model.train_on_batch(x[:50], y[:50], return_dict=True) == pytest.approx(
        dict(zip(["loss", "accuracy"], first, strict=True)), rel=1e-5
    )
    assert model.predict_on_batch(x[:4]).shape == (4, 2)


def test_class_weights_are_sample_weights(blobs):
    x, y = blobs
    a, b = classifier(), classifier()
    b.set_weights(a.get_weights())
    a.fit(x, y, epochs=2, shuffle=False, verbose=0, class_weight={0: 1.0, 1: 3.0})
    b.fit(x, y, epochs=2, shuffle=False, verbose=0, sample_weight=np.where(y == 1, 3.0, 1.0))
    for u, v in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(u, v)


def test_predictions_do_not_depend_on_the_batch_size(blobs):
    x, _ = blobs
    model = classifier()
    whole = model.predict(x, batch_size=200, verbose=0)
    np.testing.assert_array_equal(whole, model.predict(x, batch_size=7, verbose=0))
    np.testing.assert_array_equal(whole, model(x))
    np.testing.assert_array_equal(whole[:1], model.predict(x[:1], verbose=0))


def test_changes_between_fits_are_seen_by_recorded_steps(blobs):
    x, y = blobs
    model = classifier()
    model.fit(x, y, epochs=1, verbose=0)
    frozen = model.layers[0]
    frozen.trainable = False
    before = [w.numpy() for w in frozen.weights], model.layers[1].get_weights()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=1, verbose=0)
    for a, b in zip(before[0], frozen.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(before[1][0], model.layers[1].get_weights()[0])
    model.layers[1].activation = keras.activations.linear
    assert not np.allclose(model.predict(x, verbose=0).sum(axis=1), 1)


def test_layers_are_numbered_in_the_order_of_their_making(blobs):
    model = keras.Sequential([layers.Dense(2), layers.Dense(2, "softmax"), layers.Softmax()])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(*blobs, verbose=0)
    assert [layer.name for layer in model.layers] == ["dense", "dense_1", "softmax"]
    assert layers.Dense(1).name == "dense_2"
    assert layers.Softmax().name == "softmax_1"


def test_add_and_pop_change_the_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    assert model.output_shape == (None, 2)
    assert model.pop().units == 2
    assert model.output_shape == (None, 3)
    model.add(layers.Dense(5))
    assert model.predict(np.ones((2, 4), "float32"), verbose=0).shape == (2, 5)


def test_summary_lists_layers_shapes_and_totals():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()], name="net"
    )
    lines = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    for part in (
        'Model: "net"',
        "dense (Dense)",
        "(None, 3)",
        "Total params: 27",
        "Non-trainable params: 6",
    ):
        assert part in text


def test_summary_counts_bytes_and_what_the_optimizer_keeps(blobs):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(1, dtype="float64")])
    model.compile("adam", "mse")

    def totals():
        lines = []
        model.summary(print_fn=lines.append)
        return "\n".join(lines)

    assert " Total params: 11 (56.00 B)" in totals()
    assert "Optimizer" not in totals()
    model.fit(*blobs, verbose=0)
    assert " Optimizer params: 24 (120.00 B)" in totals()


def test_a_nested_model_is_a_layer():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, "relu")])
    model = keras.Sequential([inner, layers.Dense(2)])
    assert model.output_shape == (None, 2)
    assert len(model.weights) == 4
    twin = keras.Sequential.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    x = np.ones((5, 4), "float32")
    np.testing.assert_array_equal(model.predict(x, verbose=0), twin.predict(x, verbose=0))


MISUSE = {
    "fit before compile": (
        lambda m, x, y: keras.Sequential([layers.Dense(1)]).fit(x, y),
        "compiled before",
    ),
    "wrong feature count": (lambda m, x, y: m.fit(x[:, :2], y), r"3"),
    "wrong rank": (lambda m, x, y: m.predict(np.ones((2, 3, 4, 5))), r"Received"),
    "label out of range": (lambda m, x, y: m.fit(x, y + 1), "between 0 and 1"),
    "one-hot for a sparse loss": (lambda m, x, y: m.fit(x, np.eye(2)[y]), "one-hot"),
    "labels for a categorical loss": (
        lambda m, x, y: classifier(loss="categorical_crossentropy").fit(x, y),
        "class indices",
    ),
    "empty data": (lambda m, x, y: m.fit(x[:0], y[:0]), "empty"),
    "different lengths": (lambda m, x, y: m.fit(x, y[:5]), "same number of samples"),
    "no targets": (lambda m, x, y: m.fit(x), "needs targets"),
    "unknown loss": (lambda m, x, y: m.compile(loss="mean_squred_error"), "Did you mean"),
    "unknown metric": (
        lambda m, x, y: m.compile(loss="mse", metrics=["acuracy"]),
        "Unknown metric",
    ),
    "unknown optimizer": (lambda m, x, y: m.compile("adm"), "Did you mean 'adam'"),
    "metrics not in a list": (
        lambda m, x, y: m.compile(loss="mse", metrics="mae"),
        "must be a list",
    ),
    "negative epochs": (lambda m, x, y: m.fit(x, y, epochs=-1), "epochs"),
    "a class for a layer": (lambda m, x, y: keras.Sequential([layers.Dense]), "Create it first"),
    "validation split of 2": (
        lambda m, x, y: m.fit(x, y, validation_split=2.0),
        "validation_split",
    ),
    "text as data": (lambda m, x, y: m.fit(np.array(["a", "b"]), y[:2]), "text"),
    "targets that would be broadcast": (
        lambda m, x, y: classifier(loss="mse").fit(x, y.reshape(-1, 1)),
        "value by value",
    ),
}


@pytest.mark.parametrize("name", sorted(MISUSE))
def test_misuse_gets_a_clear_error_before_any_weight_changes(name, blobs):
    action, message = MISUSE[name]
    model = classifier()
    before = model.get_weights()
    with pytest.raises((ValueError, TypeError), match=message):
        action(model, *blobs)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_unknown_arguments_of_compile_are_errors():
    with pytest.raises(TypeError, match="Did you mean 'optimizer'"):
        keras.Sequential([layers.Dense(1)]).compile(optimiser="adam")


def test_a_column_of_targets_fits_a_vector_and_the_reverse(rng):
    x, y = rng.standard_normal((20, 3)).astype("float32"), rng.standard_normal(20).astype("float32")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    loss = model.evaluate(x, y, verbose=0)
    assert loss == pytest.approx(
        float(np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2)), rel=1e-5
    )
    assert model.evaluate(x, y[:, None], verbose=0) == loss


def test_interrupting_a_fit_ends_it_cleanly(blobs):
    x, y = blobs
    ended = []

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

        def on_train_end(self, logs=None):
            ended.append(True)

    model = classifier()
    with contextlib.redirect_stdout(io.StringIO()) as out, pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=3, callbacks=[Interrupt()])
    assert ended == [True]
    assert "\r" not in out.getvalue()
    model.fit(x, y, epochs=1, verbose=0)


def test_a_step_that_reads_values_runs_eagerly_and_says_so(blobs):
    x, y = blobs

    def strange(y_true, y_pred):
        loss = keras.ops.mean(keras.ops.square(y_pred))
        return loss * (2.0 if float(loss) > 0.5 else 1.0)

    model = classifier(loss=strange)
    with pytest.warns(UserWarning, match="eagerly"):
        model.fit(x, y, epochs=1, verbose=0)


@pytest.mark.parametrize("method", ["make_train_function", "make_predict_function"])
def test_methods_that_would_not_be_called_are_refused(method, blobs):
    kind = type("Custom", (keras.Sequential,), {method: lambda self, data: {}})
    model = kind([keras.Input((3,)), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(NotImplementedError, match=f"{method}.*Override `train_step`"):
        model.fit(*blobs, verbose=0)


@pytest.mark.parametrize(
    ("loss", "optimizer"), [("mse", "sgd"), ("categorical_crossentropy", "adam")]
)
def test_the_examples_network_trains_to_the_same_bits_replayed_and_eager(loss, optimizer):
    (x, y), _ = keras.datasets.digits.load_data()
    x, y = x.reshape(len(x), -1).astype("float32"), keras.utils.to_categorical(y)
    results = []
    for eager in (False, True):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input((64,)),
                layers.Dense(500, activation="sigmoid"),
                layers.Dense(500, activation="sigmoid"),
                layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile(optimizer, loss, metrics=["accuracy"], run_eagerly=eager)
        history = model.fit(x, y, epochs=1, batch_size=100, verbose=0).history
        results.append((history, model.get_weights()))
    assert results[0][0] == results[1][0]
    for a, b in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("functional", [False, True])
def test_a_model_of_augmentation_changes_images_unless_told_that_it_does_not_train(functional):
    images = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype("float32")
    model = keras.Sequential([keras.Input((6, 6, 3)), layers.RandomRotation(0.3, seed=1)])
    if functional:
        model = keras.Model(model.inputs[0], model.outputs[0])
    assert not np.allclose(model(images), images)
    np.testing.assert_array_equal(model(images, training=False), images)
    np.testing.assert_array_equal(model.predict(images, verbose=0), images)
