"""Training, test and prediction steps of the user's own, within `fit` and outside of it."""

import warnings

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = RNG.normal(size=(24, 1)).astype("float32")


def network():
    x = keras.Input((4,))
    return x, layers.Dense(1)(layers.Dense(5, "tanh")(x))


class Taped(keras.Model):
    """The step that every guide writes."""

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


def plain():
    return keras.Model(*network())


def taped():
    return Taped(*network())


def trained(make, eager=False, **options):
    keras.utils.set_random_seed(5)
    model = make()
    model.compile("adam", "mse", metrics=["mae"], run_eagerly=eager)
    history = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, **options).history
    return model, history


def assert_same_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("eager", [False, True])
def test_the_usual_step_written_out_trains_to_the_same_bits(eager):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is recorded, not run eagerly
        own, own_history = trained(taped, eager)
    usual, usual_history = trained(plain)
    assert_same_weights(own, usual)
    np.testing.assert_allclose(own_history["loss"], usual_history["loss"], rtol=1e-6)


def test_results_are_those_that_the_step_returns():
    class Halved(Taped):
        def train_step(self, data):
            return {"half": super().train_step(data)["loss"] / 2, "one": 1.0}

    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(dict(logs))

    model = Halved(*network())
    model.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[Look()]).history
    assert set(history) == {"half", "one"}
    assert history["one"] == [1.0, 1.0]
    assert history["half"][-1] == seen[-1]["half"]
    assert len({s["half"] for s in seen}) == 6


class Noisy(keras.Model):
    """Trained on data, called on noise."""

    def __init__(self, layers):
        super().__init__()
        self.generator = keras.Sequential(layers)

    def call(self, noise):
        return self.generator(noise)

    def train_step(self, data):
        with keras.GradientTape() as tape:
            made = self.generator(ops.ones((data.shape[0], 2)))
            loss = ops.mean(ops.square(made - data))
        weights = self.generator.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


@pytest.mark.parametrize("eager", [False, True])
def test_a_loss_returned_is_reported_though_no_metric_took_it(eager):
    model = Noisy([keras.Input((2,)), layers.Dense(4)])
    model.compile("sgd", run_eagerly=eager)
    before = np.square(model(np.ones((24, 2), "float32")) - X).mean()
    history = model.fit(X, batch_size=24, epochs=2, verbose=0).history
    assert history["loss"][0] == pytest.approx(before, rel=1e-5)
    assert history["loss"][1] < history["loss"][0]


def test_a_model_need_not_be_callable_on_what_its_train_step_takes():
    model = Noisy([keras.Input((2,)), layers.Dense(4)])
    model.compile("sgd")
    model.fit(X, verbose=0)
    assert model.predict(np.ones((3, 2), "float32"), verbose=0).shape == (3, 4)
    with pytest.raises(ValueError, match="wrong shape: expected 2 along axis -1"):
        model.predict(X, verbose=0)


def test_super_gives_the_usual_step():
    class Counting(keras.Model):
        def train_step(self, data):
            return super().train_step(data)

    own, history = trained(lambda: Counting(*network()))
    usual, usual_history = trained(plain)
    assert_same_weights(own, usual)
    assert history == usual_history


def test_a_test_step_decides_what_evaluate_returns():
    class Own(keras.Model):
        def test_step(self, data):
            x, y = data
            return {"largest": ops.max(ops.abs(self(x, training=False) - y))}

    model = Own(*network())
    model.compile("sgd", "mse")
    result = model.evaluate(X, Y, batch_size=24, verbose=0, return_dict=True)
    expected = np.abs(model.predict(X, verbose=0) - Y).max()
    assert result == {"largest": pytest.approx(expected, rel=1e-6)}
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert "val_largest" in history


def test_a_predict_step_decides_what_predict_returns():
    class Own(keras.Model):
        def predict_step(self, data):
            return super().predict_step(data) * 0.0 + 7.0

    assert (Own(*network()).predict(X, batch_size=5, verbose=0) == 7.0).all()


