"""The full-batch optimizers by themselves: minima found, counts, reasons to end, precision."""

import sys

import numpy as np
import pytest
from scipy.optimize import minimize

import minikeras as keras
from minikeras import optimizers
from minikeras.optimizers.minimisers import Minimiser

ALL = {
    "lbfgs": optimizers.LBFGS,
    "bfgs": optimizers.BFGS,
    "conjugate_gradient": optimizers.ConjugateGradient,
    "newton_cg": optimizers.NewtonCG,
}
every = pytest.mark.parametrize("name", ALL)

HESSIAN = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 20.0]])
BOTTOM = np.array([1.0, -2.0, 0.3])


def bowl(x):
    away = x - BOTTOM
    return float(away @ HESSIAN @ away) / 2 + 1.0, HESSIAN @ away


def bowl_product(x, direction):
    return HESSIAN @ direction


def rosenbrock(x):
    a, b = x[1] - x[0] ** 2, 1 - x[0]
    return float(100 * a**2 + b**2), np.array([-400 * a * x[0] - 2 * b, 200 * a])


def rosenbrock_product(x, d):
    mixed = -400 * x[0]
    first = (1200 * x[0] ** 2 - 400 * x[1] + 2) * d[0] + mixed * d[1]
    return np.array([first, mixed * d[0] + 200 * d[1]])


@every
def test_the_bottom_of_a_quadratic_is_where_its_equations_say(name):
    exact = ALL[name](tolerance=0, gradient_tolerance=1e-9)
    found = exact.minimise(bowl, np.zeros(3), product=bowl_product)
    np.testing.assert_allclose(found.x, BOTTOM, rtol=1e-8)
    assert found.converged
    assert found.loss == pytest.approx(1.0, abs=1e-15)
    assert found.iterations <= (40 if name == "conjugate_gradient" else 20)


@every
def test_the_valley_of_rosenbrock_is_followed_to_its_end(name):
    found = ALL[name]().minimise(rosenbrock, [-1.2, 1.0], product=rosenbrock_product)
    np.testing.assert_allclose(found.x, [1.0, 1.0], atol=2e-5)
    assert found.reason == "gradient"
    assert found.evaluations <= (60 if "bfgs" in name else 120)


def test_newton_takes_one_step_on_a_quadratic_when_its_solves_are_exact():
    newton = optimizers.NewtonCG(forcing=1e-12)
    found = newton.minimise(bowl, [7.0, -9.0, 4.0], product=bowl_product)
    assert found.iterations == 1
    assert found.products == 3  # conjugate gradients end after as many steps as there are weights
    assert found.evaluations == 2
    np.testing.assert_allclose(found.x, BOTTOM, rtol=1e-10)


def test_inexact_solves_cost_fewer_products_and_more_steps():
    start = [-1.2, 1.0]
    exact = optimizers.NewtonCG(forcing=1e-12).minimise(
        rosenbrock, start, product=rosenbrock_product
    )
    loose = optimizers.NewtonCG(inner_iterations=1).minimise(
        rosenbrock, start, product=rosenbrock_product, iterations=exact.iterations
    )
    assert exact.reason == "gradient"
    assert loose.reason == "iterations"
    assert loose.products <= exact.iterations < exact.products


