"""Random numbers: seeds repeat, streams advance, steps replay, distributions have their moments."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops, random
from minikeras.autodiff import Tape
from minikeras.core.serialize import deserialize, serialize
from minikeras.program import Replayed
from minikeras.utils import set_random_seed

LOGITS = np.log(np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], "float32"))
DRAWS = {
    "uniform": lambda seed: random.uniform((4, 5), -1.0, 3.0, seed=seed),
    "normal": lambda seed: random.normal((4, 5), 1.0, 2.0, seed=seed),
    "truncated_normal": lambda seed: random.truncated_normal((4, 5), 1.0, 2.0, seed=seed),
    "randint": lambda seed: random.randint((4, 5), 0, 100, seed=seed),
    "categorical": lambda seed: random.categorical(LOGITS, 20, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(50), seed=seed),
    "gamma": lambda seed: random.gamma((4, 5), 2.0, seed=seed),
    "beta": lambda seed: random.beta((4, 5), 2.0, np.linspace(0.5, 3, 5), seed=seed),
    "dropout": lambda seed: random.dropout(np.ones((4, 50), "float32"), 0.5, seed=seed),
}
every_draw = pytest.mark.parametrize("name", sorted(DRAWS))


def test_every_function_of_the_room_has_a_case():
    assert set(random.__all__) - {"SeedGenerator"} == set(DRAWS)


@every_draw
def test_a_number_as_seed_gives_the_same_draw_and_another_number_another(name):
    draw = DRAWS[name]
    np.testing.assert_array_equal(draw(3), draw(3))
    assert not np.array_equal(draw(3), draw(4))


@every_draw
def test_a_generator_advances_and_starts_anew_with_its_seed(name):
    draw, one, twin = DRAWS[name], random.SeedGenerator(5), random.SeedGenerator(5)
    first, second = draw(one), draw(one)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, draw(twin))
    np.testing.assert_array_equal(second, draw(twin))


@every_draw
def test_without_a_seed_the_process_wide_one_decides(name):
    draw = DRAWS[name]
    set_random_seed(7)
    first, second = draw(None), draw(None)
    set_random_seed(7)
    np.testing.assert_array_equal(first, draw(None))
    assert not np.array_equal(first, second)


@every_draw
@pytest.mark.parametrize("seeded", [True, False])
def test_replayed_draws_are_the_bits_of_eager_ones_and_differ_from_step_to_step(name, seeded):
    def two(seed):
        return [DRAWS[name](seed), DRAWS[name](seed)]

    eager = random.SeedGenerator(9) if seeded else None
    recorded = random.SeedGenerator(9) if seeded else None
    set_random_seed(2)
    want = [two(eager) for _ in range(3)]
    set_random_seed(2)
    replayed = Replayed(lambda: two(recorded))
    got = [replayed() for _ in range(3)]
    for step, expected in zip(got, want, strict=True):
        for a, b in zip(step, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    assert not np.array_equal(got[0][0], got[1][0])
    if seeded:
        np.testing.assert_array_equal(eager.state.numpy(), recorded.state.numpy())


def test_uniform_numbers_fill_their_interval_evenly():
    values = random.uniform((200_000,), -1.0, 3.0, seed=1)
    assert values.dtype == "float32"
    assert -1.0 <= values.min() < -0.999
    assert 2.999 < values.max() < 3.0
    counts = np.histogram(values, 8, (-1, 3))[0]
    assert np.abs(counts / 25_000 - 1).max() < 0.03


def test_normal_numbers_have_their_moments():
    values = random.normal((200_000,), 1.0, 2.0, dtype="float64", seed=1)
    assert values.dtype == "float64"
    assert values.mean() == pytest.approx(1.0, abs=0.02)
    assert values.std() == pytest.approx(2.0, rel=0.01)
    standard = (values - 1) / 2
    assert np.mean(standard**3) == pytest.approx(0, abs=0.03)
    assert np.mean(standard**4) == pytest.approx(3, abs=0.06)


def test_truncated_numbers_end_at_two_standard_deviations():
    values = random.truncated_normal((200_000,), 1.0, 2.0, seed=1)
    assert np.abs(values - 1).max() <= 4.0
    assert values.mean() == pytest.approx(1.0, abs=0.02)
    assert values.std() == pytest.approx(2 * 0.87963, rel=0.01)


def test_integers_take_every_value_but_the_upper_bound():
    values = random.randint((7000,), -2, 5, dtype="int16", seed=1)
    assert values.dtype == "int16"
    found, counts = np.unique(values, return_counts=True)
    assert found.tolist() == [-2, -1, 0, 1, 2, 3, 4]
    assert np.abs(counts - 1000).max() < 150


def test_categories_come_with_their_probabilities():
    drawn = random.categorical(LOGITS, 20_000, seed=1)
    assert drawn.shape == (2, 20_000)
    assert drawn.dtype == "int32"
    shares = np.stack([np.bincount(row, minlength=3) / 20_000 for row in drawn])
    np.testing.assert_allclose(shares, np.exp(LOGITS), atol=0.015)


def test_a_shuffle_is_a_permutation_along_its_axis():
    x = np.arange(12).reshape(3, 4)
    rows = random.shuffle(x, seed=3)
    assert sorted(map(tuple, rows)) == sorted(map(tuple, x))
    columns = random.shuffle(x, axis=1, seed=3)
    assert sorted(map(tuple, columns.T)) == sorted(map(tuple, x.T))


def test_dropout_scales_what_it_keeps():
    values = random.dropout(np.full((300, 500), 2.0, "float32"), 0.2, seed=1)
    assert set(np.unique(values)) == {np.float32(0), np.float32(2.5)}
    assert values.mean() == pytest.approx(2.0, abs=0.01)
    rows = random.dropout(np.ones((50, 4), "float32"), 0.5, noise_shape=(None, 1), seed=1)
    assert all(len(np.unique(row)) == 1 for row in rows)
    x = np.ones((2, 2), "float32")
    np.testing.assert_array_equal(random.dropout(x, 0.0), x)


def test_the_gradient_of_dropout_passes_where_the_values_did():
    generator = random.SeedGenerator(1)
    with Tape() as tape:
        x = tape.watch(np.ones((5, 40), "float32"))
        y = random.dropout(x, 0.5, seed=generator)
    np.testing.assert_array_equal(tape.gradient(y, [x])[0].value, y.value)


def test_lists_are_taken_where_arrays_are():
    assert random.shuffle([1, 2, 3], seed=0).shape == (3,)
    assert random.categorical([[0.0, 1.0]], 3, seed=0).shape == (1, 3)
    assert random.dropout([1.0, 2.0], 0.5, seed=0).shape == (2,)


class Noise(layers.Layer):
    """A layer of a user's own, without and with a generator."""

    def __init__(self, own_generator=False):
        super().__init__()
        self.generator = random.SeedGenerator(1) if own_generator else None

    def call(self, x, training=False):
        return x + random.normal(ops.shape(x), seed=self.generator) if training else x


