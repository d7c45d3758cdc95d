"""Programs written for Keras, as users write them: each takes the module and returns numbers.

They run unchanged on Keras (see `record.py`) and on minikeras. Nothing in them is random: weights
are set by a formula, data too, and rows are not shuffled.
"""

import numpy as np

PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def wave(*shape, phase=0.0):
    """Numbers that look like weights or data, the same everywhere."""
    count = int(np.prod(shape))
    return (np.sin(np.arange(count) * 1.7 + phase) * 0.6).astype("float32").reshape(shape)


def set_weights(model):
    model.set_weights([wave(*w.shape, phase=i) for i, w in enumerate(model.get_weights())])


def tape_of(keras):
    """TensorFlow's tape under TensorFlow, ours here."""
    if hasattr(keras, "GradientTape"):
        return keras.GradientTape
    import tensorflow

    return tensorflow.GradientTape


X = wave(20, 6)
Y = wave(20, 1, phase=2.0)
LABELS = np.arange(20) % 3


def summary_of(model, history=None):
    """Losses and weights of a trained model."""
    found = {f"weight {i}": np.asarray(w) for i, w in enumerate(model.get_weights())}
    if history is not None:
        found.update({name: np.array(values) for name, values in history.history.items()})
    return found


@program
def several_inputs_and_outputs(keras):
    title = keras.Input((4,), name="title")
    tags = keras.Input((2,), name="tags")
    x = keras.layers.concatenate([keras.layers.Dense(5, "relu", name="read")(title), tags])
    size = keras.layers.Dense(1, name="size")(x)
    kind = keras.layers.Dense(3, activation="softmax", name="kind")(x)
    model = keras.Model({"title": title, "tags": tags}, {"size": size, "kind": kind})
    set_weights(model)
    model.compile(
        keras.optimizers.RMSprop(1e-2),
        loss={"size": "mse", "kind": "sparse_categorical_crossentropy"},
        loss_weights={"size": 0.5, "kind": 1.0},
        metrics={"kind": ["accuracy"], "size": ["mae"]},
    )
    history = model.fit(
        {"title": X[:, :4], "tags": X[:, 4:]},
        {"size": Y, "kind": LABELS},
        epochs=3,
        batch_size=5,
        shuffle=False,
        verbose=0,
    )
    outputs = model.predict({"title": X[:, :4], "tags": X[:, 4:]}, verbose=0)
    return {**summary_of(model, history), **{f"predicted {k}": v for k, v in outputs.items()}}


@program
def shared_layer(keras):
    one, other = keras.Input((6,)), keras.Input((6,))
    encode = keras.layers.Dense(4, activation="tanh")
    difference = keras.layers.Subtract()([encode(one), encode(other)])
    model = keras.Model([one, other], keras.layers.Dense(1)(difference))
    set_weights(model)
    model.compile("adam", "mse")
    history = model.fit([X, X[::-1]], Y, epochs=2, batch_size=10, shuffle=False, verbose=0)
    return summary_of(model, history)


@program
def nested_model(keras):
    x = keras.Input((6,))
    encoder = keras.Model(x, keras.layers.Dense(2, activation="relu")(x), name="encoder")
    z = keras.Input((2,))
    decoder = keras.Model(z, keras.layers.Dense(6)(z), name="decoder")
    whole = keras.Input((6,))
    model = keras.Model(whole, decoder(encoder(whole)))
    set_weights(model)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse")
    history = model.fit(X, X, epochs=3, batch_size=5, shuffle=False, verbose=0)
    return {**summary_of(model, history), "codes": encoder.predict(X, verbose=0)}


@program
def residual_network(keras):
    x = inputs = keras.Input((6,))
    for _ in range(3):
        branch = keras.layers.Dense(6, activation="relu")(x)
        branch = keras.layers.BatchNormalization()(branch)
        x = keras.layers.add([x, branch])
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    set_weights(model)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(np.ones(6, "float32"))
    model.compile(keras.optimizers.SGD(1e-2), "mse")
    history = model.fit(X, Y, epochs=3, batch_size=10, shuffle=False, verbose=0)
    return summary_of(model, history)


@program
def feature_extractor(keras):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5, activation="relu", name="low"),
            keras.layers.Dense(4, activation="relu", name="high"),
            keras.layers.Dense(1),
        ]
    )
    set_weights(model)
    outputs = [model.get_layer(name).output for name in ("low", "high")]
    low, high = keras.Model(inputs=model.inputs, outputs=outputs).predict(X, verbose=0)
    return {"low": low, "high": high}


