"""Embedding and ReversibleEmbedding."""

import re

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops
from minikeras.autodiff import Tape, check_gradients
from minikeras.core.serialize import deserialize, serialize
from minikeras.ops.embedding import embedding
from minikeras.program import Replayed

IDS = np.array([[1, 2, 0, 1], [3, -1, 1, 4]])
TABLE = np.arange(15.0).reshape(5, 3)


def test_vectors_are_rows_of_the_matrix_and_negative_numbers_count_from_the_end():
    layer = layers.Embedding(5, 3, weights=[TABLE])
    np.testing.assert_array_equal(layer(IDS), TABLE[IDS])
    assert layer(IDS).dtype == np.float32
    for dtype in ("int8", "uint8", "int32", "float32", "float64"):
        ids = np.abs(IDS).astype(dtype)
        np.testing.assert_array_equal(layer(ids), TABLE[np.abs(IDS)])
    np.testing.assert_array_equal(layer(IDS + 0.5 * (IDS > 0)), TABLE[IDS])
    assert layer(np.zeros((2, 0), "int32")).shape == (2, 0, 3)
    assert layer(np.array(2)).tolist() == [6, 7, 8]


@pytest.mark.parametrize("wrong", [5, -6, np.nan, 1e12])
def test_a_number_without_a_vector_is_an_error_that_names_it(wrong):
    layer = layers.Embedding(5, 3)
    with pytest.raises(
        ValueError, match=rf"5 rows.*between 0 and 4.*Received: {re.escape(format(wrong, 'g'))}"
    ):
        layer(np.array([1, wrong]))


def test_fit_refuses_a_number_without_a_vector_before_it_changes_a_weight():
    model = keras.Sequential([layers.Embedding(5, 3), layers.Flatten(), layers.Dense(1)])
    model.compile("adam", "mse")
    model.predict(IDS, verbose=0)
    before = model.get_weights()
    with pytest.raises(ValueError, match="no row of the table"):
        model.fit(np.where(IDS == 4, 5, IDS), np.zeros((2, 1)), verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_are_sums_over_the_places_of_a_number():
    check_gradients(lambda table: embedding(table, IDS), TABLE)
    check_gradients(lambda table: ops.square(embedding(table, IDS)), TABLE, order=2)
    g = np.random.default_rng(0).normal(size=(2, 4, 3))
    with Tape() as tape:
        table = tape.watch(TABLE)
        loss = ops.sum(embedding(table, IDS) * g)
    expected = np.zeros((5, 3))
    np.add.at(expected, IDS, g)
    np.testing.assert_allclose(np.asarray(tape.gradient(loss, [table])[0]), expected)


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_replayed_and_eager_agree_to_the_bit(dtype):
    table = np.random.default_rng(0).normal(size=(5, 70)).astype("float32")

    def step(ids):
        with Tape() as tape:
            rows = tape.watch(table)
            y = embedding(rows, ids)
            loss = ops.sum(ops.square(y))
        return [y, tape.gradient(loss, [rows])[0]]

    replayed = Replayed(step)
    for shift in (0, 1):
        ids = ((IDS + shift) % 5).astype(dtype)
        for a, b in zip(step(ids), replayed(ids), strict=True):
            np.testing.assert_array_equal(np.asarray(a), b)


def test_mask_zero_masks_the_places_of_zero_and_goes_on():
    layer = layers.Embedding(5, 3, mask_zero=True)
    np.testing.assert_array_equal(layer.compute_mask(IDS), IDS != 0)
    assert layers.Embedding(5, 3).compute_mask(IDS) is None
    inputs = keras.Input((4,), dtype="int32")
    seen = []

    class Watch(layers.Layer):
        def call(self, x, mask=None):
            seen.append(mask is not None)
            return x * ops.expand_dims(ops.cast(mask, "float32"), -1)

    model = keras.Model(inputs, Watch()(layer(inputs)))
    out = model.predict(IDS, verbose=0)
    assert all(seen)
    assert (out[0, 2] == 0).all()
    assert (out[0, 0] != 0).all()


def test_shapes_are_those_that_symbols_promise():
    layer = layers.Embedding(5, 3)
    assert layer(keras.Input((4,), dtype="int32")).shape == (None, 4, 3)
    assert layer.compute_output_shape((None, 4, 2)) == (None, 4, 2, 3)
    assert keras.Sequential([layers.Embedding(5, 3, input_length=4)]).output_shape == (None, 4, 3)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Embedding(5, 3, "ones", "l2", "non_neg", True),
        lambda: layers.Embedding(5, 3, lora_rank=2, lora_alpha=4.0, activity_regularizer="l1"),
        lambda: layers.ReversibleEmbedding(5, 3, False, logit_soft_cap=2.0),
        lambda: layers.ReversibleEmbedding(5, 3, mask_zero=True, reverse_dtype="float64"),
    ],
)
def test_a_config_makes_a_layer_that_computes_the_same(layer):
    first = layer()
    first(IDS)
    second = deserialize(serialize(first))
    second(IDS)
    second.set_weights(first.get_weights())
    assert second.get_config() == first.get_config()
    np.testing.assert_array_equal(first(IDS), second(IDS))