def test_metrics_may_be_computed_by_the_model():
    class Own(keras.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**results, "bias": ops.mean(y_pred - y)}

    model, history = trained(lambda: Own(*network()))
    assert set(history) == {"loss", "mae", "bias"}
    usual, usual_history = trained(plain)
    assert_same_weights(model, usual)


def test_metrics_in_attributes_are_reset_and_reported():
    class Own(keras.Model):
        def __init__(self, *args):
            super().__init__(*args)
            self.spread = keras.metrics.Mean(name="spread")

        def train_step(self, data):
            x, y = data
            self.spread.update_state(ops.max(y) - ops.min(y))
            return {"spread": self.spread.result()}

    model = Own(*network())
    model.compile("sgd")
    history = model.fit(X, Y, batch_size=24, epochs=2, verbose=0).history
    assert history["spread"] == pytest.approx([np.ptp(Y)] * 2, rel=1e-6)
    assert "spread" in [m.name for m in model.metrics]


def test_metrics_that_a_model_is_given_later_are_found():
    model = keras.Model(*network())
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model.late = keras.metrics.Mean(name="late")
    model.layers[-1].kept = []
    assert [m.name for m in model.metrics] == ["loss", "late"]
    model.layers[-1].kept.append(keras.metrics.Mean(name="later"))
    assert [m.name for m in model.metrics] == ["loss", "late", "later"]


class Gan(keras.Model):
    """Two networks, two optimizers, no `call`."""

    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential([keras.Input((3,)), layers.Dense(4)])
        self.critic = keras.Sequential(
            [keras.Input((4,)), layers.Dense(6, "relu"), layers.Dense(1)]
        )
        self.seed_generator = keras.random.SeedGenerator(7)

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, real):
        batch = ops.shape(real)[0]
        noise = keras.random.normal((batch, 3), seed=self.seed_generator)
        with keras.GradientTape() as tape:
            scores = self.critic(ops.concatenate([self.generator(noise), real], axis=0))
            labels = ops.concatenate([ops.ones((batch, 1)), ops.zeros((batch, 1))], axis=0)
            d_loss = self.loss_fn(labels, scores)
        weights = self.critic.trainable_weights
        self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)
        noise = keras.random.normal((batch, 3), seed=self.seed_generator)
        with keras.GradientTape() as tape:
            g_loss = self.loss_fn(ops.zeros((batch, 1)), self.critic(self.generator(noise)))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


@pytest.mark.parametrize("eager", [False, True])
def test_two_optimizers_train_two_networks(eager):
    keras.utils.set_random_seed(1)
    gan = Gan()
    before = gan.get_weights()
    gan.compile(
        keras.optimizers.Adam(0.01),
        keras.optimizers.SGD(0.01),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    gan.run_eagerly = eager
    history = gan.fit(X, batch_size=8, epochs=2, verbose=0).history
    assert set(history) == {"d_loss", "g_loss"}
    assert all((a != b).any() for a, b in zip(before, gan.get_weights(), strict=True))
    assert int(gan.d_optimizer.iterations.numpy()) == 6


def test_replayed_and_eager_gans_end_in_the_same_bits():
    weights = []
    for eager in (False, True):
        keras.utils.set_random_seed(1)
        gan = Gan()
        gan.compile(
            keras.optimizers.Adam(0.01),
            keras.optimizers.SGD(0.01),
            keras.losses.BinaryCrossentropy(from_logits=True),
        )
        gan.run_eagerly = eager
        gan.fit(X, batch_size=8, epochs=2, verbose=0)
        weights.append(gan.get_weights())
    for a, b in zip(*weights, strict=True):
        assert a.tobytes() == b.tobytes()


class Penalised(keras.Model):
    """A penalty on the gradient with respect to the input: a gradient of a gradient."""

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as outer:
            with keras.GradientTape() as inner:
                x = inner.watch(x)
                y_pred = self(x, training=True)
                total = ops.sum(y_pred)
            slope = inner.gradient(total, x)
            loss = self.compute_loss(y=y, y_pred=y_pred) + ops.mean(ops.square(slope))
        gradients = outer.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


def test_a_gradient_penalty_is_differentiated_again():
    keras.utils.set_random_seed(2)
    model = Penalised(*network())
    model.compile("sgd", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y, batch_size=24, verbose=0, shuffle=False)
    keras.utils.set_random_seed(2)
    twin = Penalised(*network())

    def loss_at(values):
        twin.set_weights(values)
        w1, b1, w2, b2 = values
        hidden = np.tanh(X @ w1 + b1)
        slope = ((1 - hidden**2) * w2[:, 0]) @ w1.T
        return np.mean((hidden @ w2 + b2 - Y) ** 2) + np.mean(slope**2)

    start = [w.astype("float64") for w in twin.get_weights()]
    for place in ((0, (1, 2)), (2, (3, 0))):
        index, at = place
        numeric = []
        for step in (1e-4, -1e-4):
            moved = [w.copy() for w in start]
            moved[index][at] += step
            numeric.append(loss_at(moved))
        slope = (numeric[0] - numeric[1]) / 2e-4
        step = start[index][at] - model.get_weights()[index][at]
        assert step / 0.01 == pytest.approx(slope, rel=2e-2, abs=2e-4)


def test_a_step_that_reads_numbers_runs_eagerly_and_says_so_once():
    class Reading(Taped):
        def train_step(self, data):
            logs = super().train_step(data)
            self.last = float(logs["loss"])
            return logs

    model = Reading(*network())
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match=r"runs eagerly.*self\.last = float") as caught:
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert len(caught) == 1
    assert model.last > 0


