"""Activation functions: names, arguments, kinks, extremes."""

import inspect

import numpy as np
import pytest

from minikeras import activations
from minikeras.core.registry import custom_object_scope, names_of

NAMES = sorted(set(activations.__all__) - {"get", "serialize", "deserialize"})
ELEMENTWISE = [
    n for n in NAMES if n not in ("softmax", "log_softmax", "sparsemax", "glu", "threshold")
]
ARGUMENTS = {"threshold": {"threshold": 1.0, "default_value": 0.0}}


def f32(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_found_by_its_name_and_saved_as_it(name):
    function = activations.get(name)
    assert function is getattr(activations, name)
    assert activations.deserialize(activations.serialize(function)) is function
    assert name in names_of("activations")


def test_none_is_linear():
    assert activations.get(None) is activations.linear
    x = f32(1, -1)
    assert activations.linear(x) is x


def test_other_names_mean_the_same_function():
    assert activations.get("swish") is activations.silu
    assert activations.get("hard_swish") is activations.hard_silu
    assert activations.get("LeakyReLU".lower()) is activations.leaky_relu


def test_functions_of_the_user_are_taken_as_they_are():
    def double(x):
        return x * 2

    assert activations.get(double) is double
    with custom_object_scope({"double": double}):
        assert activations.get("double") is double


def test_unknown_names_get_a_suggestion():
    with pytest.raises(ValueError, match="Unknown activation. Did you mean 'sigmoid'?"):
        activations.get("sigmoyd")


def test_default_arguments_are_those_of_keras():
    defaults = {
        name: {
            p.name: p.default
            for p in inspect.signature(getattr(activations, name)).parameters.values()
            if p.default is not p.empty
        }
        for name in NAMES
    }
    assert {name: given for name, given in defaults.items() if given} == {
        "celu": {"alpha": 1.0},
        "elu": {"alpha": 1.0},
        "gelu": {"approximate": False},
        "glu": {"axis": -1},
        "hard_shrink": {"threshold": 0.5},
        "leaky_relu": {"negative_slope": 0.2},
        "log_softmax": {"axis": -1},
        "relu": {"negative_slope": 0.0, "max_value": None, "threshold": 0.0},
        "soft_shrink": {"threshold": 0.5},
        "softmax": {"axis": -1},
        "sparsemax": {"axis": -1},
        "squareplus": {"b": 4},
    }


@pytest.mark.parametrize("name", NAMES)
def test_float32_and_float64_stay_what_they_are(name):
    function, given = getattr(activations, name), ARGUMENTS.get(name, {})
    x = np.linspace(-3, 3, 8)
    single, double = function(x.astype(np.float32), **given), function(x, **given)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single, double, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "linear"])
def test_integers_become_float32(name):
    x = np.arange(-2, 2)
    assert getattr(activations, name)(x, **ARGUMENTS.get(name, {})).dtype == np.float32


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_nan_stays_nan(name):
    """A network that has gone wrong must be seen to have: nothing turns NaN into a number."""
    result = getattr(activations, name)(f32(1, np.nan, -1))
    np.testing.assert_array_equal(np.isnan(result), [False, True, False])


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_huge_inputs_give_the_limits_without_a_warning(name):
    low, high = getattr(activations, name)(f32(-1e30, 1e30))
    assert not np.isnan(low)
    assert not np.isnan(high)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [0, 0, 0, 1, 8]),
        ({"negative_slope": 0.5}, [-2, -0.5, 0, 1, 8]),
        ({"max_value": 6}, [0, 0, 0, 1, 6]),
        ({"max_value": 3.0}, [0, 0, 0, 1, 3]),
        ({"threshold": 1.0}, [0, 0, 0, 0, 8]),
        ({"negative_slope": 0.5, "max_value": 3.0, "threshold": 1.0}, [-2.5, -1, -0.5, 0, 3]),
    ],
)
def test_relu_with_slope_ceiling_and_threshold(given, expected):
    np.testing.assert_allclose(activations.relu(f32(-4, -1, 0, 1, 8), **given), expected)


def test_softmax_of_large_numbers():
    np.testing.assert_allclose(
        activations.softmax(f32(1000, 1000, -1000)), [0.5, 0.5, 0], atol=1e-7
    )


def test_softmax_over_several_axes_sums_to_one():
    y = activations.softmax(np.arange(24.0).reshape(2, 3, 4), axis=(0, 2))
    np.testing.assert_allclose(y.sum((0, 2)), 1)


def test_softmax_of_a_scalar_is_an_error():
    with pytest.raises(ValueError, match="Received: a scalar"):
        activations.softmax(np.float32(1))


def test_glu_of_an_odd_axis_is_an_error():
    with pytest.raises(ValueError, match=r"must be even. Received: shape \(3,\)"):
        activations.glu(f32(1, 2, 3))


def test_empty_arrays_pass_through():
    for name in NAMES:
        x = np.empty((0, 4), np.float32)
        assert getattr(activations, name)(x, **ARGUMENTS.get(name, {})).shape[0] == 0


def test_arrays_that_are_not_contiguous():
    x = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2] - 5
    np.testing.assert_array_equal(activations.relu(x), np.maximum(x, 0))
    np.testing.assert_array_equal(activations.softmax(x.T), activations.softmax(x.T.copy()))
