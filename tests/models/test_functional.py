"""Models made of graphs of symbols."""

import copy
import pickle

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops

X = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")


def residual():
    x = keras.Input((4,))
    y = layers.Dense(4, activation="relu")(x)
    return keras.Model(x, layers.Dense(1)(x + y), name="residual")


def two_in_two_out():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    shared = layers.Dense(3, name="shared")
    mixed = ops.concatenate(
        [shared(a), b * 2.0, ops.mean(a, axis=1, keepdims=True), a[:, 1:], 1.0 - shared(a)], axis=-1
    )
    outputs = {
        "size": layers.Dense(1, name="size")(ops.relu(mixed)),
        "kind": layers.Dense(2, activation="softmax", name="kind")(mixed),
    }
    return keras.Model({"a": a, "b": b}, outputs)


def inputs_for(model):
    return {"a": X, "b": X[:, :3]} if len(model.inputs) == 2 else X


def test_a_model_is_the_composition_of_its_layers():
    model = residual()
    first, second = model.layers[1:]
    expected = second(X + np.maximum(X @ first.kernel.numpy() + first.bias.numpy(), 0))
    np.testing.assert_allclose(model(X), expected, rtol=1e-6)
    np.testing.assert_array_equal(model.predict(X, verbose=0), model(X))


def test_shapes_of_one_and_of_several_inputs_and_outputs_are_told_as_keras_tells_them():
    entrance = keras.Input((4,))
    for inputs in (entrance, [entrance], {"a": entrance}):
        model = keras.Model(inputs, [layers.Dense(2)(entrance)])
        assert (model.input_shape, model.output_shape) == ((None, 4), (None, 2))
    model = two_in_two_out()
    assert model.input_shape == [(None, 4), (None, 3)]
    assert model.output_shape == [(None, 2), (None, 1)]


def test_layers_come_in_the_order_of_depth_and_operations_have_names():
    keras.backend.clear_session()
    model = two_in_two_out()
    assert [layer.name for layer in model.layers] == ["a", "shared", "b", "kind", "size"]
    assert model.output_names == ["kind", "size"]
    assert {"concatenate", "mean", "get_item", "multiply"} <= {o.name for o in model.operations}


def test_a_shared_layer_has_one_set_of_weights():
    x = keras.Input((4,))
    dense = layers.Dense(4)
    model = keras.Model(x, dense(dense(x)))
    assert len(model.weights) == 2
    np.testing.assert_allclose(model(X), dense(np.asarray(dense(X))), rtol=1e-6)


def test_training_changes_every_branch():
    model = two_in_two_out()
    before = model.get_weights()
    losses = {"size": "mse", "kind": "sparse_categorical_crossentropy"}
    model.compile("adam", losses, metrics={"kind": ["accuracy"]})
    y = {"size": X[:, :1], "kind": np.arange(10) % 2}
    history = model.fit(inputs_for(model), y, epochs=2, verbose=0).history
    assert set(history) == {"loss", "size_loss", "kind_loss", "kind_accuracy"}
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_replayed_steps_give_the_bits_of_eager_ones():
    results = []
    for eager in (False, True):
        keras.utils.set_random_seed(1)
        model = residual()
        model.compile("adam", "mse", run_eagerly=eager)
        model.fit(X, X[:, :1], epochs=2, batch_size=4, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        assert a.tobytes() == b.tobytes()


def test_inputs_are_taken_by_name_or_in_order():
    model = two_in_two_out()
    by_name = model.predict({"a": X, "b": X[:, :3]}, verbose=0)
    in_order = model.predict([X, X[:, :3]], verbose=0)
    for key in by_name:
        np.testing.assert_array_equal(by_name[key], in_order[key])


def test_features_are_read_off_inner_symbols():
    model = two_in_two_out()
    features = keras.Model(model.inputs, model.get_layer("size").input)
    assert features.predict([X, X[:, :3]], verbose=0).shape == (10, 13)
    stack = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    inner = keras.Model(stack.inputs, stack.layers[0].output)
    np.testing.assert_array_equal(inner(X), stack.layers[0](X))


def test_features_are_read_off_a_sequential_within_a_graph():
    base = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    own = base.output
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(1)(base(x * 2.0)))
    features = keras.Model(model.input, model.get_layer(base.name).output)
    np.testing.assert_array_equal(features(X), base(X * 2.0))
    assert base.outputs == [own]
    inner = keras.Model(base.inputs, base.layers[0].output)
    np.testing.assert_array_equal(inner(X), base.layers[0](X))


