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


def test_half_of_nu_times_the_squared_norm_is_weight_decay():
    """Goodfellow's nu/2 |w|^2 is L2(nu / 2): a step of gradient descent shrinks w by 1 - lr nu."""
    nu, rate, w = 0.3, 0.1, np.array([1.0, -2.0, 5.0])
    value, slope = value_and_grad(regularizers.L2(nu / 2))(w)
    assert float(value) == pytest.approx(nu / 2 * (w @ w))
    np.testing.assert_allclose(slope, nu * w, rtol=1e-12)
    v = Variable(w, dtype="float64")
    keras.optimizers.SGD(rate).apply([slope], [v])
    np.testing.assert_allclose(v.numpy(), (1 - rate * nu) * w, rtol=1e-8)


def test_penalties_are_logarithms_of_prior_densities():
    """Maximum a posteriori: a normal prior of variance 1/nu is L2(nu/2), a Laplace prior L1."""
    nu, w = 0.7, np.array([0.3, -1.2, 2.0])
    normal = np.sqrt(nu / (2 * np.pi)) * np.exp(-nu * w**2 / 2)
    laplace = nu / 2 * np.exp(-nu * np.abs(w))
    constants = {"l2": 1.5 * np.log(nu / (2 * np.pi)), "l1": 3 * np.log(nu / 2)}
    l2, l1 = float(regularizers.L2(nu / 2)(w)), float(regularizers.L1(nu)(w))
    assert l2 == pytest.approx(-np.log(normal).sum() + constants["l2"])
    assert l1 == pytest.approx(-np.log(laplace).sum() + constants["l1"])


def test_the_subgradient_of_l1_is_the_sign_and_zero_at_zero():
    slope = value_and_grad(regularizers.L1(0.5))(np.array([-3.0, 0.0, 1e-9, 4.0]))[1]
    np.testing.assert_allclose(slope, [-0.5, 0, 0.5, 0.5])


def test_l1_selects_features_and_l2_only_shrinks_them():
    """Least squares around a: L1 moves each weight by its factor and stops at 0, L2 divides."""
    a, factor, rate = np.array([3.0, -2.0, 0.4, -0.1]), 0.5, 0.01
    found = {}
    for penalty in (regularizers.L1(factor), regularizers.L2(factor)):
        w = np.zeros(4)
        slope = value_and_grad(penalty)
        for _ in range(2000):
            w = w - rate * (w - a + slope(w)[1])
        found[type(penalty).__name__] = w
    soft = np.sign(a) * np.maximum(np.abs(a) - factor, 0)
    np.testing.assert_allclose(found["L1"], soft, atol=2 * rate * factor)  # it chatters around 0
    np.testing.assert_allclose(found["L2"], a / (1 + 2 * factor), atol=1e-6)


def test_the_norm_without_the_square_is_a_penalty_of_ones_own(rng):
    """Norouzi's penalty: a function is taken as it is, and its gradient has the length lambda."""
    w = rng.standard_normal((3, 2))
    value, slope = value_and_grad(lambda x: 0.2 * keras.ops.sqrt(keras.ops.sum(x * x)))(w)
    assert float(value) == pytest.approx(0.2 * np.linalg.norm(w))
    assert np.linalg.norm(slope) == pytest.approx(0.2)


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
