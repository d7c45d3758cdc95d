"""Attention layers: Keras's values, masks, replays, mistakes."""

from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras import kernels, layers, ops
from minikeras.autodiff import Tape, check_gradients
from minikeras.core.serialize import deserialize, serialize
from minikeras.ops.attention import fused_attention
from minikeras.program import Replayed

from ..parity.reference import VALUES, assert_near
from .attention_cases import CASES, inputs_of, mask_of, numbers, weights_of

with np.load(Path(__file__).with_name("recorded_attention.npz")) as file:
    RECORDED = dict(file)


def call(case, layer, xs, **more):
    masks = {name: mask_of(shape) for name, shape in case.masks.items()}
    given = [list(xs)] if case.listed else xs
    return layer(*given, **case.call, **masks, **more)


def made(name, **more):
    case = CASES[name]
    layer = getattr(layers, case.kind)(**case.arguments, **more)
    xs = [x.astype(layer.dtype) for x in inputs_of(case)]
    call(case, layer, xs)
    layer.set_weights(weights_of([w.shape for w in layer.weights]))
    return case, layer, xs


def step(case, layer, xs, training=False):
    """Outputs, then gradients of inputs and weights."""
    with Tape() as tape:
        xs = [tape.watch(x) for x in xs]
        for variable in layer.trainable_variables:
            tape.watch(variable)
        y = call(case, layer, xs, training=training)
        y = y if isinstance(y, tuple) else (y,)
        loss = ops.sum(y[0] * numbers(y[0].shape, 20))
    return [*y, *tape.gradient(loss, [*xs, *layer.trainable_variables])]


@pytest.mark.parametrize("name", CASES)
def test_outputs_scores_and_gradients_are_those_of_keras(name):
    case, layer, xs = made(name)
    found = step(case, layer, xs)
    outputs = 2 if case.call.get("return_attention_scores") else 1
    wanted = [f"y{k}" for k in range(outputs)] + [f"dx{k}" for k in range(len(xs))]
    wanted += [f"dw{k}" for k in range(len(layer.trainable_variables))]
    for key, value in zip(wanted, found, strict=True):
        assert_near(value, RECORDED[f"{name}/{key}"], 2 * VALUES, key)
    names = [w.path for w in layer.weights]
    assert [n.split("/")[-2:] for n in names] == [
        ([layer.name, *n.split("/")])[-2:] for n in RECORDED[f"{name}/names"]
    ]


@pytest.mark.parametrize("name", CASES)
def test_a_config_makes_a_layer_that_computes_the_same(name):
    case, layer, xs = made(name)
    second = deserialize(serialize(layer))
    call(case, second, xs)
    second.set_weights(layer.get_weights())
    assert second.get_config() == layer.get_config()
    for a, b in zip(call(case, layer, xs), call(case, second, xs), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CASES)
