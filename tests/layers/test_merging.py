"""Layers of several inputs. Numbers: plain numpy; masks: as in Keras."""

import inspect

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.autodiff import check_gradients
from minikeras.core.serialize import deserialize, serialize
from tests.layers.test_layers import MERGING, data

A, B, C = (data((2, 3, 4), seed=seed) for seed in range(3))
V = data((2, 4), seed=3)
W = data((2, 4, 5), seed=4)


def cosine(x, y):
    x, y = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (x, y))
    return np.einsum("bic,bjc->bij", x, y)


CASES = {
    "Add": (lambda: layers.Add(), [A, B, C], lambda a, b, c: a + b + c),
    "Add of two ranks": (lambda: layers.Add(), [A, V], lambda a, v: a + v[:, None]),
    "Subtract": (lambda: layers.Subtract(), [A, B], lambda a, b: a - b),
    "Multiply": (lambda: layers.Multiply(), [A, B, C], lambda a, b, c: a * b * c),
    "Average": (lambda: layers.Average(), [A, B, C], lambda a, b, c: (a + b + c) / 3),
    "Maximum": (lambda: layers.Maximum(), [A, B], np.maximum),
    "Minimum": (lambda: layers.Minimum(), [A, B], np.minimum),
    "Concatenate": (
        lambda: layers.Concatenate(axis=1),
        [A, B],
        lambda a, b: np.concatenate([a, b], 1),
    ),
    "Dot": (lambda: layers.Dot((2, 1)), [A, W], lambda a, w: a @ w),
    "Dot of vectors": (lambda: layers.Dot(1), [V, V + 1], lambda v, w: (v * w).sum(1)[:, None]),
    "Dot of both ranks": (
        lambda: layers.Dot((2, 1)),
        [A, V],
        lambda a, v: np.einsum("bij,bj->bi", a, v),
    ),
    "Dot normalized": (lambda: layers.Dot(-1, normalize=True), [A, B], cosine),
}


def test_every_merging_layer_has_a_case():
    made = {type(make()).__name__ for make, *_ in CASES.values()}
    assert made == MERGING
    assert all(hasattr(layers, name.lower()) for name in MERGING)


@pytest.mark.parametrize("case", CASES)
def test_values_are_those_of_the_formula(case):
    make, inputs, formula = CASES[case]
    np.testing.assert_allclose(make()(inputs), formula(*inputs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_symbols_promise_the_shape(case):
    make, inputs, formula = CASES[case]
    symbol = make()([keras.Input(v.shape[1:]) for v in inputs])
    assert symbol.shape == (None, *formula(*inputs).shape[1:])


@pytest.mark.parametrize("case", CASES)
def test_gradients_match_finite_differences(case):
    make, inputs, _ = CASES[case]
    layer = make()
    layer.dtype_policy = keras.DTypePolicy("float64")
    check_gradients(lambda *v: layer(list(v)), *[v.astype("float64") for v in inputs])


@pytest.mark.parametrize("case", CASES)
def test_a_config_makes_the_same_layer(case):
    make, inputs, _ = CASES[case]
    layer = make()
    twin = deserialize(serialize(layer))
    assert twin.get_config() == layer.get_config()
    np.testing.assert_array_equal(twin(inputs), layer(inputs))


@pytest.mark.parametrize("name", sorted(MERGING))
def test_the_function_is_the_layer(name):
    function, layer = getattr(layers, name.lower()), getattr(layers, name)
    options = {"axes": 1} if name == "Dot" else {}
    assert "inputs" in inspect.signature(function).parameters
    np.testing.assert_array_equal(function([V, V], **options), layer(**options)([V, V]))


def test_masks_of_sums_say_where_any_input_counts():
    one, other = np.float32([[[1], [0], [0]]]), np.float32([[[0], [5], [0]]])
    a, b = keras.Input((3, 1)), keras.Input((3, 1))
    masked = layers.Add()([layers.Masking()(a), layers.Masking()(b)])
    model = keras.Model([a, b], MaskOut()(masked))
    np.testing.assert_array_equal(model.predict([one, other], verbose=0), [[1, 1, 0]])


def test_masks_of_a_concatenation_are_joined():
    a, b = keras.Input((3, 1)), keras.Input((2, 1))
    joined = layers.Concatenate(axis=1)([layers.Masking()(a), b])
    model = keras.Model([a, b], MaskOut()(joined))
    x, y = np.float32([[[1], [0], [2]]]), np.float32([[[0], [0]]])
    np.testing.assert_array_equal(model.predict([x, y], verbose=0), [[1, 0, 1, 1, 1]])


class MaskOut(layers.Layer):
    """The mask of its input as numbers."""

    def call(self, inputs, mask=None):
        return keras.ops.cast(mask, "float32")


MISTAKES = {
    "one value": (lambda: layers.Add()(A), "takes a list of values"),
    "no value": (lambda: layers.Add()([]), "list"),
    "shapes": (lambda: layers.Add()([A, data((2, 3, 5))]), r"broadcast.*\(None, 3, 5\)"),
    "three for two": (lambda: layers.Subtract()([A, B, C]), "two values. Received: 3"),
    "sizes": (lambda: layers.Concatenate()([A, data((2, 2, 4))]), "all other sizes must agree"),
    "batch": (lambda: layers.Dot(0)([V, V]), "cannot sum over the batch"),
    "axes": (lambda: layers.Dot(1.5), "integer or a pair"),
    "sizes of a dot": (lambda: layers.Dot((1, 1))([A, W]), "sizes differ. Received: 3 and 4"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_wrong_inputs_are_refused(case):
    call, message = MISTAKES[case]
    with pytest.raises(ValueError, match=message):
        call()
