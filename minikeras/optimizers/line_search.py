"""A line search: how far to go in a given direction, for losses known only to some precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

DECREASE = 1e-4  # of the decrease that the slope at the start promises, at least
FLATTER = 0.9  # the slope at the end is at most this part of that at the start
EXPANSION = (2.0, 10.0)  # least and largest factor from one trial to a longer one
MARGIN = 0.1  # part of a bracket, at its ends, in which no trial is made


class Trial(NamedTuple):
    """A length that was tried: the loss there, and its slope along the direction."""

    length: float
    loss: float
    slope: float


def find_length(
    evaluate: Callable[[float], tuple[float, float]],
    loss: float,
    slope: float,
    first: float,
    noise: float = 0.0,
    limit: int = 20,
) -> float | None:
    """A length that lowers the loss enough and leaves a flatter slope (Wolfe's strong conditions).

    The method is that of Nocedal & Wright, algorithms 3.5 and 3.6, with cubic interpolation. Where
    losses differ by no more than their noise, the slopes alone decide (the approximate conditions
    of Hager & Zhang 2005): gradients keep their digits near a minimum when losses have lost them.

    Args:
        evaluate: Loss and slope at a length.
        loss, slope: Those at length 0; the slope is negative.
        first: The length to try first.
        noise: How far the loss at two points may differ by rounding alone.
        limit: Evaluations at most.

    Returns:
        The length, or None if there is none; after `limit` evaluations the best one that at least
        lowers the loss.

    Example:

    >>> find_length(lambda t: ((t - 3) ** 2, 2 * (t - 3)), loss=9.0, slope=-6.0, first=1.0)
    1.0
    """
    start = Trial(0.0, loss, slope)
    low, high, length = start, None, first
    for _ in range(limit):
        trial = Trial(length, *evaluate(length))
        enough = trial.loss <= loss + DECREASE * length * slope
        unclear = abs(trial.loss - loss) <= noise
        if (enough or unclear) and abs(trial.slope) <= -FLATTER * slope:
            return length
        worse = low is not start and trial.loss > low.loss + noise
        if worse or not (enough or (unclear and trial.slope < 0)):
            high = trial
        else:
            if trial.slope * (length - low.length) > 0:
                high = low
            low, before = trial, low
            if high is None:
                length = _longer(before, trial)
                continue
        length = _between(low, high, noise)
    return low.length if low.loss < loss else None


def _longer(before: Trial, last: Trial) -> float:
    """Where the cubic through two trials has its minimum, if that is a length to try next."""
    least, most = (factor * last.length for factor in EXPANSION)
    return min(max(_cubic_minimum(before, last, most), least), most)


def _between(low: Trial, high: Trial | None, noise: float) -> float:
    """A length inside a bracket: by losses and slopes, or where losses are noise by slopes."""
    assert high is not None
    width = high.length - low.length
    middle = low.length + width / 2
    if abs(high.loss - low.loss) <= noise:
        length = _level(low, high, middle)
    else:
        length = _cubic_minimum(low, high, middle)
    ends = sorted((low.length + MARGIN * width, high.length - MARGIN * width))
    return min(max(length, ends[0]), ends[1])


def _level(a: Trial, b: Trial, otherwise: float) -> float:
    """Where the line through the slopes of two trials is 0; `otherwise` if nowhere."""
    change = b.slope - a.slope
    found = a.length - a.slope * (b.length - a.length) / change if change else math.nan
    return found if math.isfinite(found) else otherwise


def _cubic_minimum(a: Trial, b: Trial, otherwise: float) -> float:
    """The minimum of the cubic with the losses and slopes of two trials; `otherwise` if none."""
    width = b.length - a.length
    mean = a.slope + b.slope - 3 * (b.loss - a.loss) / width
    square = mean * mean - a.slope * b.slope
    if not square >= 0:
        return otherwise
    root = math.copysign(math.sqrt(square), width)
    rest = b.slope - a.slope + 2 * root
    found = b.length - width * (b.slope + root - mean) / rest if rest else math.nan
    return found if math.isfinite(found) else otherwise
