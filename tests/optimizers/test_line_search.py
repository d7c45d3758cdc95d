"""The line search finds lengths that satisfy Wolfe's conditions, and knows what rounding hides."""

import math

import numpy as np
import pytest

from minikeras.optimizers.line_search import DECREASE, FLATTER, find_length


def parabola(t):
    return (t - 3.0) ** 2, 2 * (t - 3.0)


def cliff(t):
    """The first function of Moré & Thuente (1994), beta = 2: flat, far from its minimum."""
    return -t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2


def late(t):
    """Their second: steep at the end."""
    return (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4, 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3


def wavy(t):
    return math.cos(5 * t) / 5 - t + 0.1 * t * t, -math.sin(5 * t) - 1 + 0.2 * t


def valley(t):
    return math.exp(-t) + 0.01 * t, -math.exp(-t) + 0.01


FUNCTIONS = (parabola, cliff, late, wavy, valley)


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 1e3])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_length_satisfies_the_strong_conditions_of_wolfe(function, first):
    loss, slope = function(0.0)
    asked = []

    def evaluate(t):
        asked.append(t)
        return function(t)

    length = find_length(evaluate, loss, slope, first)
    at, end = function(length)
    assert at <= loss + DECREASE * length * slope
    assert abs(end) <= FLATTER * abs(slope)
    assert asked[-1] == length  # what was computed last is what is used
    assert len(asked) <= 15


def test_a_first_length_that_is_good_enough_is_taken():
    asked = []
    assert find_length(lambda t: asked.append(t) or parabola(t), 9.0, -6.0, 2.0) == 2.0
    assert asked == [2.0]


def test_there_is_no_length_where_the_loss_only_rises():
    assert find_length(lambda t: (1.0 + t, -1.0), 1.0, -1.0, 1.0) is None


def test_after_the_limit_the_best_length_that_lowers_the_loss_is_taken():
    def endless(t):
        return -t, -1.0

    assert find_length(endless, 0.0, -1.0, 1.0, limit=3) == 100.0
    assert find_length(lambda t: (t, -1.0), 0.0, -1.0, 1.0, limit=3) is None


def test_infinite_and_absent_losses_shorten_the_step():
    def walled(t):
        return parabola(t) if t < 4 else (math.inf if t < 100 else math.nan, math.nan)

    for first in (5.0, 50.0, 1e4):
        assert find_length(walled, 9.0, -6.0, first) < 4


def test_slopes_decide_where_losses_differ_by_their_noise():
    def noisy(t):
        loss, slope = parabola(t)
        return 1.0 + 1e-9 * loss + 1e-7 * math.sin(1e9 * t), 1e-9 * slope

    lengths = [
        find_length(noisy, 1.0, -6e-9, first, noise=4e-7) for first in (0.01, 0.5, 3.0, 9.0, 200.0)
    ]
    for length in lengths:
        assert abs(parabola(length)[1]) <= FLATTER * 6
    assert find_length(lambda t: (1.0 + 1e-7, -6e-9), 1.0, -6e-9, 1.0, noise=0.0) is None


def test_noise_does_not_excuse_a_real_rise():
    length = find_length(parabola, 9.0, -6.0, 100.0, noise=1e-6)
    assert parabola(length)[0] < 9.0
    assert np.isfinite(length)