def test_a_graph_may_start_at_an_inner_symbol():
    x = keras.Input((4,))
    hidden = layers.Dense(3)(x)
    head = keras.Model(hidden, layers.Dense(2)(hidden))
    assert head.predict(np.ones((5, 3), "float32"), verbose=0).shape == (5, 2)


def test_models_are_layers_of_models():
    inner = residual()
    x = keras.Input((4,))
    outer = keras.Model(x, layers.Dense(2)(inner(x * 0.5)))
    assert len(outer.trainable_weights) == 6
    assert outer.get_layer("residual") is inner
    np.testing.assert_allclose(outer(X), outer.layers[-1](inner(X * 0.5)), rtol=1e-6)


def test_a_subclass_may_be_defined_by_inputs_and_outputs():
    class Regressor(keras.Model):
        def __init__(self, units):
            x = keras.Input((4,))
            super().__init__(inputs=x, outputs=layers.Dense(units)(x))
            self.units = units

    model = Regressor(2)
    assert isinstance(model, Regressor)
    assert model(X).shape == (10, 2)
    model.compile("sgd", "mse")
    model.fit(X, X[:, :2], verbose=0)


@pytest.mark.parametrize("extension", ["keras", "h5"])
@pytest.mark.parametrize("make", [residual, two_in_two_out])
def test_files_bring_the_graph_back(tmp_path, make, extension):
    model = make()
    model.compile("adam", "mse")
    path = tmp_path / f"model.{extension}"
    model.save(path)
    again = keras.models.load_model(path)
    one, other = (m.predict(inputs_for(model), verbose=0) for m in (model, again))
    for a, b in zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [o.name for o in again.operations] == [o.name for o in model.operations]
    assert again.get_config() == model.get_config()


def nested():
    inner = residual()
    x = keras.Input((4,))
    return keras.Model(x, inner(x) + inner(-x))


def test_a_nested_model_that_is_called_twice_survives_a_file(tmp_path):
    model = nested()
    model.save(tmp_path / "nested.keras")
    again = keras.models.load_model(tmp_path / "nested.keras")
    np.testing.assert_array_equal(again(X), model(X))
    assert len(again.weights) == 4


OPERATIONS = {
    "arithmetic": lambda x: (x * 2.0 + 1) / 3 - x**2,
    "comparison": lambda x: ops.where(x > 0, x, -x),
    "reduction": lambda x: ops.sum(x, axis=-1, keepdims=True) + ops.max(x, axis=1, keepdims=True),
    "slices": lambda x: x[:, 1:3] * x[:, :1],
    "reshape": lambda x: ops.reshape(x, (-1, 2, 2)),
    "transpose": lambda x: ops.transpose(ops.reshape(x, (-1, 2, 2)), (0, 2, 1)),
    "stack": lambda x: ops.stack([x, x + 1], axis=1),
    "expand": lambda x: ops.squeeze(ops.expand_dims(x, 1), 1),
    "activations": lambda x: ops.gelu(x) + ops.leaky_relu(x, 0.3) + ops.softmax(x) + ops.tanh(x),
    "gelu exact": lambda x: ops.gelu(x, approximate=False),
    "einsum": lambda x: ops.einsum("bi,bj->bij", x, x),
    "split": lambda x: ops.split(x, 2, axis=-1)[1],
    "clip": lambda x: ops.clip(x, -0.5, 0.5),
    "cast": lambda x: ops.cast(ops.cast(x, "int32"), "float32"),
    "one hot": lambda x: ops.one_hot(ops.argmax(x, axis=-1), 4),
    "normalize": lambda x: ops.logsumexp(x, axis=-1, keepdims=True),
    "repeat": lambda x: ops.repeat(ops.tile(x, (1, 2)), 2, axis=1),
    "variance": lambda x: ops.var(x, axis=1) + ops.std(x, axis=1),
    "constant": lambda x: ops.matmul(x, np.ones((4, 2), "float32")),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_survive_a_file(tmp_path, name):
    x = keras.Input((4,))
    model = keras.Model(x, OPERATIONS[name](x))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(X)), np.asarray(model(X)))
    np.testing.assert_allclose(np.asarray(model(X)), np.asarray(OPERATIONS[name](X)), rtol=1e-6)