@program
def freeze_and_fine_tune(keras):
    base = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(4, activation="relu"),
            keras.layers.BatchNormalization(),
        ]
    )
    base.trainable = False
    inputs = keras.Input((6,))
    model = keras.Model(inputs, keras.layers.Dense(1)(base(inputs)))
    set_weights(model)
    model.layers[1].layers[1].moving_variance.assign(np.ones(4, "float32"))
    model.compile(keras.optimizers.SGD(1e-2), "mse")
    model.fit(X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0)
    frozen = [np.array(w) for w in base.get_weights()]
    base.trainable = True
    model.compile(keras.optimizers.SGD(1e-2), "mse")
    history = model.fit(X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0)
    return {**summary_of(model, history), **{f"frozen {i}": w for i, w in enumerate(frozen)}}


@program
def masks(keras):
    class MeanOverTime(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True

        def call(self, inputs, mask=None):
            weights = keras.ops.expand_dims(keras.ops.cast(mask, "float32"), -1)
            return keras.ops.sum(inputs * weights, axis=1) / keras.ops.sum(weights, axis=1)

        def compute_mask(self, inputs, mask=None):
            return None

        def compute_output_shape(self, input_shape):
            return (input_shape[0], input_shape[-1])

    steps = wave(8, 5, 3)
    steps[::2, 3:] = 0.0
    inputs = keras.Input((5, 3))
    x = keras.layers.Masking()(inputs)
    x = keras.layers.Dense(4, activation="tanh")(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(MeanOverTime()(x)))
    set_weights(model)
    model.compile("sgd", "mse")
    history = model.fit(steps, Y[:8], epochs=2, batch_size=4, shuffle=False, verbose=0)
    return summary_of(model, history)


@program
def subclass_with_lazy_build(keras):
    class Linear(keras.layers.Layer):
        def __init__(self, units=4, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="zeros")
            self.b = self.add_weight(shape=(self.units,), initializer="zeros")

        def call(self, inputs):
            return keras.ops.matmul(inputs, self.w) + self.b

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = Linear(5), Linear(1)

        def call(self, x):
            return self.two(keras.ops.relu(self.one(x)))

    model = Net()
    model(X)
    set_weights(model)
    model.compile(keras.optimizers.Adam(1e-2), "mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=2, batch_size=7, shuffle=False, verbose=0)
    return summary_of(model, history)


@program
def layers_in_a_list(keras):
    class Stack(keras.Model):
        def __init__(self, depth):
            super().__init__()
            self.blocks = [keras.layers.Dense(6, activation="tanh") for _ in range(depth)]
            self.heads = {"out": keras.layers.Dense(1)}

        def call(self, x):
            for block in self.blocks:
                x = x + block(x)
            return self.heads["out"](x)

    model = Stack(3)
    model(X)
    set_weights(model)
    model.compile("adam", "mse")
    history = model.fit(X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0)
    return summary_of(model, history)


@program
def added_loss(keras):
    class Sparse(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(1e-2 * keras.ops.mean(keras.ops.abs(inputs)))
            return inputs

    inputs = keras.Input((6,))
    x = Sparse()(keras.layers.Dense(5, activation="relu", kernel_regularizer="l2")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    set_weights(model)
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0)
    return summary_of(model, history)


@program
def custom_parts(keras):
    def huberish(y_true, y_pred):
        error = keras.ops.abs(y_true - y_pred)
        return keras.ops.mean(keras.ops.where(error < 0.5, error**2, error - 0.25), axis=-1)

    class Within(keras.metrics.Metric):
        def __init__(self, name="within", **kwargs):
            super().__init__(name=name, **kwargs)
            self.hits = self.add_variable(shape=(), initializer="zeros", name="hits")
            self.seen = self.add_variable(shape=(), initializer="zeros", name="seen")

        def update_state(self, y_true, y_pred, sample_weight=None):
            near = keras.ops.cast(keras.ops.abs(y_true - y_pred) < 0.3, "float32")
            self.hits.assign(self.hits + keras.ops.sum(near))
            self.seen.assign(self.seen + keras.ops.cast(keras.ops.size(near), "float32"))

        def result(self):
            return self.hits / self.seen

    class Centered(keras.constraints.Constraint):
        def __call__(self, w):
            return w - keras.ops.mean(w)

    class Halve(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rate = self.model.optimizer.learning_rate
            self.model.optimizer.learning_rate = float(rate) * 0.5

    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(1, kernel_constraint=Centered())]
    )
    set_weights(model)
    model.compile(keras.optimizers.SGD(0.1), huberish, metrics=[Within()])
    history = model.fit(X, Y, epochs=3, batch_size=5, shuffle=False, verbose=0, callbacks=[Halve()])
    return summary_of(model, history)


@program
def own_train_step(keras):
    tape_class = tape_of(keras)

    class Custom(keras.Model):
        def train_step(self, data):
            x, y = data
            with tape_class() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    inputs = keras.Input((6,))
    model = Custom(inputs, keras.layers.Dense(1)(keras.layers.Dense(4, "tanh")(inputs)))
    set_weights(model)
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    history = model.fit(X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0)
    return summary_of(model, history)


@program
def adversarial_networks(keras):
    tape_class = tape_of(keras)

    class Gan(keras.Model):
        def __init__(self, critic, generator):
            super().__init__()
            self.critic, self.generator = critic, generator

        def compile(self, d_optimizer, g_optimizer, loss_fn):
            super().compile()
            self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

        def call(self, x):
            return self.critic(x)

        def train_step(self, data):
            real, noise = data
            labels = keras.ops.concatenate(
                [keras.ops.ones((5, 1)), keras.ops.zeros((5, 1))], axis=0
            )
            with tape_class() as tape:
                both = keras.ops.concatenate([self.generator(noise), real], axis=0)
                d_loss = self.loss_fn(labels, self.critic(both))
            weights = self.critic.trainable_weights
            self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))
            with tape_class() as tape:
                fake = self.critic(self.generator(noise))
                g_loss = self.loss_fn(keras.ops.zeros((5, 1)), fake)
            weights = self.generator.trainable_weights
            self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
            return {"d_loss": d_loss, "g_loss": g_loss}

    critic = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)]
    )
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6)])
    set_weights(critic)
    set_weights(generator)
    gan = Gan(critic, generator)
    gan.compile(
        d_optimizer=keras.optimizers.Adam(1e-2),
        g_optimizer=keras.optimizers.Adam(1e-2),
        loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    history = gan.fit(X, wave(20, 2, phase=5.0), epochs=2, batch_size=5, shuffle=False, verbose=0)
    return {
        **summary_of(critic, history),
        **{f"generator {i}": np.asarray(w) for i, w in enumerate(generator.get_weights())},
    }


@program
def variational_autoencoder(keras):
    tape_class = tape_of(keras)

    class Vae(keras.Model):
        def __init__(self, encoder, decoder):
            super().__init__()
            self.encoder, self.decoder = encoder, decoder
            self.total = keras.metrics.Mean(name="total")

        @property
        def metrics(self):
            return [self.total]

        def call(self, x):
            return self.decoder(self.encoder(x)[0])

        def train_step(self, data):
            x, noise = data
            with tape_class() as tape:
                mean, log_variance = self.encoder(x)
                z = mean + keras.ops.exp(0.5 * log_variance) * noise
                error = keras.ops.mean(keras.ops.sum((x - self.decoder(z)) ** 2, axis=-1))
                kl = -0.5 * (1 + log_variance - mean**2 - keras.ops.exp(log_variance))
                loss = error + keras.ops.mean(keras.ops.sum(kl, axis=1))
            gradients = tape.gradient(loss, self.trainable_weights)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))
            self.total.update_state(loss)
            return {"total": self.total.result()}

    x = keras.Input((6,))
    hidden = keras.layers.Dense(5, "relu")(x)
    encoder = keras.Model(x, [keras.layers.Dense(2)(hidden), keras.layers.Dense(2)(hidden)])
    z = keras.Input((2,))
    decoder = keras.Model(z, keras.layers.Dense(6)(z))
    set_weights(encoder)
    set_weights(decoder)
    vae = Vae(encoder, decoder)
    vae.compile(keras.optimizers.Adam(1e-2))
    noise = wave(20, 2, phase=9.0)
    history = vae.fit(X, noise, epochs=2, batch_size=5, shuffle=False, verbose=0)
    return {**summary_of(encoder, history), "decoded": decoder.predict(noise, verbose=0)}


