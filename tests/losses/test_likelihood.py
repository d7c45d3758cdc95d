"""Losses as the mathematics of the course has them: logarithms of likelihoods."""

import numpy as np
import pytest

from minikeras import losses, ops
from minikeras.autodiff import value_and_grad

RNG = np.random.default_rng(0)
Y, Z = (RNG.random(50) < 0.4).astype("float64"), RNG.normal(0, 3, 50)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def logistic(y, z):
    """Goodfellow's form: softplus((1 - 2 y) z)."""
    return ops.mean(ops.softplus((1.0 - 2.0 * y) * z))


def bce(y, z, from_logits=True):
    return losses.BinaryCrossentropy(from_logits=from_logits, dtype="float64")(y, z)


def test_the_logistic_loss_is_binary_cross_entropy_of_logits():
    value, slope = value_and_grad(lambda z: logistic(Y, z))(Z)
    other, same = value_and_grad(lambda z: bce(Y, z))(Z)
    assert float(value) == pytest.approx(float(other), rel=1e-12)
    np.testing.assert_allclose(slope, same, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(slope, (sigmoid(Z) - Y) / 50, rtol=1e-9, atol=1e-15)
    assert float(bce(Y, sigmoid(Z), from_logits=False)) == pytest.approx(float(value), rel=1e-6)


@pytest.mark.parametrize("z", [-1e4, 1e4])
def test_the_logistic_loss_grows_like_the_logit_where_it_is_wrong(z):
    for y in (0.0, 1.0):
        wrong = (z > 0) != (y > 0)
        value, slope = value_and_grad(lambda t, y=y: logistic(y, t))(np.array([z]))
        assert float(value) == pytest.approx(abs(z) if wrong else 0)
        assert abs(float(slope[0])) == pytest.approx(float(wrong))
        assert float(bce(np.array([y]), np.array([z]))) == pytest.approx(float(value))


def test_cross_entropies_are_minus_the_mean_logarithm_of_the_likelihood():
    p = sigmoid(Z)
    likelihood = np.prod(p**Y * (1 - p) ** (1 - Y))
    assert float(bce(Y, p, from_logits=False)) == pytest.approx(-np.log(likelihood) / 50, rel=1e-6)
    classes = RNG.integers(0, 3, 20)
    shares = RNG.dirichlet(np.ones(3), 20)
    likelihood = np.prod(shares[np.arange(20), classes])
    for loss, y in (
        (losses.SparseCategoricalCrossentropy, classes),
        (losses.CategoricalCrossentropy, np.eye(3)[classes]),
    ):
        value = float(loss(dtype="float64")(y, shares))
        assert value == pytest.approx(-np.log(likelihood) / 20, rel=1e-6)


def gaussian(y, mean, spread):
    """Minus the mean logarithm of the likelihood of normal numbers."""
    return ops.mean(0.5 * ((y - mean) / spread) ** 2 + ops.log(spread)) + 0.5 * np.log(2 * np.pi)


def test_gaussian_likelihood_is_squared_error_with_the_spread_of_the_residuals():
    y, mean = RNG.normal(2, 3, 200), RNG.normal(2, 1, 200)
    mse = float(losses.MeanSquaredError(dtype="float64")(y, mean))
    for spread in (0.5, 1.0, 4.0):
        value = float(gaussian(y, mean, np.array(spread)))
        expected = mse / (2 * spread**2) + np.log(spread) + 0.5 * np.log(2 * np.pi)
        assert value == pytest.approx(expected, rel=1e-12)
    # the same means are best under both, whatever the spread
    slope = value_and_grad(lambda m: gaussian(y, m, np.array(2.0)))(mean)[1]
    squared = value_and_grad(lambda m: losses.MeanSquaredError(dtype="float64")(y, m))(mean)[1]
    np.testing.assert_allclose(slope * 2 * 2.0**2, squared, rtol=1e-12)
    # and the best spread is the root of the mean squared residual
    best = np.array(np.sqrt(mse))
    assert float(value_and_grad(lambda s: gaussian(y, mean, s))(best)[1]) == pytest.approx(
        0, abs=1e-12
    )


def test_laplace_likelihood_is_absolute_error():
    y, mean = RNG.normal(size=40), RNG.normal(size=40)
    mae = float(losses.MeanAbsoluteError(dtype="float64")(y, mean))
    logarithms = -np.abs(y - mean) / 0.7 - np.log(2 * 0.7)
    assert mae / 0.7 + np.log(1.4) == pytest.approx(-logarithms.mean(), rel=1e-12)


def test_squared_logarithmic_error_is_squared_error_of_logarithms():
    y, p = RNG.uniform(0, 100, 30), RNG.uniform(0, 100, 30)
    value = losses.MeanSquaredLogarithmicError(dtype="float64")(y, p)
    of_logarithms = losses.MeanSquaredError(dtype="float64")(np.log1p(y), np.log1p(p))
    assert float(value) == pytest.approx(float(of_logarithms), rel=1e-6)
    # a factor counts the same for small and for large numbers
    small, large = (
        float(losses.mean_squared_logarithmic_error(np.array([t]), np.array([2.0 * t + 1])))
        for t in (10.0, 1e6)
    )
    assert small == pytest.approx(np.log(2) ** 2, rel=1e-5)
    assert large == pytest.approx(small, rel=1e-5)


def test_divergence_is_cross_entropy_less_the_entropy_of_the_targets():
    t, p = RNG.dirichlet(np.ones(4), 2), RNG.dirichlet(np.ones(4), 2)
    divergence = losses.kl_divergence(t, p)
    entropy = -(t * np.log(t)).sum(-1)
    np.testing.assert_allclose(
        divergence, losses.categorical_crossentropy(t, p) - entropy, rtol=1e-6
    )
    np.testing.assert_allclose(losses.kl_divergence(t, t), 0, atol=1e-12)
    assert (np.asarray(divergence) > 0).all()


def test_cross_entropy_teaches_a_saturated_unit_and_squared_error_does_not():
    """A unit that is sure and wrong: the slope of squared error is next to nothing."""
    z = np.array([[-10.0]])
    squared = value_and_grad(lambda t: ops.mean((1.0 - ops.sigmoid(t)) ** 2))(z)[1]
    crossed = value_and_grad(lambda t: bce(np.ones((1, 1)), t))(z)[1]
    assert abs(squared[0, 0]) < 1e-3
    assert crossed[0, 0] == pytest.approx(-1, abs=1e-4)


def test_mean_and_sum_of_squares_differ_by_the_number_of_targets():
    y, p = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3))
    mean = losses.MeanSquaredError(dtype="float64")(y, p)
    rows = losses.MeanSquaredError(reduction="sum", dtype="float64")(y, p)
    assert float(mean) == pytest.approx(np.square(y - p).sum() / 18, rel=1e-12)
    assert float(rows) == pytest.approx(np.square(y - p).sum() / 3, rel=1e-12)


@pytest.mark.parametrize("delta", [0.5, 2.0])
def test_huber_is_a_parabola_with_straight_arms(delta):
    y, p = np.zeros(41), np.linspace(-5, 5, 41)
    size = np.abs(p)
    expected = np.where(size <= delta, size**2 / 2, delta * size - delta**2 / 2)

    def total(t):
        return ops.sum(losses.huber(y[:, None], ops.expand_dims(t, -1), delta))

    value, slope = value_and_grad(total)(p)
    assert float(value) == pytest.approx(expected.sum(), rel=1e-9)
    np.testing.assert_allclose(slope, np.clip(p, -delta, delta), atol=1e-9)
