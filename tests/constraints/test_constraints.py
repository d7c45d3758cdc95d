"""Projections of weights (numbers against Keras: tests/parity)."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import Variable, constraints, layers, optimizers
from minikeras.core.serialize import deserialize, serialize
from minikeras.program import Replayed

ALL = {
    "MaxNorm": lambda: constraints.MaxNorm(1.5),
    "MinMaxNorm": lambda: constraints.MinMaxNorm(0.5, 1.5, rate=0.7, axis=1),
    "NonNeg": lambda: constraints.NonNeg(),
    "UnitNorm": lambda: constraints.UnitNorm(axis=[0, 1]),
}
by_name = pytest.mark.parametrize("name", sorted(ALL))


@pytest.fixture
def w(rng):
    return (rng.standard_normal((5, 4)) * [0.01, 0.3, 1, 9]).astype("float32")


def norms(values, axis=0):
    return np.sqrt(np.sum(np.square(values), axis=axis))


def test_every_constraint_has_a_case():
    classes = {
        c.__name__ for n in constraints.__all__ if isinstance(c := getattr(constraints, n), type)
    }
    assert classes - {"Constraint"} == set(ALL)


def test_max_norm_shrinks_long_columns_and_keeps_short_ones(w):
    result = constraints.MaxNorm(1.5)(w)
    np.testing.assert_allclose(norms(result), np.minimum(norms(w), 1.5), rtol=1e-5)
    np.testing.assert_allclose(result[:, 0], w[:, 0], rtol=1e-4)


def test_unit_norm_gives_every_column_the_norm_one(w):
    np.testing.assert_allclose(norms(constraints.UnitNorm()(w)), np.ones(4), rtol=1e-4)
    np.testing.assert_allclose(norms(constraints.UnitNorm(axis=1)(w), 1), np.ones(5), rtol=1e-4)


def test_min_max_norm_goes_part_of_the_way(w):
    whole = constraints.MinMaxNorm(0.5, 1.5)(w)
    np.testing.assert_allclose(norms(whole), np.clip(norms(w), 0.5, 1.5), rtol=1e-4)
    half = constraints.MinMaxNorm(0.5, 1.5, rate=0.5)(w)
    np.testing.assert_allclose(norms(half), (np.clip(norms(w), 0.5, 1.5) + norms(w)) / 2, rtol=1e-4)


def test_non_neg_sets_negative_weights_to_zero(w):
    np.testing.assert_array_equal(constraints.NonNeg()(w), np.maximum(w, 0))


@by_name
def test_weights_of_zero_stay_finite(name):
    assert np.isfinite(ALL[name]()(np.zeros((3, 2), "float32"))).all()


@by_name
def test_replayed_and_eager_projections_agree_to_the_bit(name, w):
    constraint = ALL[name]()
    result = constraint(w)
    assert result.dtype == w.dtype
    np.testing.assert_array_equal(Replayed(lambda x: [constraint(x)])(w)[0], result)
    np.testing.assert_array_equal(constraint(Variable(w)), result)


@by_name
def test_a_config_makes_the_same_constraint(name, w):
    one = ALL[name]()
    twin = deserialize(serialize(one))
    assert twin.get_config() == one.get_config()
    np.testing.assert_array_equal(twin(w), one(w))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("max_norm", constraints.MaxNorm),
        ("MaxNorm", constraints.MaxNorm),
        ("non_neg", constraints.NonNeg),
        ("unit_norm", constraints.UnitNorm),
        ("min_max_norm", constraints.MinMaxNorm),
    ],
)
def test_names_stand_for_constraints(word, kind):
    assert type(constraints.get(word)) is kind


def test_the_base_class_leaves_weights_alone(w):
    assert constraints.Constraint()(w) is w


def test_weights_are_projected_after_every_update():
    v = Variable([1.0, 1.0])
    v.constraint = constraints.NonNeg()
    optimizers.SGD(1.0).apply([np.array([3.0, 0.5], "float32")], [v])
    assert v.numpy().tolist() == [0.0, 0.5]


def test_a_constraint_holds_during_training(rng):
    x, y = rng.standard_normal((40, 3)).astype("float32"), rng.standard_normal(40)
    model = keras.Sequential([layers.Dense(1, kernel_constraint=constraints.MaxNorm(0.1))])
    model.compile(optimizers.SGD(0.5), "mse")
    model.fit(x, y, epochs=2, batch_size=10, verbose=0)
    assert norms(model.get_weights()[0]).max() <= 0.1 + 1e-6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: constraints.MaxNorm(-1.0), "max_value"),
        (lambda: constraints.MinMaxNorm(min_value="low"), "min_value"),
        (lambda: constraints.MinMaxNorm(2.0, 1.0), "min_value must not be above max_value"),
        (lambda: constraints.MinMaxNorm(rate=2.0), "rate"),
        (lambda: constraints.get("max_nrom"), "Did you mean"),
    ],
)
def test_misuse_gets_a_clear_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()
