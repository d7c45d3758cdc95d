"""Tracks for the cross lines between two ranks, so that none lies upon another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["SLANT", "Run", "tracks_of"]

CLOSE = 6.0
SLANT = 2.5  # a line this little aside is drawn as straight


@dataclass(eq=False)
class Run:
    """A line from a place on the upper rank to one on the lower, by way of a track.

    Attributes:
        start, end: The two places.
        source, target: What it leaves and where it arrives; runs that share one may join.
        track: Number of its track, from above; set by `tracks_of`.
    """

    start: float
    end: float
    source: Any
    target: Any
    track: int = 0

    @property
    def is_straight(self) -> bool:
        return abs(self.start - self.end) < SLANT

    def joins(self, other: Run) -> bool:
        return self.source == other.source or self.target == other.target

    def overlaps(self, other: Run) -> bool:
        low, high = sorted((self.start, self.end))
        first, last = sorted((other.start, other.end))
        return low - CLOSE < last and first < high + CLOSE

    def before(self, other: Run) -> bool:
        """Whether it must lie above: it leaves where the other arrives, or would cross it."""
        if abs(self.start - other.end) < CLOSE:
            return True
        right = self.end > self.start
        if right != (other.end > other.start) or not self.overlaps(other):
            return False
        return self.start > other.start if right else self.start < other.start


def tracks_of(runs: list[Run]) -> int:
    """Give each run a track; the number of tracks needed."""
    left = [run for run in runs if not run.is_straight]
    placed: list[Run] = []
    while left:
        free = (
            r for r in left if not any(o.before(r) and not o.joins(r) for o in left if o is not r)
        )
        run = next(free, left[0])  # in a circle one crossing more cannot be helped
        left.remove(run)
        below = [o.track + 1 for o in placed if not o.joins(run) and _conflict(o, run)]
        run.track = max(below, default=0)
        placed.append(run)
    return max((run.track for run in placed), default=-1) + 1


def _conflict(one: Run, other: Run) -> bool:
    return one.overlaps(other) or one.before(other)
