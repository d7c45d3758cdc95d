"""Models as Python copies and pickles them, and as files hold subclasses."""

import copy
import pickle

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 5)).astype("float32")
Y = RNG.integers(0, 3, 40)


class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.out = layers.Dense(4, "tanh"), layers.Dense(3, "softmax")

    def call(self, x):
        return self.out(self.hidden(x))


class OwnStep(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


def stack():
    return keras.Sequential([layers.Input((5,)), layers.Dense(4), layers.Dense(3, "softmax")])


def ends(with_operations=True):
    inputs = keras.Input((5,), name="entrance")
    hidden = layers.Dense(4, name="hidden")(inputs)
    if with_operations:
        hidden = ops.relu(hidden) + hidden * 2.0
    return inputs, layers.Dense(3, activation="softmax")(hidden)


def subclassed():
    model = Subclassed()
    model(X[:1])
    return model


KINDS = {
    "stack": stack,
    "graph": lambda: keras.Model(*ends()),
    "subclassed": subclassed,
    "subclass with a graph": lambda: OwnStep(*ends(with_operations=False)),
}


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_of_a_trained_model_trains_on_to_the_same_bits(kind, copied):
    model = KINDS[kind]()
    model.compile(
        keras.optimizers.Adam(0.01, use_ema=True),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    fit = {"epochs": 2, "shuffle": False, "verbose": 0}
    model.fit(X, Y, **fit)
    model.predict(X, verbose=0)
    other = copied(model)
    assert type(other) is type(model)
    np.testing.assert_array_equal(other(X), model(X))
    after_own = other.fit(X, Y, **fit)
    assert not np.array_equal(other.get_weights()[0], model.get_weights()[0])  # nothing is shared
    assert model.fit(X, Y, **fit).history == after_own.history
    for one, two in zip(other.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_copied_graph_has_symbols_of_its_own():
    model = keras.Model(*ends())
    other = pickled(model)
    assert other.get_layer("hidden").output is not model.get_layer("hidden").output
    features = keras.Model(other.input, other.get_layer("hidden").output)
    assert features.predict(X, verbose=0).shape == (40, 4)
    assert [op.name for op in other.operations] == [op.name for op in model.operations]


def test_a_copied_layer_leaves_its_graph_behind():
    layer = keras.Model(*ends()).get_layer("hidden")
    other = copy.deepcopy(layer)
    np.testing.assert_array_equal(other.get_weights()[0], layer.get_weights()[0])
    with pytest.raises(AttributeError, match="was not called on symbols"):
        other.output  # noqa: B018


def test_models_deeper_than_pythons_stack_are_copied():
    inputs = x = keras.Input((2,))
    deep = [layers.Dense(2) for _ in range(400)]
    for layer in deep:
        x = layer(x)
    for model in (keras.Model(inputs, x), keras.Sequential([keras.Input((2,)), *deep])):
        np.testing.assert_array_equal(pickled(model)(X[:, :2]), model(X[:, :2]))


@pytest.mark.parametrize("name", ["add", "tanh", "relu", "matmul"])
def test_functions_of_ops_are_pickled_by_their_names(name):
    assert pickled(getattr(ops, name)) is getattr(ops, name)


def test_a_subclass_that_hands_all_keywords_up_is_saved(tmp_path):
    model = subclassed()
    model.save(tmp_path / "model.keras")
    names = {"Subclassed": Subclassed}
    other = keras.models.load_model(tmp_path / "model.keras", custom_objects=names)
    np.testing.assert_array_equal(other(X), model(X))


def test_a_subclass_can_be_built_by_a_shape():
    model = Subclassed()
    model.build((None, 5))
    assert model.count_params() == 5 * 4 + 4 + 4 * 3 + 3