def test_a_disconnected_output_is_refused_with_the_names():
    a, b = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    with pytest.raises(ValueError, match=r"inputs \('left'\).*also depends on 'right'.*Add it"):
        keras.Model(a, layers.Dense(1)(a + b))


def test_arrays_are_no_inputs_of_a_model():
    with pytest.raises(ValueError, match="must be symbols"):
        keras.Model(X, X)


def test_one_symbol_is_one_input():
    x = keras.Input((4,))
    with pytest.raises(ValueError, match="symbol of its own"):
        keras.Model([x, x], layers.Dense(1)(x))


def test_a_wrong_number_of_arrays_is_refused_with_the_names():
    model = two_in_two_out()
    with pytest.raises(ValueError, match="2 inputs: a, b"):
        model.predict([X], verbose=0)
    with pytest.raises(ValueError, match="'b'|b"):
        model({"a": X})


def test_a_layer_without_calls_has_no_output():
    with pytest.raises(AttributeError, match="'lonely' has no output yet"):
        layers.Dense(1, name="lonely").output  # noqa: B018


def test_graphs_deeper_than_pythons_stack_are_no_problem():
    x = keras.Input((4,))
    y = x
    for _ in range(1500):
        y = y + 1.0
    model = keras.Model(x, y)
    np.testing.assert_allclose(model(X), X + 1500, rtol=1e-5)


class Sum(layers.Layer):
    """Its first input, and the second where there is one."""

    def call(self, x, y=None):
        return x if y is None else x + y


def with_an_optional_input():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b", optional=True)
    return keras.Model([a, b], layers.Dense(1, kernel_initializer="ones")(Sum()(a, b)))