def test_small_matrices_are_trained_on_top_of_frozen_vectors():
    layer = layers.Embedding(5, 3, weights=TABLE)
    layer.enable_lora(2, lora_alpha=4.0)
    assert [w.name for w in layer.weights] == [
        "embeddings", "lora_embeddings_a", "lora_embeddings_b",
    ]  # fmt: skip
    assert [w.name for w in layer.trainable_weights] == ["lora_embeddings_a", "lora_embeddings_b"]
    np.testing.assert_array_equal(layer(IDS), TABLE[IDS])
    a, b = np.ones((5, 2)), np.full((2, 3), 0.5)
    layer.lora_embeddings_a.assign(a)
    layer.lora_embeddings_b.assign(b)
    np.testing.assert_allclose(layer(IDS), (TABLE + 2 * a @ b)[IDS])
    np.testing.assert_allclose(np.asarray(layer.embeddings), TABLE + 2 * a @ b)
    with pytest.raises(ValueError, match="called once"):
        layer.enable_lora(2)
    with pytest.raises(ValueError, match="constraint"):
        layers.Embedding(5, 3, lora_rank=2, embeddings_constraint="non_neg")(IDS)


@pytest.mark.parametrize("tied", [True, False])
def test_a_reversible_embedding_scores_vectors(tied):
    layer = layers.ReversibleEmbedding(5, 3, tied, logit_soft_cap=2.0)
    y = layer(IDS)
    back = layer.embeddings.numpy().T if tied else layer.reverse_embeddings.numpy()
    np.testing.assert_allclose(layer(y, reverse=True), np.tanh(y @ back / 2) * 2, rtol=1e-5)
    assert [w.shape for w in layer.weights] == [(5, 3), (3, 5)][: 1 if tied else 2]
    assert layer(keras.Input((4, 3)), reverse=True).shape == (None, 4, 5)
    assert layer.compute_output_shape((None, 4, 3), reverse=True) == (None, 4, 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_dim": 0}, "input_dim.*positive integer"),
        ({"output_dim": 2.5}, "output_dim.*positive integer"),
        ({"weights": np.zeros((4, 3))}, r"shape \(5, 3\).*Received: shape \(4, 3\)"),
        ({"mask_zeros": True}, "Did you mean 'mask_zero'"),
        ({"lora_rank": 0}, "lora_rank"),
        ({"quantization_config": "int8"}, "quantization"),
    ],
)
def test_mistakes_are_errors_that_say_what_was_expected(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        layers.Embedding(**{"input_dim": 5, "output_dim": 3, **arguments})