@program
def loop_with_a_tape(keras):
    tape_class = tape_of(keras)
    inputs = keras.Input((6,))
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Dense(5, "relu")(inputs)))
    set_weights(model)
    optimizer = keras.optimizers.SGD(learning_rate=0.1)
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    losses = []
    for _ in range(2):
        for start in range(0, 20, 5):
            x, y = X[start : start + 5], LABELS[start : start + 5]
            with tape_class() as tape:
                logits = model(x, training=True)
                loss = loss_fn(y, logits)
            gradients = tape.gradient(loss, model.trainable_weights)
            optimizer.apply(gradients, model.trainable_weights)
            accuracy.update_state(y, logits)
            losses.append(float(loss))
    return {**summary_of(model), "losses": np.array(losses), "accuracy": float(accuracy.result())}


@program
def gradient_penalty(keras):
    tape_class = tape_of(keras)
    inputs = keras.Input((6,))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(5, "tanh")(inputs)))
    set_weights(model)
    optimizer = keras.optimizers.SGD(0.05)
    for start in range(0, 20, 5):
        x = keras.ops.convert_to_tensor(X[start : start + 5])
        with tape_class() as outer:
            with tape_class() as inner:
                watched = inner.watch(x)
                x = x if watched is None else watched
                y = keras.ops.sum(model(x, training=True))
            slopes = inner.gradient(y, x)
            loss = keras.ops.mean((keras.ops.sum(slopes**2, axis=1) - 1.0) ** 2)
        gradients = outer.gradient(loss, model.trainable_weights)
        pairs = zip(gradients, model.trainable_weights)
        optimizer.apply_gradients([(g, w) for g, w in pairs if g is not None])
    return summary_of(model)