def test_an_optional_input_may_be_left_out():
    model = with_an_optional_input()
    alone, both = X.sum(axis=1, keepdims=True), 2 * X.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model([X, X]), both, rtol=1e-5, atol=1e-6)
    for given in ([X, None], {"a": X, "b": None}, {"a": X}):
        np.testing.assert_allclose(model(given), alone, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model.predict(given, verbose=0), alone, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    model.fit([X, None], X[:, :1], batch_size=4, verbose=0)


def test_an_input_that_is_not_optional_must_be_given():
    with pytest.raises(ValueError, match=r"Input 'a'.*missing.*optional=True"):
        with_an_optional_input().predict([None, X], verbose=0)


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_single_output_in_a_list_is_given_bare_as_keras_does(kind: type) -> None:
    x = keras.Input((4,))
    model = keras.Model([x], kind([layers.Dense(2)(x)]))
    assert isinstance(model(keras.Input((4,))), kind)
    for found in (model(X), model.predict(X, verbose=0), model.predict_on_batch(X)):
        assert isinstance(found, np.ndarray)
        assert found.shape == (10, 2)
    model.compile("sgd", ["mse"])
    history = model.fit(X, [np.ones((10, 2))], epochs=2, verbose=0).history
    assert list(history) == ["loss"]
    assert history["loss"][1] < history["loss"][0]


def test_model_from_config_makes_the_model_of_a_graph_and_finds_what_it_is_given() -> None:
    class Twice(layers.Layer):
        def call(self, x):
            return x * 2

    class Own(keras.Model):
        def extra(self):
            return 7

    x = keras.Input((4,))
    config = keras.Model(x, Twice()(layers.Dense(2)(x))).get_config()
    model = keras.Model.from_config(config, custom_objects={"Twice": Twice})
    assert model.predict(X, verbose=0).shape == (10, 2)
    own = Own.from_config(config, custom_objects={"Twice": Twice})
    assert own.extra() == 7
    own.set_weights(model.get_weights())
    np.testing.assert_array_equal(own.predict(X, verbose=0), model.predict(X, verbose=0))


def test_the_outputs_of_all_layers_the_entrance_included_make_a_model(tmp_path):
    inputs = keras.Input((8, 8, 1))
    features = layers.Conv2D(2, 3)(inputs)
    model = keras.Model(inputs, layers.GlobalMaxPooling2D()(features))
    assert model.layers[0].output is model.input is model.layers[0].input is inputs
    path = tmp_path / "model.keras"
    model.save(path)
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype("float32")
    copies = copy.deepcopy(model), pickle.loads(pickle.dumps(model)), keras.saving.load_model(path)
    for one in (model, *copies):
        every = keras.Model(one.inputs, [layer.output for layer in one.layers])
        for y, expected in zip(every(x), (x, model.layers[1](x), model(x)), strict=True):
            np.testing.assert_array_equal(y, expected)
    later = keras.Model(features, model.output)
    assert later.layers[0].output is features
    entrance = layers.InputLayer((3,))
    assert keras.Model(entrance.output, layers.Dense(2)(entrance.output)).output_shape == (None, 2)


class Causal(layers.Layer):
    """Attention with a mask made, for each sample, of sizes that a model does not know."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(2, 3)

    def call(self, x):
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        earlier = ops.cast(ops.arange(length)[:, None] >= ops.arange(length), "int32")
        counts = ops.concatenate([ops.expand_dims(batch, -1), ops.convert_to_tensor([1, 1])], 0)
        mask = ops.tile(ops.reshape(earlier, (1, length, length)), counts)
        return self.attention(x, x, attention_mask=mask)


def test_constants_of_unknown_sizes_fill_no_memory():
    x = keras.Input((None, 4))
    layer = Causal()
    y = layer(x)  # numbers that stand for unknown sizes would make 4001 masks of 4001 x 4001
    assert y.shape == (None, None, 4)
    values = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
    wanted = layer.attention(values, values, use_causal_mask=True)
    model = keras.Model(x, y)
    np.testing.assert_allclose(model.predict(values, verbose=0), wanted, atol=1e-6)


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_images_without_an_axis_for_their_only_channel_are_taken_by_calls_too(kind):
    inputs = keras.Input((6, 6, 1))
    rest = [layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]
    if kind == "sequential":
        model = keras.Sequential([inputs, *rest])
    else:
        x = inputs
        for layer in rest:
            x = layer(x)
        model = keras.Model(inputs, x)
    flat = np.random.default_rng(0).normal(size=(3, 6, 6)).astype("float32")
    expected = model.predict(flat[..., None], verbose=0)
    for y in (model(flat), model(flat, training=True), model.predict(flat, verbose=0)):
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="expected 4 dimensions"):
        model(flat[0])
    dense = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    np.testing.assert_array_equal(dense(X[..., None]), dense(X))


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("form", ["bare", "listed", "with_none", "generated"])
def test_an_output_without_a_loss_needs_no_target(place: int, form: str) -> None:
    x = keras.Input((4,))
    sums = layers.Dense(2)(x)
    outputs = [sums, layers.Activation("tanh")(sums)]
    weights = keras.Model(x, outputs).get_weights()
    target = np.ones((10, 2), "float32")

    def losses_in_training(model: keras.Model, losses: list, y: object) -> list[float]:
        model.set_weights(weights)
        model.compile(keras.optimizers.SGD(0.1), losses)
        if form == "generated":
            return model.fit(((X, target) for _ in range(3)), verbose=0).history["loss"]
        return model.fit(X, y, epochs=2, batch_size=10, verbose=0).history["loss"]

    losses, targets = [None, None], [None, None]
    losses[place], targets[place] = "mse", target
    y = {"with_none": targets, "listed": [target]}.get(form, target)
    found = losses_in_training(keras.Model(x, outputs), losses, y)
    alone = losses_in_training(keras.Model(x, outputs[place]), ["mse"], target)
    np.testing.assert_allclose(found, alone, rtol=1e-6)