def test_newton_leaves_a_region_of_negative_curvature():
    def two_wells(x):
        return float((x[0] ** 2 - 1) ** 2 + x[1] ** 2), np.array(
            [4 * x[0] * (x[0] ** 2 - 1), 2 * x[1]]
        )

    def product(x, d):
        return np.array([(12 * x[0] ** 2 - 4) * d[0], 2 * d[1]])

    found = optimizers.NewtonCG().minimise(two_wells, [0.01, 2.0], product=product)
    np.testing.assert_allclose(found.x, [1.0, 0.0], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "method", "options"),
    [
        ("lbfgs", "L-BFGS-B", {"ftol": 0, "gtol": 0, "maxcor": 10}),
        ("bfgs", "BFGS", {"gtol": 0}),
        ("conjugate_gradient", "CG", {"gtol": 0}),
    ],
)
def test_the_iterates_are_those_of_scipy(name, method, options):
    expected, seen = [], []
    minimize(
        rosenbrock, [-1.2, 1.0], jac=True, method=method, callback=lambda x: expected.append(x),
        options={**options, "maxiter": 10},
    )  # fmt: skip
    ALL[name]().minimise(
        rosenbrock, [-1.2, 1.0], iterations=10, after=lambda point, last: seen.append(point.x)
    )
    np.testing.assert_allclose(seen, expected, rtol=1e-12)


# --- reasons to end ---


@every
def test_the_reason_tells_why_the_search_ended(name):
    def search(product=rosenbrock_product, **settings):
        limits = {k: settings.pop(k) for k in ("iterations", "after") if k in settings}
        return ALL[name](**settings).minimise(rosenbrock, [-1.2, 1.0], product=product, **limits)

    assert search().reason == "gradient"
    found = search(iterations=3)
    assert (found.reason, found.iterations, found.converged) == ("iterations", 3, False)
    found = search(after=lambda point, last: point.loss < 3)
    assert (found.reason, found.converged) == ("stopped", False)
    assert found.loss < 3
    found = search(tolerance=0.9, gradient_tolerance=0)
    assert (found.reason, found.converged) == ("loss", True)
    assert "hardly lowered the loss" in found.message


@every
def test_a_start_at_the_minimum_is_recognised_without_a_step(name):
    found = ALL[name]().minimise(bowl, BOTTOM, product=bowl_product)
    assert (found.reason, found.iterations, found.evaluations) == ("gradient", 0, 1)


@every
def test_a_loss_that_is_not_finite_at_the_start_ends_the_search(name):
    found = ALL[name]().minimise(lambda x: (np.nan, x), [1.0], product=bowl_product)
    assert (found.reason, found.converged) == ("not finite", False)


@every
def test_trial_points_without_a_loss_shorten_the_step(name):
    def barrier(x):
        with np.errstate(all="ignore"):
            return float((x - np.log(x)).sum()), 1 - 1 / x

    found = ALL[name]().minimise(barrier, [20.0, 0.01], product=lambda x, d: d / x**2)
    np.testing.assert_allclose(found.x, 1.0, atol=2e-5)
    assert found.converged


@every
def test_a_gradient_that_is_wrong_ends_in_the_line_search(name):
    def uphill(x):
        value, gradient = bowl(x)
        return value, -gradient

    found = ALL[name]().minimise(uphill, [5.0, 5.0, 5.0], product=bowl_product)
    assert (found.reason, found.converged) == ("line search", False)
    assert "lowers the loss enough" in found.message


@every
def test_values_of_float32_end_at_their_precision_and_count_as_converged(name):
    def coarse(x):
        value, gradient = bowl(np.float32(x).astype("float64"))
        return float(np.float32(value)), np.float32(gradient)

    minimiser = ALL[name](tolerance=0, gradient_tolerance=0)
    found = minimiser.minimise(
        coarse, [5.0, 5.0, 5.0], product=bowl_product, precision=float(np.finfo("float32").eps)
    )
    assert found.converged
    # at sqrt(2 eps f / c) from the bottom of a parabola of curvature c rounding hides its slope
    np.testing.assert_allclose(found.x, BOTTOM, atol=1e-3)


@pytest.mark.parametrize("name", ["lbfgs", "newton_cg"])
def test_gradients_lead_on_where_losses_of_float32_cannot_tell_points_apart(name):
    def coarse(x):
        value, gradient = bowl(x)
        return float(np.float32(value + 1000)), np.float32(gradient)

    found = ALL[name](tolerance=0).minimise(
        coarse, [5.0, 5.0, 5.0], product=bowl_product, precision=float(np.finfo("float32").eps)
    )
    assert found.reason == "gradient"
    np.testing.assert_allclose(found.x, BOTTOM, atol=1e-5)  # comparing losses leads to 1e-2 only