@program
def accumulated_gradients(keras):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)]
    )
    set_weights(model)
    model.compile(keras.optimizers.Adam(1e-2, gradient_accumulation_steps=2), "mse")
    history = model.fit(X, Y, epochs=3, batch_size=5, shuffle=False, verbose=0)
    return summary_of(model, history)


@program
def own_optimizer(keras):
    class Signs(keras.optimizers.Optimizer):
        def __init__(self, learning_rate=0.01, **kwargs):
            super().__init__(learning_rate=learning_rate, **kwargs)

        def build(self, variables):
            super().build(variables)
            self.sums = [self.add_variable_from_reference(v, "sum") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            total = self.sums[self._get_variable_index(variable)]
            self.assign(total, total * 0.9 + gradient)
            self.assign_sub(variable, learning_rate * keras.ops.sign(total))

    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)]
    )
    set_weights(model)
    model.compile(Signs(), "mse")
    history = model.fit(X, Y, epochs=2, batch_size=5, shuffle=False, verbose=0)
    return summary_of(model, history)


@program
def lambda_layer(keras):
    inputs = keras.Input((6,))
    x = keras.layers.Lambda(lambda t: keras.ops.abs(t) + 1.0)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Lambda(lambda t: t**2)(x)))
    set_weights(model)
    model.compile("adam", "mse")
    return summary_of(model, model.fit(X, Y, epochs=2, batch_size=5, shuffle=False, verbose=0))


@program
def stateless_calls(keras):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4), keras.layers.BatchNormalization()]
    )
    set_weights(model)
    trainable = [np.asarray(v) * 0.5 for v in model.trainable_variables]
    others = [np.asarray(v) for v in model.non_trainable_variables]
    outputs, others = model.stateless_call(trainable, others, X, training=True)
    found = {f"other {i}": np.asarray(v) for i, v in enumerate(others)}
    optimizer = keras.optimizers.Adam(1e-2)
    optimizer.build(model.trainable_variables)
    gradients = [np.ones(v.shape, "float32") for v in model.trainable_variables]
    state = [np.asarray(v.value) for v in optimizer.variables]
    trainable, state = optimizer.stateless_apply(state, gradients, trainable)
    found.update({f"updated {i}": np.asarray(v) for i, v in enumerate(trainable)})
    metric = keras.metrics.Mean()
    values = metric.stateless_update_state([np.float32(0), np.float32(0)], np.float32([1, 2, 6]))
    return {**found, "outputs": np.asarray(outputs), "mean": float(metric.stateless_result(values))}