def test_a_step_must_return_a_dict():
    class Wrong(keras.Model):
        def train_step(self, data):
            return data[0]

    model = Wrong(*network())
    model.compile("sgd")
    with pytest.raises(TypeError, match=r"`train_step` must return a dict.*'loss'"):
        model.fit(X, Y, verbose=0)


def test_on_batch_methods_use_the_steps():
    model = taped()
    model.compile("sgd", "mse")
    assert model.train_on_batch(X, Y) == model.get_metrics_result()["loss"]


def test_a_loop_of_ones_own_needs_no_fit():
    keras.utils.set_random_seed(5)
    model = plain()
    optimizer, loss_fn = keras.optimizers.Adam(), keras.losses.MeanSquaredError()
    for _ in range(3):
        for start in range(0, 24, 8):
            with keras.GradientTape() as tape:
                loss = loss_fn(Y[start : start + 8], model(X[start : start + 8], training=True))
            weights = model.trainable_weights
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
    usual, _ = trained(plain, shuffle=False)
    assert_same_weights(model, usual)


def test_a_tape_gives_its_gradient_once_unless_it_is_persistent():
    v = keras.Variable([2.0])
    with keras.GradientTape() as tape:
        y = ops.sum(v * v)
    np.testing.assert_array_equal(tape.gradient(y, [v])[0], [4.0])
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, v)
    with keras.GradientTape(persistent=True) as tape:
        y = v * v
        z = y * v
    np.testing.assert_array_equal(tape.gradient(y, v), [4.0])
    np.testing.assert_array_equal(tape.gradient(z, {"v": v})["v"], [12.0])
    np.testing.assert_array_equal(tape.gradient([y, z], v), [16.0])


def test_a_plain_array_as_a_source_is_an_error_that_says_what_to_do():
    x = np.ones((2, 3), "float32")
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(ops.square(x))
    with pytest.raises(ValueError, match=r"x = tape.watch\(x\).*array of shape \(2, 3\)"):
        tape.gradient(y, x)
    with keras.GradientTape() as tape:
        y = ops.sum(ops.square(tape.watch(x)))
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * x)


def test_frozen_variables_are_not_watched_and_unused_ones_have_no_gradient():
    v, frozen = keras.Variable([2.0]), keras.Variable([3.0], trainable=False)
    with keras.GradientTape() as tape:
        y = ops.sum(v * frozen)
    assert tape.gradient(y, frozen) is None
    unused = keras.Variable([1.0])
    with keras.GradientTape() as tape:
        y = ops.sum(v * frozen)
    assert tape.gradient(y, [v, unused])[1] is None
