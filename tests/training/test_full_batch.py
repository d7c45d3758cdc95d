"""`fit` with a full-batch optimizer: known minima, the same for any chunks, callbacks, refusals."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops
from minikeras.data import ArrayData
from minikeras.training import preparation
from minikeras.training.feeding import RowFeeder
from minikeras.training.objective import Objective

NAMES = ("lbfgs", "bfgs", "conjugate_gradient", "newton_cg")
every = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.fixture
def line(rng):
    x = rng.standard_normal((70, 3))
    return x, x @ [[1.0, 0.5], [-2.0, 0.0], [0.5, 3.0]] + 0.1 + 0.05 * rng.standard_normal((70, 2))


@pytest.fixture(scope="module")
def digits():
    (x, y), _ = keras.datasets.digits.load_data()
    return x.reshape(-1, 64) / 16, y


def least_squares(x, y):
    augmented = np.column_stack([x, np.ones(len(x))])
    return np.linalg.lstsq(augmented, y, rcond=None)[0]


def model(optimizer="lbfgs", loss="mse", hidden=(), units=2, **compile_arguments):
    made = keras.Sequential([keras.Input((3,)), *hidden, layers.Dense(units)])
    made.compile(optimizer, loss, **compile_arguments)
    return made


def deep(optimizer="lbfgs", loss="mse", **compile_arguments):
    """A smooth network with penalties of all kinds."""
    l2 = keras.regularizers.L2(0.01)
    hidden = layers.Dense(5, "tanh", kernel_regularizer=l2, activity_regularizer="l2")
    return model(optimizer, loss, [hidden], **compile_arguments)


def objective(made, x, y, sample_weight=None, batch_size=None, class_weight=None):
    x, y = preparation.prepare(made, x, y)
    rows = batch_size or len(x)
    data = ArrayData(x, y, sample_weight, batch_size=rows, class_weight=class_weight, num_classes=2)
    return Objective(made, RowFeeder(made.steps("train"), data, made.step_data), list(data))


# --- known minima ---


@every
def test_linear_regression_reaches_the_solution_of_its_equations(name, line):
    made = model(name)
    made.fit(*line, epochs=100, verbose=0)
    assert made.optimizer.converged
    weights = np.vstack(made.get_weights())
    np.testing.assert_allclose(weights, least_squares(*line), atol=1e-4)


@every
def test_in_float64_it_is_reached_to_the_tolerance_of_the_gradient(name, line, float64):
    optimizer = type(keras.optimizers.get(name))(tolerance=0, gradient_tolerance=1e-9)
    made = model(optimizer)
    made.fit(*line, epochs=100, batch_size=32, verbose=0)
    assert optimizer.result.reason == "gradient"
    np.testing.assert_allclose(np.vstack(made.get_weights()), least_squares(*line), atol=1e-8)


def test_newton_takes_one_epoch_on_a_quadratic(line, float64):
    made = model(keras.optimizers.NewtonCG(forcing=1e-12))
    history = made.fit(*line, epochs=20, verbose=0).history
    assert len(history["loss"]) == 1
    np.testing.assert_allclose(np.vstack(made.get_weights()), least_squares(*line), atol=1e-8)


# scikit-learn 1.9.1: LogisticRegression(C=1 / (2 * 0.001 * 1438), tol=1e-12), newton-cg
OPTIMUM = {"loss": 0.34977906358674915, "accuracy": 0.9791376912378303, "squares": 165.39772997}


@pytest.mark.parametrize("name", ["lbfgs", "conjugate_gradient", "newton_cg"])
def test_logistic_regression_on_digits_reaches_the_optimum_of_scikit_learn(name, digits):
    made = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(10, "softmax", kernel_regularizer=keras.regularizers.L2(0.001)),
        ]
    )
    made.compile(name, "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = made.fit(*digits, epochs=400, verbose=0).history
    assert made.optimizer.converged
    assert history["loss"][-1] == pytest.approx(OPTIMUM["loss"], rel=1e-5)
    assert history["accuracy"][-1] == pytest.approx(OPTIMUM["accuracy"], abs=1e-6)
    squares = np.square(made.get_weights()[0].astype("float64")).sum()
    assert squares == pytest.approx(OPTIMUM["squares"], rel=1e-3)
    limit = {"lbfgs": 130, "conjugate_gradient": 200, "newton_cg": 12}[name]
    assert len(history["loss"]) <= limit


@every
def test_rosenbrock_is_minimised_as_the_loss_of_a_layer(name, float64):
    class Valley(layers.Layer):
        def build(self, shape):
            self.at = self.add_weight((2,), lambda shape, dtype=None: np.array([-1.2, 1.0]))

        def call(self, x):
            a, b = self.at[1] - ops.square(self.at[0]), 1 - self.at[0]
            self.add_loss(100 * ops.square(a) + ops.square(b))
            return x

    made = keras.Sequential([keras.Input((1,)), Valley()])
    made.compile(name)
    made.fit(np.ones((2, 1)), epochs=200, verbose=0)
    assert made.optimizer.result.reason == "gradient"
    np.testing.assert_allclose(made.get_weights()[0], [1.0, 1.0], atol=2e-5)


# --- one function ---


@every
def test_the_trajectory_is_the_same_for_chunks_of_any_size(name, line, float64):
    runs = []
    for rows in (70, 32, 7, 1, None):
        keras.utils.set_random_seed(3)
        made = deep(name, metrics=["mae"])
        runs.append(made.fit(*line, epochs=8, batch_size=rows, verbose=0).history)
    for other in runs[1:]:
        np.testing.assert_allclose(other["loss"], runs[0]["loss"], rtol=1e-6)
        np.testing.assert_allclose(other["mae"], runs[0]["mae"], rtol=1e-6)


REDUCTIONS = ("sum_over_batch_size", "sum", "mean_with_sample_weight")


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_and_gradient_are_those_of_one_big_batch(reduction, weighted, line, rng, float64):
    loss = keras.losses.MeanSquaredError(reduction=reduction)
    weight = rng.uniform(0, 3, 70) if weighted else None
    made = deep(loss=loss)
    at = objective(made, *line, weight)
    expected = made.test_on_batch(*line, sample_weight=weight)
    x = at.read()
    value, gradient = at.evaluate(x)
    assert value == pytest.approx(expected, rel=1e-12)
    if reduction == "mean_with_sample_weight":
        return
    chunks = objective(made, *line, weight, batch_size=16)
    value_of_chunks, gradient_of_chunks = chunks.evaluate(x)
    assert value_of_chunks == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(gradient_of_chunks, gradient, rtol=1e-9, atol=1e-14)


def test_class_weights_count_over_all_samples(rng, float64):
    x, y = rng.standard_normal((50, 3)), rng.integers(0, 2, 50)
    loss = "sparse_categorical_crossentropy"
    weights = {0: 0.3, 1: 2.0}
    made = keras.Sequential([keras.Input((3,)), layers.Dense(2, "softmax")])
    made.compile("lbfgs", loss)
    probabilities = made.predict(x, verbose=0)[np.arange(50), y]
    expected = np.mean(np.where(y == 1, 2.0, 0.3) * -np.log(probabilities))
    at = objective(made, x, y, batch_size=16, class_weight=weights)
    assert at.evaluate(at.read())[0] == pytest.approx(expected, rel=1e-9)


def slope(function, x, direction, step=1e-5):
    return (function(x + step * direction) - function(x - step * direction)) / (2 * step)


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize("loss", ["mse", "sum"])
def test_gradient_and_hessian_products_agree_with_finite_differences(
    eagerly, loss, line, rng, float64
):
    loss = keras.losses.MeanSquaredError(reduction="sum") if loss == "sum" else loss
    at = objective(deep(loss=loss, run_eagerly=eagerly), *line, batch_size=32)
    x = at.read() + 0.1
    direction = rng.standard_normal(at.size)
    _, gradient = at.evaluate(x)
    assert gradient @ direction == pytest.approx(
        slope(lambda p: at.evaluate(p)[0], x, direction), rel=1e-7, abs=1e-8
    )
    expected = slope(lambda p: at.evaluate(p)[1], x, direction)
    np.testing.assert_allclose(at.product(x, direction), expected, rtol=1e-6, atol=1e-7)


SECOND_ORDER = {
    "relu, softmax, labels": (("relu", "softmax"), "sparse_categorical_crossentropy"),
    "gelu, softmax, one-hot": (("gelu", "softmax"), "categorical_crossentropy"),
    "sigmoid": (("elu", "sigmoid"), "binary_crossentropy"),
    "softplus": (("softplus", "linear"), "huber"),
    "silu": (("silu", "linear"), "log_cosh"),
}


@pytest.mark.parametrize("case", SECOND_ORDER)
def test_hessian_products_are_exact_through_every_fused_step(case, rng, float64):
    (first, last), loss = SECOND_ORDER[case]
    x, labels = rng.standard_normal((20, 3)), rng.integers(0, 2, 20)
    y = labels if "sparse" in loss else np.eye(2)[labels]
    made = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(6, first),
            layers.BatchNormalization(trainable=False),
            layers.Dense(2, last),
        ]
    )
    made.compile("newton_cg", loss)
    at = objective(made, x, y)
    point = at.read() + 0.05
    direction = rng.standard_normal(at.size)
    expected = slope(lambda p: at.evaluate(p)[1], point, direction)
    np.testing.assert_allclose(at.product(point, direction), expected, rtol=1e-5, atol=1e-7)


def test_metrics_after_an_evaluation_are_those_of_its_point(line):
    made = deep(metrics=["mae"])
    at = objective(made, *line, batch_size=16)
    x = at.read()
    at.evaluate(x + 1)
    at.settle(x)
    seen = made.get_metrics_result()
    assert at.holds(x)
    assert seen["mae"] == pytest.approx(made.evaluate(*line, verbose=0)[1], rel=1e-5)


def test_several_outputs_have_their_losses_summed(line):
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(1), layers.Dense(1)

        def call(self, x):
            return {"a": self.one(x), "b": self.two(x)}

    x, y = line
    made = Two()
    targets = {"a": y[:, :1], "b": y[:, 1:]}
    made.compile("newton_cg", {"a": "mse", "b": "mse"}, loss_weights={"a": 1.0, "b": 0.5})
    history = made.fit(x, targets, epochs=30, batch_size=16, verbose=0).history
    expected = least_squares(x, y)
    np.testing.assert_allclose(np.vstack(made.one.get_weights()), expected[:, :1], atol=1e-4)
    np.testing.assert_allclose(np.vstack(made.two.get_weights()), expected[:, 1:], atol=1e-4)
    assert history["loss"][-1] == pytest.approx(
        history["a_loss"][-1] + history["b_loss"][-1] / 2, rel=1e-5
    )


# --- epochs and callbacks ---


class Spy(keras.callbacks.Callback):
    def __init__(self):
        self.calls, self.weights, self.logs = [], [], []

    def on_train_begin(self, logs=None):
        self.calls.append("train begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"begin {epoch}")

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(f"batch {batch}")

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(f"done {batch}")
        self.logs.append(dict(logs))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(f"end {epoch}")
        self.weights.append(self.model.get_weights())

    def on_train_end(self, logs=None):
        self.calls.append("train end")


def test_callbacks_see_every_iteration_as_an_epoch_of_one_batch(line):
    spy, made = Spy(), deep(metrics=["mae"])
    history = made.fit(
        *line, epochs=3, batch_size=16, verbose=0, callbacks=[spy], validation_data=line
    ).history
    epochs = [[f"begin {e}", "batch 0", "done 0", f"end {e}"] for e in range(3)]
    assert spy.calls == ["train begin", *sum(epochs, []), "train end"]
    assert list(history) == ["loss", "mae", "val_loss", "val_mae"]
    assert [logs["loss"] for logs in spy.logs] == history["loss"]
    assert int(made.optimizer.iterations) == 3


@every
def test_at_the_end_of_an_epoch_the_weights_are_those_of_its_loss(name, line):
    spy, made = Spy(), deep(name, metrics=["mae"])
    history = made.fit(*line, epochs=6, verbose=0, callbacks=[spy]).history
    assert np.all(np.diff(history["loss"]) < 0)
    for weights, loss, mae in zip(spy.weights, history["loss"], history["mae"], strict=True):
        made.set_weights(weights)
        assert made.evaluate(*line, verbose=0) == pytest.approx([loss, mae], rel=1e-5)


def test_convergence_ends_training_and_is_said_once(line, capsys):
    made = model()
    history = made.fit(*line, epochs=50, verbose=2).history
    assert len(history["loss"]) < 20
    assert made.optimizer.converged
    lines = capsys.readouterr().out.splitlines()
    said = [text for text in lines if "converged" in text]
    assert said == [lines[-1]]
    assert f"LBFGS has converged after {len(history['loss'])} of 50 epochs: no entry" in said[0]
    made.fit(*line, epochs=50, verbose=0)
    assert capsys.readouterr().out == ""


def test_training_from_the_minimum_reports_it_in_one_epoch(line):
    made = model()
    last = made.fit(*line, epochs=50, verbose=0).history["loss"][-1]
    weights = made.get_weights()
    assert made.fit(*line, epochs=50, verbose=0).history["loss"] == pytest.approx([last])
    for before, after in zip(weights, made.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_loss_that_is_no_number_ends_training_with_one_warning(line):
    x, y = line
    with pytest.warns(UserWarning, match="The loss of epoch 1 is nan") as caught:
        history = model().fit(x * np.nan, y, epochs=9, verbose=0).history
    assert len(caught) == 1
    assert len(history["loss"]) == 1


def test_a_search_that_finds_no_step_warns_and_keeps_the_weights(line):
    def wrong_way(y_true, y_pred):
        value = ops.mean(ops.square(y_true - y_pred), axis=-1)
        return 2 * ops.stop_gradient(value) - value

    made = model(loss=wrong_way)
    before = made.get_weights()
    with pytest.warns(UserWarning, match="LBFGS ended after 0 iterations without") as caught:
        history = made.fit(*line, epochs=9, verbose=0).history
    assert caught[0].filename == __file__
    assert len(history["loss"]) == 1
    for old, new in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_early_stopping_and_best_weights_work(line, rng):
    x, y = line
    noise = (x, rng.standard_normal(y.shape))
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    made = deep()
    history = made.fit(*line, epochs=60, verbose=0, callbacks=[stop], validation_data=noise).history
    assert len(history["loss"]) < 60
    assert made.optimizer.result.reason == "stopped"
    best = min(history["val_loss"])
    assert made.evaluate(*noise, verbose=0) == pytest.approx(best, rel=1e-5)


def test_initial_epoch_counts_the_iterations_that_are_left(line):
    history = deep().fit(*line, epochs=7, initial_epoch=4, verbose=0)
    assert history.epoch == [4, 5, 6]


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_epoch_begin"])
def test_weights_that_a_callback_changes_are_gone_on_from(hook, line):
    class Jump(keras.callbacks.Callback):
        def jump(self, epoch, logs=None):
            if epoch == 2:
                self.model.set_weights([np.full_like(w, 5) for w in self.model.get_weights()])

    setattr(Jump, hook, Jump.jump)
    made = model()
    history = made.fit(*line, epochs=60, verbose=0, callbacks=[Jump()])
    losses, after = history.history["loss"], 3 if hook == "on_epoch_end" else 2
    assert losses[after] > 10 * losses[1]  # the first step from the new place
    assert history.epoch == list(range(len(losses)))
    assert made.optimizer.converged
    np.testing.assert_allclose(np.vstack(made.get_weights()), least_squares(*line), atol=1e-4)


def test_an_interruption_leaves_the_weights_of_the_last_iteration(line):
    spy, made = Spy(), deep()

    class Impatient(keras.losses.Loss):
        calls = 0

        def call(self, y_true, y_pred):
            Impatient.calls += 1
            if Impatient.calls == 5:
                raise KeyboardInterrupt
            return ops.mean(ops.square(y_true - y_pred), axis=-1)

    made.compile("lbfgs", Impatient(), run_eagerly=True)
    with pytest.raises(KeyboardInterrupt):
        made.fit(*line, epochs=30, verbose=0, callbacks=[spy])
    assert spy.calls[-1] == "train end"
    for last, now in zip(spy.weights[-1], made.get_weights(), strict=True):
        np.testing.assert_array_equal(last, now)


def test_frozen_weights_stay(line):
    made = deep()
    made.layers[0].trainable = False
    before = made.layers[0].get_weights()
    made.fit(*line, epochs=5, verbose=0)
    for old, new in zip(before, made.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_resumed_run_goes_on_from_its_weights(line, tmp_path):
    path = str(tmp_path / "run.weights.h5")

    class Save(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                self.model.training_run.save(path)

    class Resume(Save):
        def on_train_begin(self, logs=None):
            self.model.training_run.resume_from(path)

        def on_epoch_end(self, epoch, logs=None):
            pass

    first = deep()
    expected = first.fit(*line, epochs=3, verbose=0, callbacks=[Save()]).history["loss"]
    second = deep()
    Resume.__name__ = "Save"  # a run is resumed with the callbacks that it had
    history = second.fit(*line, epochs=6, verbose=0, callbacks=[Resume()])
    assert history.epoch == [0, 1, 2, 3, 4, 5]
    assert history.history["loss"][:3] == expected
    assert np.all(np.diff(history.history["loss"]) < 0)
    assert int(second.optimizer.iterations) == 6


# --- beside fit ---


def test_evaluate_predict_and_test_on_batch_work_as_ever(line):
    made = model(metrics=["mae"])
    assert made.predict(line[0], verbose=0).shape == (70, 2)
    assert made.evaluate(*line, verbose=0) == pytest.approx(made.test_on_batch(*line), rel=1e-5)


@pytest.mark.parametrize("extension", ["keras", "h5"])
def test_a_saved_model_comes_back_with_its_optimizer(extension, line, tmp_path):
    made = deep(keras.optimizers.LBFGS(tolerance=1e-4, history=7))
    made.fit(*line, epochs=3, verbose=0)
    made.save(tmp_path / f"m.{extension}")
    again = keras.saving.load_model(tmp_path / f"m.{extension}")
    assert again.optimizer.get_config() == made.optimizer.get_config()
    assert int(again.optimizer.iterations) == 3
    np.testing.assert_array_equal(
        again.predict(line[0], verbose=0), made.predict(line[0], verbose=0)
    )
    more = again.fit(*line, epochs=2, verbose=0).history["loss"]
    assert more[-1] < made.history.history["loss"][-1]


# --- refusals ---


def dropout(line):
    model(hidden=[layers.Dropout(0.5, name="drop")]).fit(*line)


def noise_in_a_nested_model(line):
    inner = keras.Sequential([layers.Dense(3), layers.Dropout(0.5, name="deep_inside")])
    model(hidden=[inner]).fit(*line)


def batch_normalization(line):
    model(hidden=[layers.BatchNormalization(name="norm")]).fit(*line)


def constraint(line):
    model(hidden=[layers.Dense(2, kernel_constraint="non_neg", name="held")]).fit(*line)


def nothing_to_train(line):
    made = model()
    made.trainable = False
    made.fit(*line)


def weighted_mean_in_chunks(line):
    model(loss=keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")).fit(
        *line, batch_size=16
    )


def no_reduction(line):
    model(loss=keras.losses.MeanSquaredError(reduction=None)).fit(*line)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (dropout, ValueError, r"Received: layers that draw random .*: 'drop' \(Dropout\)\."),
        (noise_in_a_nested_model, ValueError, r"'deep_inside' \(Dropout\)"),
        (batch_normalization, ValueError, r"'norm' \(BatchNormalization\).*trainable=False"),
        (
            constraint,
            ValueError,
            "cannot keep constraints. Received: constraints on sequential/held/kernel",
        ),
        (nothing_to_train, ValueError, "no variable of the model is trainable"),
        (weighted_mean_in_chunks, ValueError, "reduction 'mean_with_sample_weight'.*batch_size"),
        (no_reduction, ValueError, "a loss that is one number"),
        (lambda line: model().fit(*line, steps_per_epoch=2), ValueError, "steps_per_epoch=2"),
        (lambda line: model().fit(*line, batch_size=0), ValueError, "batch_size"),
        (lambda line: model().fit(iter([line])), TypeError, "fit with LBFGS` takes arrays"),
        (
            lambda line: model().train_on_batch(*line),
            RuntimeError,
            "LBFGS needs the loss of the whole training set.*Call fit",
        ),
    ],
)
def test_what_makes_no_function_of_the_weights_is_refused(wrong, error, words, line):
    with pytest.raises(error, match=words):
        wrong(line)


def test_a_refused_model_is_left_as_it_was(line):
    made = model(hidden=[layers.BatchNormalization(name="norm")])
    before, spy = made.get_weights(), Spy()
    with pytest.raises(ValueError, match="norm"):
        made.fit(*line, callbacks=[spy])
    assert spy.calls == []
    for old, new in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_dropout_that_drops_nothing_and_frozen_normalisation_are_welcome(line):
    norm = layers.BatchNormalization(trainable=False)
    history = model(hidden=[layers.Dropout(0.0), norm]).fit(*line, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