def test_rounding_of_the_weights_is_no_failure_where_the_loss_itself_is_small(rng):
    """An exact fit: its loss of 1e-9 has digits to spare, the weights that it is of have not."""
    a = rng.standard_normal((30, 8)) * np.logspace(0, -2, 8)
    b = a @ rng.standard_normal(8) + 1e-5 * rng.standard_normal(30)

    def fit(x):
        rest = a @ np.float32(x) - b
        return float(rest @ rest) / 30, a.T @ rest / 15

    for minimiser in (optimizers.LBFGS, optimizers.NewtonCG):
        found = minimiser(tolerance=0, gradient_tolerance=0).minimise(
            fit, np.zeros(8), product=lambda x, d: a.T @ (a @ d) / 15,
            precision=float(np.finfo("float32").eps),
        )  # fmt: skip
        assert found.reason == "precision"
        assert found.loss < 1e-9


def test_after_is_told_of_the_last_iterate():
    last = []
    found = optimizers.LBFGS().minimise(bowl, np.zeros(3), after=lambda p, end: last.append(end))
    assert last == [False] * (found.iterations - 1) + [True]


def test_the_result_stays_with_the_optimizer():
    minimiser = optimizers.BFGS()
    assert minimiser.result is None
    assert not minimiser.converged
    found = minimiser.minimise(bowl, np.zeros(3))
    assert minimiser.result is found
    assert minimiser.converged


# --- arguments ---


@every
def test_names_and_configs_lead_to_the_same_optimizer(name):
    assert type(optimizers.get(name)) is ALL[name]
    made = ALL[name](tolerance=1e-4, gradient_tolerance=1e-3)
    record = optimizers.serialize(made)
    assert record["module"] == "minikeras.optimizers"
    again = optimizers.deserialize(record)
    assert type(again) is ALL[name]
    assert again.get_config() == made.get_config()
    assert again.tolerance == 1e-4
    assert isinstance(again, Minimiser)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: optimizers.LBFGS(histroy=3), TypeError, "Did you mean 'history'"),
        (lambda: optimizers.LBFGS(learning_rate=0.1), TypeError, "no argument 'learning_rate'"),
        (lambda: optimizers.LBFGS(history=0), ValueError, "`history` must be a positive integer"),
        (lambda: optimizers.BFGS(tolerance=-1), ValueError, "`tolerance` must be a number of at"),
        (lambda: optimizers.NewtonCG(forcing=1), ValueError, "`forcing` must be below 1"),
        (lambda: optimizers.LBFGS().learning_rate, AttributeError, "no learning rate"),
        (lambda: optimizers.LBFGS().apply([1.0]), RuntimeError, "cannot take a step on one batch"),
        (
            lambda: optimizers.NewtonCG().minimise(bowl, np.zeros(3)),
            ValueError,
            "needs products with the Hessian",
        ),
        (
            lambda: optimizers.BFGS().minimise(bowl, np.zeros(20_000)),
            ValueError,
            "at most 10000 weights. Received: 20000 weights. Use LBFGS",
        ),
    ],
)
def test_wrong_use_is_refused_in_words(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("name", ["bfgs", "conjugate_gradient"])
def test_without_scipy_the_error_names_the_extra(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match=r'pip install "minikeras\[scipy\]"'):
        ALL[name]().minimise(bowl, np.zeros(3))


@pytest.mark.parametrize("name", ["lbfgs", "newton_cg"])
def test_two_of_them_need_no_scipy(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    assert ALL[name]().minimise(bowl, np.zeros(3), product=bowl_product).converged


def test_the_optimizers_are_public():
    assert keras.optimizers.LBFGS is ALL["lbfgs"]
