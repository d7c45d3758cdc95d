"""Random numbers that depend on a key and a place."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

KEY = -6_400_000_000_000_000_123
SIZES = (0, 1, 65, 1003)
FIRST = (0, 5, 2**32 - 100, 2**40 + 3)


def case(name: str, size: int, first: int) -> tuple:
    x = np.random.default_rng(size).normal(2, 1, size)
    known = {"x": x, "key": [KEY], "first": first, "rate": 0.3, "y": x, "out": x}
    known |= {"low": -1.0, "high": 3.0, "mean": 1.0, "deviation": 0.5, "state": [KEY, 7 + first]}
    return tuple(known[argument] for argument in TABLE["dropout"][name])


CASES = {name: [case(name, n, f) for n in SIZES for f in FIRST] for name in TABLE["dropout"]}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["dropout"])
def test_kernel_has_the_bits_of_its_twin(name, floats):
    for arguments in CASES[name]:
        if name.startswith(
            "random"
        ):  # the twin is in the kernel's type: other bits belong to float64
            arguments = checks.cast(name, arguments, floats)
            wanted = [np.copy(a) for a in arguments]
            checks.twin(name)(*wanted)
            for tasks in (1, 2, 3, 8):
                made = checks.result(name, arguments, tasks)["out"]
                np.testing.assert_allclose(
                    made, wanted[-1], checks.TOLERANCE[floats], checks.TOLERANCE[floats] * 2
                )
        else:
            checks.check(name, floats, arguments)


def numbers(name: str, size: int, key: int, *parameters, first: int = 0, floats="float32"):
    out = np.empty(size, floats)
    run([launch(name, np.array([key]), first, *parameters, out)])
    return out


def uniform(size: int, key: int, **more) -> np.ndarray:
    return numbers("random_uniform", size, key, 0.0, 1.0, **more)


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_stream_may_be_read_in_pieces(floats):
    whole = uniform(1000, 3, first=2**32 - 500, floats=floats)
    for start in (1, 499, 500, 777):
        part = uniform(1000 - start, 3, first=2**32 - 500 + start, floats=floats)
        assert checks.same_bits(part, whole[start:])


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("key", [0, 1, KEY])
def test_uniform_numbers_pass_statistical_tests(key, floats):
    u = uniform(1_000_000, key, floats=floats).astype(np.float64)
    assert 0 <= u.min() < 1e-5
    assert 1 - 1e-5 < u.max() < 1
    assert abs(u.mean() - 0.5) < 4.5 / np.sqrt(12e6)
    assert abs(u.var() - 1 / 12) < 4.5 / np.sqrt(180e6)
    counts = np.bincount((u * 1000).astype(int), minlength=1000)
    chi_squared = ((counts - 1000) ** 2 / 1000).sum()
    assert abs(chi_squared - 999) < 4.5 * np.sqrt(2 * 999)
    centred = u - 0.5
    for lag in (1, 2, 7, 64, 100, 784, 4096):
        correlation = (centred[lag:] * centred[:-lag]).mean() * 12
        assert abs(correlation) < 4.5 / 1000, lag


def test_pairs_of_neighbours_fill_the_square_evenly():
    u = uniform(1_000_000, 11)
    cells = (u[::2] * 64).astype(int) * 64 + (u[1::2] * 64).astype(int)
    expected = 500_000 / 4096
    chi_squared = ((np.bincount(cells, minlength=4096) - expected) ** 2 / expected).sum()
    assert abs(chi_squared - 4095) < 4.5 * np.sqrt(2 * 4095)


def test_streams_of_neighbouring_keys_and_places_are_independent():
    streams = np.array([uniform(4096, key) for key in range(256)]) - 0.5
    correlations = np.corrcoef(streams)[np.triu_indices(256, 1)]
    assert abs(correlations).max() < 5.5 / np.sqrt(4096)
    assert abs(correlations.std() * np.sqrt(4096) - 1) < 0.05
    at_each_place = (streams.sum(axis=0) * np.sqrt(12 / 256)) ** 2
    assert abs(at_each_place.mean() - 1) < 4.5 * np.sqrt(2 / 4096)


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_normal_numbers_have_normal_moments_and_tails(floats):
    z = numbers("random_normal", 1_000_000, 5, 0.0, 1.0, floats=floats).astype(np.float64)
    assert abs(z.mean()) < 4.5e-3
    assert abs(z.var() - 1) < 4.5e-3 * np.sqrt(2)
    assert abs((z**3).mean()) < 4.5e-3 * np.sqrt(15)
    assert abs((z**4).mean() - 3) < 4.5e-3 * np.sqrt(96)
    for bound, share in ((1, 0.15865525), (2, 0.02275013), (3, 0.0013499)):
        for found in ((z > bound).mean(), (z < -bound).mean()):
            assert abs(found - share) < 4.5 * np.sqrt(share / 1e6)
    assert abs((z[1:] * z[:-1]).mean()) < 4.5e-3


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
    x = np.ones(400_000, np.float32)
    y = np.empty_like(x)
    run([launch("dropout", x, np.array([1]), 0, rate, y)])
    dropped = (y == 0).mean()
    assert abs(dropped - rate) <= 4.5 * np.sqrt(rate * (1 - rate) / x.size)
    if rate < 1:
        assert set(np.unique(y)) <= {0, np.float32(1 / (1 - rate))}


def test_keys_of_one_seed_differ():
    state, key = np.array([42, 0]), np.empty(1, np.int64)
    step = launch("next_key", state, key)
    keys = set()
    for _ in range(1000):
        run([step])
        keys.add(int(key[0]))
    assert len(keys) == 1000
    assert state.tolist() == [42, 1000]
