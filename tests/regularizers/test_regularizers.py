"""Penalties on weights (numbers against Keras: tests/parity)."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import Variable, layers, regularizers
from minikeras.autodiff import check_gradients, value_and_grad
from minikeras.core.serialize import deserialize, serialize
from minikeras.program import Replayed

ALL = {
    "L1": lambda: regularizers.L1(0.3),
    "L2": lambda: regularizers.L2(0.2),
    "L1L2": lambda: regularizers.L1L2(0.3, 0.2),
    "OrthogonalRegularizer": lambda: regularizers.OrthogonalRegularizer(0.5, mode="columns"),
}
by_name = pytest.mark.parametrize("name", sorted(ALL))


def test_every_regularizer_has_a_case():
    classes = {
        c.__name__ for n in regularizers.__all__ if isinstance(c := getattr(regularizers, n), type)
    }
    assert classes - {"Regularizer"} == set(ALL)


def test_penalties_are_sums_over_all_elements():
    w = np.array([[1.0, -2.0], [3.0, 0.0]], "float32")
    assert float(regularizers.L1(0.1)(w)) == pytest.approx(0.6)
    assert float(regularizers.L2(0.1)(w)) == pytest.approx(1.4)
    assert float(regularizers.L1L2(0.1, 0.1)(w)) == pytest.approx(2.0)
    assert float(regularizers.L1L2()(w)) == 0.0


def test_orthogonal_vectors_are_not_penalised_and_parallel_ones_are():
    orthogonal = np.diag([1.0, 5.0, 0.1]).astype("float32")
    assert float(regularizers.OrthogonalRegularizer(1.0)(orthogonal)) == pytest.approx(0, abs=1e-6)
    parallel = np.array([[1.0, 1.0], [2.0, 2.0]], "float32")
    assert float(regularizers.OrthogonalRegularizer(0.25)(parallel)) == pytest.approx(0.25)


@by_name
def test_gradients_match_finite_differences(name, rng):
    check_gradients(ALL[name](), rng.standard_normal((4, 3)) + 0.01)


@by_name
def test_replayed_and_eager_penalties_agree_to_the_bit(name, rng):
    penalty, w = ALL[name](), rng.standard_normal((4, 3)).astype("float32")
    both = value_and_grad(penalty)
    for a, b in zip(Replayed(both)(w), both(w), strict=True):
        np.testing.assert_array_equal(a, b)


@by_name
def test_variables_are_penalised_like_arrays(name, rng):
    w = rng.standard_normal((4, 3)).astype("float32")
    assert ALL[name]()(Variable(w)) == ALL[name]()(w)


@by_name
def test_a_config_makes_the_same_regularizer(name):
    one = ALL[name]()
    twin = deserialize(serialize(one))
    assert type(twin) is type(one)
    assert twin.get_config() == one.get_config()


@pytest.mark.parametrize(
    ("word", "config"),
    [
        ("l1", {"l1": 0.01}),
        ("L2", {"l2": 0.01}),
        ("l1_l2", {"l1": 0.0, "l2": 0.0}),
        ("orthogonal_regularizer", {"factor": 0.01, "mode": "rows"}),
    ],
)
def test_names_stand_for_regularizers_with_their_defaults(word, config):
    assert regularizers.get(word).get_config() == config


def test_a_function_or_a_class_of_ones_own_is_added_to_the_loss():
    class Half(regularizers.Regularizer):
        def __call__(self, x):
            return keras.ops.sum(x) * 0.5

    layer = layers.Dense(
        1,
        kernel_initializer="ones",
        bias_initializer="ones",
        kernel_regularizer=Half(),
        bias_regularizer=lambda x: keras.ops.sum(x) * 3.0,
    )
    layer.build((None, 4))
    assert [float(loss) for loss in layer.losses] == [2.0, 3.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: regularizers.L1(-0.1), "l1"),
        (lambda: regularizers.L2("0.1"), "l2"),
        (lambda: regularizers.L1L2(l2=float("nan")), "l2"),
        (lambda: regularizers.L2(float("inf")), "l2"),
        (lambda: regularizers.OrthogonalRegularizer(mode="diagonal"), "rows"),
        (lambda: regularizers.OrthogonalRegularizer()(np.ones(3, "float32")), "matrix"),
        (lambda: regularizers.get("l1_l2l"), "Did you mean"),
    ],
)
def test_misuse_gets_a_clear_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()
