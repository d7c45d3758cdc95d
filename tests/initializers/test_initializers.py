"""Initializers: distributions, fans, seeds, configs (numbers against Keras: tests/parity)."""

import numpy as np
import pytest

from minikeras import Sequential, initializers, layers, random
from minikeras.core.serialize import deserialize, serialize
from minikeras.initializers.initializers import fans
from minikeras.utils import set_random_seed

RANDOM = {
    "RandomNormal": {"mean": 1.0, "stddev": 0.5},
    "RandomUniform": {"minval": 1.0, "maxval": 2.0},
    "TruncatedNormal": {"mean": -1.0, "stddev": 0.5},
    "VarianceScaling": {"scale": 3.0, "mode": "fan_avg", "distribution": "uniform"},
    "GlorotNormal": {},
    "GlorotUniform": {},
    "HeNormal": {},
    "HeUniform": {},
    "LecunNormal": {},
    "LecunUniform": {},
    "Orthogonal": {"gain": 2.0},
}
FIXED = {"Zeros": {}, "Ones": {}, "Constant": {"value": 2.5}, "Identity": {"gain": 3.0}}
ALL = {**RANDOM, **FIXED}


def make(name, **more):
    return getattr(initializers, name)(**ALL[name], **more)


def test_every_initializer_has_a_case():
    classes = {
        c.__name__ for n in initializers.__all__ if isinstance(c := getattr(initializers, n), type)
    }
    assert classes - {"Initializer", "STFT"} == set(ALL)


@pytest.mark.parametrize("name", sorted(ALL))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shape_and_dtype_are_those_asked_for(name, dtype):
    values = make(name)((7, 3), dtype)
    assert isinstance(values, np.ndarray)
    assert values.shape == (7, 3)
    assert values.dtype == dtype
    assert make(name)(shape=[7, 3]).dtype == "float32"


def test_fixed_values_are_what_their_names_say():
    assert make("Zeros")((2,)).tolist() == [0, 0]
    assert make("Ones")((), "int32").tolist() == 1
    assert make("Constant")((2, 2)).tolist() == [[2.5, 2.5], [2.5, 2.5]]
    rows = initializers.Constant([1.0, 2.0])((3, 2))
    assert rows.tolist() == [[1, 2]] * 3
    assert make("Identity")((2, 3)).tolist() == [[3, 0, 0], [0, 3, 0]]


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_a_seed_gives_the_same_numbers_and_another_seed_others(name):
    first = make(name, seed=1)
    np.testing.assert_array_equal(first((4, 5)), first((4, 5)))
    np.testing.assert_array_equal(first((4, 5)), make(name, seed=1)((4, 5)))
    assert not np.array_equal(first((4, 5)), make(name, seed=2)((4, 5)))


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_without_a_seed_the_process_wide_one_decides(name):
    set_random_seed(3)
    a, b = make(name)((4, 5)), make(name)((4, 5))
    set_random_seed(3)
    np.testing.assert_array_equal(make(name)((4, 5)), a)
    assert not np.array_equal(a, b)


def test_a_seed_generator_gives_new_numbers_at_every_call():
    def two(seed):
        one = initializers.RandomNormal(seed=random.SeedGenerator(seed))
        return one((50,)), one((50,))

    first, second = two(5)
    assert not np.array_equal(first, second)
    again = two(5)
    np.testing.assert_array_equal(first, again[0])
    np.testing.assert_array_equal(second, again[1])


def test_uniform_values_fill_their_interval_and_normal_ones_have_their_moments():
    values = make("RandomUniform", seed=0)((100_000,), "float64")
    assert 1 <= values.min() < 1.001
    assert 1.999 < values.max() < 2
    assert values.mean() == pytest.approx(1.5, abs=0.005)
    values = make("RandomNormal", seed=0)((100_000,), "float64")
    assert values.mean() == pytest.approx(1.0, abs=0.01)
    assert values.std() == pytest.approx(0.5, rel=0.01)


def test_truncated_normal_values_end_at_two_standard_deviations():
    values = make("TruncatedNormal", seed=0)((100_000,), "float64")
    assert np.abs(values + 1).max() <= 1.0
    assert values.std() == pytest.approx(0.5 * 0.8796, rel=0.01)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((), (1, 1)), ((5,), (5, 5)), ((3, 4), (3, 4)), ((2, 3, 5, 7), (30, 42))],
)
def test_fans_count_the_window_of_a_kernel(shape, expected):
    assert fans(shape) == expected


def test_fans_of_named_axes():
    assert fans((8, 2, 3), input_axes=[0], output_axes=[1, 2]) == (8, 6)
    assert fans((8, 2, 3), input_axes=[0], output_axes=[-1]) == (16, 6)


@pytest.mark.parametrize("distribution", ["uniform", "truncated_normal", "untruncated_normal"])
@pytest.mark.parametrize(("mode", "n"), [("fan_in", 200), ("fan_out", 500), ("fan_avg", 350)])
def test_variance_scaling_gives_the_variance_of_its_mode(mode, n, distribution):
    one = initializers.VarianceScaling(2.0, mode, distribution, seed=0)
    assert one((200, 500), "float64").var() == pytest.approx(2.0 / n, rel=0.02)


