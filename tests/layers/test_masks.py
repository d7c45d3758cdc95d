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


OTHER = np.array([[0, 7, 0, 5, 0], [3, 0, 5, 6, 0]])


def merged_words(layer: layers.Layer, second_has_mask: bool) -> tuple[np.ndarray, ...]:
    """Two sequences of vectors, what a layer makes of them where they carry masks, and its mask."""
    one = layers.Embedding(9, 3, mask_zero=True)(WORDS)
    other = layers.Embedding(9, 3, mask_zero=second_has_mask)(OTHER)
    found = layer([one, other])
    return (
        np.asarray(one),
        np.asarray(other),
        np.asarray(found),
        getattr(found, "_keras_mask", None),
    )


def test_factors_that_are_masked_do_not_count_in_a_product() -> None:
    one, other, found, mask = merged_words(layers.Multiply(), second_has_mask=True)
    known, also = KNOWN[..., None], (OTHER > 0)[..., None]
    wanted = np.where(known, one, 1) * np.where(also, other, 1) * (known | also)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    np.testing.assert_array_equal(mask, (known | also)[..., 0])
    one, other, found, mask = merged_words(layers.Multiply(), second_has_mask=False)
    np.testing.assert_allclose(found, np.where(known, one, 1) * other, rtol=1e-6)
    assert mask is None


@pytest.mark.parametrize(
    ("layer", "choose"), [(layers.Maximum, np.maximum), (layers.Minimum, np.minimum)]
)
def test_an_extremum_is_one_of_values_that_count(layer: type, choose: np.ufunc) -> None:
    one, other, found, mask = merged_words(layer(), second_has_mask=True)
    known, also = KNOWN[..., None], (OTHER > 0)[..., None]
    wanted = np.where(
        known & also | ~known & ~also, choose(one, other), np.where(known, one, other)
    )
    counts = (known | also)[..., 0]
    np.testing.assert_array_equal(found[counts], wanted[counts])
    np.testing.assert_array_equal(mask, counts)
    one, other, found, _ = merged_words(layer(), second_has_mask=False)
    np.testing.assert_array_equal(found, np.where(known, choose(one, other), other))


def test_a_product_of_masked_values_is_the_same_when_replayed() -> None:
    first, second = keras.Input((5,)), keras.Input((5,))
    embedding = layers.Embedding(9, 3, mask_zero=True)
    product = layers.Multiply()([embedding(first), embedding(second)])
    model = keras.Model([first, second], layers.LSTM(2)(product))
    eager = layers.Multiply()([embedding(WORDS), embedding(OTHER)])
    wanted = model.layers[-1](eager)
    np.testing.assert_array_equal(model.predict([WORDS, OTHER], verbose=0), wanted)


def test_the_result_of_a_model_carries_its_mask() -> None:
    words = keras.Input((5,))
    graph = keras.Model(words, layers.Embedding(9, 3, mask_zero=True)(words))
    for model in (embedded(), embedded(layers.Dense(2)), graph):
        np.testing.assert_array_equal(model(WORDS)._keras_mask, KNOWN)
    assert not hasattr(embedded(layers.LSTM(2))(WORDS), "_keras_mask")


def test_a_model_called_with_a_mask_hands_it_to_its_layers() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    recurrent = layers.GRU(4)
    wanted = recurrent(x, mask=KNOWN)
    assert not np.allclose(wanted, recurrent(x))
    sequence, other = keras.Input((5, 3)), keras.Input((5, 3))
    stack = keras.Sequential([keras.Input((5, 3)), recurrent])
    np.testing.assert_array_equal(stack(x, mask=KNOWN), wanted)
    graph = keras.Model(sequence, recurrent(sequence))
    np.testing.assert_array_equal(graph(x, mask=KNOWN), wanted)
    both = keras.Model([sequence, other], [recurrent(sequence), recurrent(other)])
    found = both([x, x], mask=[KNOWN, None])
    np.testing.assert_array_equal(found[0], wanted)
    np.testing.assert_array_equal(found[1], recurrent(x))
    np.testing.assert_array_equal(stack(x), recurrent(x))
    steps = layers.TimeDistributed(stack)(np.stack([x, x]), mask=np.stack([KNOWN, ~KNOWN]))
    np.testing.assert_allclose(steps[0], wanted, atol=1e-6)
    np.testing.assert_allclose(steps[1], recurrent(x, mask=~KNOWN), atol=1e-6)


class Pair(layers.Layer):
    """Takes a mask for each of its values, by name."""

    def call(self, a, b, a_mask=None, b_mask=None):
        for mask, factor in ((a_mask, 1.0), (b_mask, 10.0)):
            if mask is not None:
                a = a + factor * keras.ops.cast(mask, "float32")[..., None]
        return a + b


@pytest.mark.parametrize("named", [False, True])
def test_a_layer_of_the_users_is_given_the_mask_of_each_value_by_name(named: bool) -> None:
    embedding = layers.Embedding(9, 3, mask_zero=True)
    one, other = embedding(WORDS), embedding(OTHER)
    known, also = KNOWN[..., None], (OTHER > 0)[..., None]
    found = Pair()(one, b=other) if named else Pair()(one, other)
    np.testing.assert_allclose(found, np.asarray(one) + np.asarray(other) + known + 10.0 * also)
    found = Pair()(one, np.asarray(other), b_mask=KNOWN)
    np.testing.assert_allclose(found, np.asarray(one) + np.asarray(other) + 11.0 * known)
    first, second = keras.Input((5,)), keras.Input((5,))
    pair = Pair()(embedding(first), embedding(second))
    predicted = keras.Model([first, second], pair).predict([WORDS, OTHER], verbose=0)
    np.testing.assert_allclose(predicted, Pair()(one, other))


def test_a_mask_given_by_hand_goes_on_like_one_that_came_with_the_input() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    first, second = layers.LSTM(3, return_sequences=True), layers.GRU(2)
    steps = first(x, mask=KNOWN)
    np.testing.assert_array_equal(steps._keras_mask, KNOWN)
    wanted = second(np.asarray(steps), mask=KNOWN)
    assert not np.allclose(wanted, second(np.asarray(steps)))
    np.testing.assert_array_equal(second(steps), wanted)
    sequence, mask = keras.Input((5, 3)), keras.Input((5,), dtype="bool")
    middle = first(sequence, mask=mask)
    model = keras.Model([sequence, mask], [middle, second(middle)])
    np.testing.assert_array_equal(model.predict([x, KNOWN], verbose=0)[1], wanted)
    model = keras.Model([sequence, mask], middle)
    model.compile("sgd", "mse")
    target = np.ones((2, 5, 3), "float32")
    found = model.evaluate([x, KNOWN], target, verbose=0)
    counted = np.square(np.asarray(steps) - target).mean(-1)[KNOWN].mean()
    np.testing.assert_allclose(found, counted, rtol=1e-5)


def test_a_mask_may_be_given_by_place() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    recurrent = layers.GRU(4, return_sequences=True)
    wanted = recurrent(x, mask=KNOWN)
    found = recurrent(x, None, KNOWN)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(found._keras_mask, KNOWN)
    words = layers.Embedding(9, 3, mask_zero=True)(WORDS)
    np.testing.assert_array_equal(recurrent(words, None, None), recurrent(words))