def test_shapes_are_those_that_symbols_promise(name):
    case, layer, xs = made(name)
    if case.masks:
        case = case._replace(masks={})
    symbols = [keras.Input(x.shape[1:]) for x in xs]
    for promised, real in zip(
        keras.tree.flatten(call(case, layer, symbols)),
        keras.tree.flatten(call(case, layer, xs)),
        strict=True,
    ):
        assert promised.shape == (None, *real.shape[1:])
        assert promised.dtype == real.dtype


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["self", "scores", "padded", "axes", "grouped", "dot", "additive"])
def test_replayed_and_eager_agree_to_the_bit(name, training):
    layers_made = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        case, layer, xs = made(name, dropout=0.3)
        layers_made.append(layer)
    eager, recorded = layers_made
    replayed = Replayed(lambda *xs: step(case, recorded, xs, training))
    for seed in range(2):
        xs = [x + np.float32(seed) for x in xs]
        want = [np.asarray(v) for v in step(case, eager, xs, training)]
        for a, b in zip(want, replayed(*xs), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_bits_do_not_depend_on_threads(threads):
    before = kernels.num_threads()
    keras.utils.set_random_seed(1)
    layer = layers.MultiHeadAttention(3, 16, dropout=0.2, seed=1)
    x = numbers((4, 100, 24), 1)
    case = CASES["self"]._replace(call={"use_causal_mask": True})
    call(case, layer, [x, x])
    layer.set_weights(weights_of([w.shape for w in layer.weights]))
    state = layer.seed_generator.state.numpy()
    wanted = step(case, layer, [x, x], training=True)
    layer.seed_generator.state.assign(state)
    try:
        kernels.set_num_threads(threads)
        found = step(case, layer, [x, x], training=True)
    finally:
        kernels.set_num_threads(before)
    for a, b in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


SIZES = [(1, 1, 1, 1, 5), (3, 17, 3, 1, 5), (17, 3, 2, 2, 4), (5, 5, 4, 2, 3)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_fused_gradients_match_finite_differences(sizes, masked, causal):
    queries, keys, heads, key_heads, size = sizes
    rng = np.random.default_rng(0)
    q, k, v = (
        rng.normal(size=(2, time, n, width))
        for time, n, width in (
            (queries, heads, size),
            (keys, key_heads, size),
            (keys, key_heads, 3),
        )
    )
    mask = rng.random((2, 1, queries, keys)) > 0.5 if masked else None
    check_gradients(lambda *qkv: fused_attention(*qkv, mask, causal=causal), q, k, v)


def test_gradients_of_gradients_go_through_elementary_operations():
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=(1, 3, 2, 2)) for _ in range(3))
    mask = np.array([[True, False, True]])
    key = np.array([5])
    check_gradients(
        lambda *qkv: fused_attention(*qkv, mask, causal=True, rate=0.3, key=key), q, k, v, order=2
    )


def test_dropped_weights_keep_the_expectation_and_differ_from_call_to_call():
    layer = layers.Attention(dropout=0.4, seed=3)
    q, v = np.zeros((2, 50, 1), "float32"), np.ones((2, 400, 1), "float32")
    first, second = (layer([q, v], training=True) for _ in range(2))
    assert abs(first.mean() - 1) < 0.02
    assert (first != second).mean() > 0.9
    np.testing.assert_allclose(layer([q, v]), 1, rtol=1e-5)


def test_masks_come_with_the_inputs_and_go_on_with_the_query():
    ids = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    inputs = keras.Input((4,), dtype="int32")
    x = layers.Embedding(5, 6, mask_zero=True)(inputs)
    attention = layers.MultiHeadAttention(2, 3)
    y = attention(x, x)
    assert y.mask is not None
    model = keras.Model(inputs, y)
    out = model.predict(ids, verbose=0)
    table = model.layers[1].embeddings.numpy()[ids]
    known = ids != 0
    whole = attention(table, table, attention_mask=known[:, :, None] & known[:, None])
    np.testing.assert_allclose(out, whole, rtol=1e-5, atol=1e-6)


def test_a_long_sequence_needs_no_memory_for_its_scores():
    x = numbers((1, 2048, 4, 8), 1)
    replayed = Replayed(lambda x: [ops.dot_product_attention(x, x, x, is_causal=True)])
    found = replayed(x)[0]
    part = ops.dot_product_attention(x[:, :100], x[:, :100], x[:, :100], is_causal=True)
    np.testing.assert_allclose(found[:, :100], part, rtol=1e-5, atol=1e-6)


def test_dot_product_attention_with_a_bias_or_a_cap_is_the_formula():
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=(2, time, 3, 4)) for time in (5, 6, 6))
    bias, mask = rng.normal(size=(1, 3, 5, 6)), rng.random((2, 1, 5, 6)) > 0.3
    scores = np.einsum("bthd,bshd->bhts", q, k) * 0.3 + bias
    scores = np.where(mask, 2 * np.tanh(scores / 2), -1e30)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    wanted = np.einsum("bhts,bshd->bthd", e / e.sum(-1, keepdims=True), v)
    found = ops.dot_product_attention(q, k, v, bias, mask, 0.3, attn_logits_soft_cap=2.0)
    np.testing.assert_allclose(found, wanted, rtol=1e-10)