@pytest.mark.parametrize("own_generator", [False, True])
@pytest.mark.filterwarnings("ignore:.*has no trainable weights")
def test_noise_in_a_layer_of_ones_own_is_new_at_every_training_step(own_generator):
    def losses(eager):
        set_random_seed(4)
        model = keras.Sequential([Noise(own_generator)])
        model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=eager)
        x = np.zeros((8, 3), "float32")
        return [float(model.train_on_batch(x, x)) for _ in range(3)]

    replayed = losses(False)
    assert len(set(replayed)) == 3
    assert replayed == losses(True)


def test_a_generator_is_found_in_a_layer_but_not_saved_with_its_weights():
    layer = Noise(own_generator=True)
    layer(np.ones((1, 2), "float32"))
    assert layer.weights == []
    assert layer.variables == [layer.generator.state]


def test_a_config_makes_the_same_generator():
    one = random.SeedGenerator(3)
    twin = deserialize(serialize(one))
    np.testing.assert_array_equal(twin.state.numpy(), one.state.numpy())
    assert random.SeedGenerator.from_config(one.get_config()).seed == 3


MISUSE = {
    "negative seed": (lambda: random.SeedGenerator(-1), "seed"),
    "seed that is text": (lambda: random.SeedGenerator("one"), "seed"),
    "seed that is a fraction": (lambda: random.uniform((2,), seed=0.5), "seed"),
    "empty interval of integers": (lambda: random.randint((2,), 3, 3), "minval < maxval"),
    "integers that are floats": (lambda: random.randint((2,), 0, 3, dtype="float32"), "integers"),
    "rate above one": (lambda: random.dropout(np.ones(3), 1.5), "rate"),
    "unknown dtype": (lambda: random.normal((2,), dtype="flot32"), "Did you mean"),
    "shape that is text": (lambda: random.normal("23"), "shape"),
}


@pytest.mark.parametrize("name", sorted(MISUSE))
def test_misuse_gets_a_clear_error(name):
    action, message = MISUSE[name]
    with pytest.raises(ValueError, match=message):
        action()


def test_gamma_and_beta_have_their_moments():
    x = np.asarray(random.gamma((200_000,), 2.5, seed=1))
    assert x.mean() == pytest.approx(2.5, rel=0.02)
    assert x.var() == pytest.approx(2.5, rel=0.03)
    y = np.asarray(random.beta((200_000,), 0.5, 1.5, seed=1))
    assert y.mean() == pytest.approx(0.25, rel=0.02)
    assert y.var() == pytest.approx(0.25 * 0.75 / 3, rel=0.03)
    assert y.dtype == np.float32