@pytest.mark.parametrize("shape", [(6, 6), (9, 4), (4, 9), (3, 2, 5)])
def test_orthogonal_rows_or_columns_are_orthonormal_times_the_gain(shape):
    w = make("Orthogonal", seed=1)(shape, "float64").reshape(-1, shape[-1])
    product = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_config_makes_the_same_initializer(name):
    one = make(name, seed=4) if name in RANDOM else make(name)
    twin = deserialize(serialize(one))
    assert type(twin) is type(one)
    assert twin.get_config() == one.get_config()
    assert type(one).from_config(one.get_config()).get_config() == one.get_config()
    np.testing.assert_array_equal(twin((3, 3)), one((3, 3)))


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("zeros", "Zeros"),
        ("one", "Ones"),
        ("glorot_uniform", "GlorotUniform"),
        ("HeNormal", "HeNormal"),
        ("normal", "RandomNormal"),
        ("uniform", "RandomUniform"),
        ("orthogonal", "Orthogonal"),
        ("OrthogonalInitializer", "Orthogonal"),
        ("identity", "Identity"),
        ("IdentityInitializer", "Identity"),
        ("stft", "STFT"),
    ],
)
def test_names_stand_for_initializers(word, name):
    assert type(initializers.get(word)) is getattr(initializers, name)


def test_functions_are_taken_as_they_are():
    def threes(shape, dtype=None):
        return np.full(shape, 3.0, dtype)

    assert initializers.get(threes) is threes
    assert initializers.get(None) is None


def test_an_array_stands_for_itself():
    given = initializers.get(np.array([[1.0, 2.0]]))
    assert given((1, 2)).tolist() == [[1, 2]]
    assert initializers.get(initializers.serialize(given))((1, 2)).tolist() == [[1, 2]]


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_clone_has_the_same_arguments(name):
    one = make(name)
    assert one.clone() is not one
    assert one.clone().get_config() == one.get_config()


def test_names_in_lower_case_are_the_classes():
    for name in initializers.__all__:
        kind = getattr(initializers, name)
        if isinstance(kind, type) and name.islower():
            assert type(initializers.get(name)) is kind, name


def test_he_of_the_course_is_the_square_root_of_two_times_glorot():
    """Yang's notes take the mean of both fans, Keras's `he_normal` the fan in alone."""
    shape = (300, 700)
    course = initializers.VarianceScaling(2.0, "fan_avg", "untruncated_normal", seed=1)
    glorot = initializers.VarianceScaling(1.0, "fan_avg", "untruncated_normal", seed=1)
    w = course(shape, "float64")
    np.testing.assert_allclose(w, np.sqrt(2) * glorot(shape, "float64"), rtol=1e-12)
    assert w.var() == pytest.approx(4 / (300 + 700), rel=0.01)
    assert initializers.GlorotNormal(seed=1)(shape).var() == pytest.approx(2 / 1000, rel=0.01)
    assert initializers.HeNormal(seed=1)(shape).var() == pytest.approx(2 / 300, rel=0.01)


def test_units_that_start_alike_stay_alike():
    """Zeros (or any constant) break no symmetry: the units of a layer never differ."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 1))
    for start in ("zeros", initializers.Constant(0.3)):
        hidden = layers.Dense(4, "tanh", kernel_initializer=start)
        model = Sequential([hidden, layers.Dense(1, kernel_initializer=start)])
        model.compile("adam", "mse")
        model.fit(x, y, epochs=3, verbose=0)
        kernel = hidden.kernel.numpy()
        np.testing.assert_allclose(kernel, kernel[:, :1].repeat(4, axis=1), rtol=1e-5)
        assert (kernel[0, 0] == 0) == (start == "zeros")  # zeros get no gradient at all


def test_variances_keep_the_size_of_signals_through_many_layers():
    """With variance 2 / fan in, a layer of relus keeps the mean square of its inputs (He 2015)."""
    x = np.random.default_rng(0).normal(size=(400, 256))
    for seed in range(10):
        w = initializers.HeNormal(seed=seed)((256, 256), "float64")
        x = np.maximum(x @ w, 0)
    assert 0.5 < np.mean(x**2) / 1.0 < 2


MISUSE = {
    "unknown name": (lambda: initializers.get("glorot_unifrm"), "Did you mean"),
    "unknown mode": (lambda: initializers.VarianceScaling(mode="fan_inn"), "fan_in"),
    "unknown distribution": (lambda: initializers.VarianceScaling(distribution="flat"), "uniform"),
    "scale of zero": (lambda: initializers.VarianceScaling(scale=0), "positive"),
    "scale that is text": (lambda: initializers.VarianceScaling(scale="2"), "scale"),
    "seed that is text": (lambda: initializers.GlorotUniform(seed="one"), "seed"),
    "identity of a vector": (lambda: initializers.Identity()((3,)), "matrix"),
    "orthogonal vector": (lambda: initializers.Orthogonal()((3,)), "two dimensions"),
    "gain that is text": (lambda: initializers.Orthogonal(gain="big"), "gain"),
    "uniform upside down": (lambda: initializers.RandomUniform(1.0, -1.0), "minval"),
    "negative spread": (lambda: initializers.RandomNormal(stddev=-1.0), "stddev"),
}


@pytest.mark.parametrize("name", sorted(MISUSE))
def test_misuse_gets_a_clear_error(name):
    action, message = MISUSE[name]
    with pytest.raises(ValueError, match=message):
        action()