X = np.zeros((2, 4, 8), "float32")
MISTAKES = [
    (lambda: layers.MultiHeadAttention(0, 3), "num_heads.*positive integer"),
    (lambda: layers.MultiHeadAttention(2, 3, dropout=1.5), "dropout"),
    (lambda: layers.MultiHeadAttention(2, 3, sliding_window=-1), "sliding_window"),
    (lambda: layers.MultiHeadAttention(2, 3, dropout=0.1, flash_attention=True), "no dropout"),
    (lambda: layers.MultiHeadAttention(2, 3, attention_axes=(2,))(X, X), "attention_axes"),
    (lambda: layers.MultiHeadAttention(2, 3)(X), "query and a value"),
    (lambda: layers.MultiHeadAttention(2, 3)(X[0], X), "same rank"),
    (lambda: layers.MultiHeadAttention(2, 3)(X, X, X[:, :3]), "last axis only"),
    (
        lambda: layers.MultiHeadAttention(2, 3)(X, X, attention_mask=np.ones((2, 3, 4), bool)),
        r"here \(2, 2, 4, 4\). Received: shape \(2, 1, 3, 4\)",
    ),
    (lambda: layers.MultiHeadAttention(2, 3, num_head=4), "Did you mean 'num_heads'"),
    (lambda: layers.GroupQueryAttention(3, 4, 3), "multiple of num_key_value_heads"),
    (lambda: layers.GroupQueryAttention(3, 4, 2)(X), "query and a value"),
    (lambda: layers.Attention(score_mode="dots"), "score_mode.*Did you mean 'dot'"),
    (lambda: layers.Attention()(X), r"\[query, value\].*Received: shape \(None, 4, 8\)"),
    (lambda: layers.Attention()([X, X, X, X]), "Received: a list of 4"),
    (lambda: layers.Attention()([X, X], mask=np.ones((2, 4), bool)), "mask.*is a list"),
    (lambda: ops.dot_product_attention(X, X, X), "needs a query .batch"),
    (
        lambda: ops.dot_product_attention(*[X[..., None]] * 3, mask=np.ones((3, 3), bool)),
        "`mask` must broadcast",
    ),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_are_errors_that_say_what_was_expected(number):
    make, message = MISTAKES[number]
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@pytest.mark.parametrize("rows", [(3, 2), (2, 3)])
@pytest.mark.parametrize(
    "call",
    [
        lambda q, v: layers.MultiHeadAttention(2, 3)(q, v),
        lambda q, v: layers.MultiHeadAttention(2, 3)(q, v, return_attention_scores=True),
        lambda q, v: layers.GroupedQueryAttention(2, 2, 1)(q, v),
        lambda q, v: layers.Attention()([q, v]),
        lambda q, v: layers.AdditiveAttention()([q, v]),
    ],
)
def test_a_query_and_values_of_different_numbers_of_samples_are_refused(call, rows):
    q, v = np.ones((rows[0], 5, 4), "float32"), np.ones((rows[1], 7, 4), "float32")
    with pytest.raises(ValueError, match=r"as many samples.*Received: a query of shape"):
        call(q, v)


def test_keys_that_do_not_belong_to_the_values_are_refused_by_a_layer_that_was_built_too():
    x, attention = np.ones((2, 5, 4), "float32"), layers.MultiHeadAttention(2, 3)
    attention(x, x)
    with pytest.raises(ValueError, match="a key for each value"):
        attention(x, x, x[:, :3])
    with pytest.raises(ValueError, match="a key for each value"):
        layers.Attention()([x, x, x[:, :3]])
    with pytest.raises(ValueError, match="of the same size"):
        layers.Attention()([x[..., :2], x])


def test_one_query_for_all_samples_is_repeated():
    q, v = numbers((1, 3, 4), 1), numbers((5, 6, 4), 2)
    attention = layers.Attention()
    wanted = attention([np.repeat(q, 5, 0), v])
    np.testing.assert_allclose(attention([q, v]), wanted, rtol=1e-5, atol=1e-6)


def test_lengths_that_are_not_known_yet_fit_those_that_are():
    query, value = keras.Input(batch_shape=(3, 5, 4)), keras.Input((None, 4))
    assert layers.MultiHeadAttention(2, 3)(query, value).shape == (3, 5, 4)
    assert layers.Attention()([query, value]).shape == (3, 5, 4)
