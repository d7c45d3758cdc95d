"""Masks: where they count, where they go on, where they end."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

WORDS = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 0]])
KNOWN = WORDS > 0


def embedded(*after: layers.Layer) -> keras.Model:
    """A model of padded words."""
    return keras.Sequential(
        [keras.Input((5,), dtype="int32"), layers.Embedding(9, 3, mask_zero=True), *after]
    )


@pytest.mark.parametrize("keepdims", [False, True])
def test_the_mean_over_time_counts_only_the_steps_of_the_mask(keepdims: bool) -> None:
    model = embedded(layers.GlobalAveragePooling1D(keepdims=keepdims))
    rows = np.asarray(model.layers[0](WORDS))
    wanted = np.stack([row[known].mean(0) for row, known in zip(rows, KNOWN, strict=True)])
    found = model.predict(WORDS, verbose=0)
    assert found.shape == ((2, 1, 3) if keepdims else (2, 3))
    np.testing.assert_allclose(found.reshape(2, 3), wanted, rtol=1e-6)


def test_the_mean_over_time_counts_the_steps_of_a_mask_also_where_channels_come_first() -> None:
    x = np.arange(30, dtype="float32").reshape(2, 3, 5)
    found = layers.GlobalAveragePooling1D("channels_first")(x, mask=KNOWN)
    np.testing.assert_allclose(found[0], x[0, :, :2].mean(1))


def test_training_through_a_mean_with_a_mask_is_the_same_when_replayed() -> None:
    ends = []
    for eager in (True, False):
        keras.utils.set_random_seed(3)
        model = embedded(layers.GlobalAveragePooling1D(), layers.Dense(1))
        model.compile("sgd", "mse", run_eagerly=eager)
        model.fit(WORDS, np.ones((2, 1), "float32"), epochs=3, verbose=0)
        ends.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))
    assert len(ends[0]) == 3


@pytest.mark.parametrize("scores", [False, True])
def test_padded_queries_attend_to_nothing(scores: bool) -> None:
    words = keras.Input((5,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(words)
    attention = layers.MultiHeadAttention(2, 3)
    model = keras.Model(words, attention(x, x, return_attention_scores=scores))
    plain = np.asarray(model.layers[1](WORDS))
    both = KNOWN[:, :, None] & KNOWN[:, None, :]
    wanted = attention(plain, plain, attention_mask=both, return_attention_scores=scores)
    found = model.predict(WORDS, verbose=0)
    np.testing.assert_allclose(found[0], wanted[0], atol=1e-6)
    if scores:
        assert not found[1][0, :, 2:].any()
        np.testing.assert_allclose(found[1][0, :, :2].sum(-1), 1.0, atol=1e-6)


def test_groups_of_queries_leave_out_what_the_mask_of_the_queries_leaves_out() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 6)).astype("float32")
    layer = layers.GroupedQueryAttention(3, 4, 2)
    wanted = layer(x, x, attention_mask=np.repeat(KNOWN[:, :, None], 5, 2))
    np.testing.assert_allclose(layer(x, x, query_mask=KNOWN), wanted, atol=1e-6)


def test_a_layer_that_ends_a_mask_says_so_once() -> None:
    with pytest.warns(UserWarning, match="'flat'.*neither uses nor passes on") as told:
        model = embedded(layers.Flatten(name="flat"))
    assert len(told) == 1
    model.predict(WORDS, verbose=0)


def test_a_mask_goes_from_layer_to_layer_outside_a_model_too() -> None:
    embedding, recurrent = layers.Embedding(9, 3, mask_zero=True), layers.LSTM(4)
    words = embedding(WORDS)
    np.testing.assert_array_equal(words._keras_mask, KNOWN)
    masked = recurrent(words)
    np.testing.assert_array_equal(masked, recurrent(np.asarray(words), mask=KNOWN))
    assert not np.allclose(masked, recurrent(np.asarray(words)))
    np.testing.assert_array_equal(masked, keras.Sequential([embedding, recurrent])(WORDS))
    both = layers.Bidirectional(layers.GRU(2, return_sequences=True))(words)
    np.testing.assert_array_equal(both._keras_mask, KNOWN)


def test_what_is_computed_from_an_array_with_a_mask_has_none() -> None:
    words = layers.Masking()(np.ones((2, 3, 4), "float32"))
    assert words._keras_mask.all()
    assert (words * 2)._keras_mask is None
    assert words[0]._keras_mask is None
    assert type(keras.ops.relu(words)) is np.ndarray
