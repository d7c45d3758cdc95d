"""Which batches an epoch consists of."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from ..data import ArrayData, Source


class Batches:
    """Which batches an epoch consists of.

    Args:
        source: The data.
        steps: Batches per epoch; epochs then go on where the one before ended, and a pass over the
            data that is used up begins anew with the next epoch.

    Raises:
        ValueError: `steps` is None, and the data are known to have no end.
    """

    def __init__(self, source: Source, steps: int | None):
        if steps is None and source.endless:
            raise ValueError(
                "The data have no end, so it must be said how many batches to take: pass "
                "`steps_per_epoch` (`fit`), `steps` (`evaluate`, `predict`) or "
                "`validation_steps`. Received: no number of steps."
            )
        self._source = source
        self._given = steps
        self._used = 0  # batches of the pass under way that earlier epochs have used
        self._passes = 0  # passes begun
        self._at_start = (0, 0)  # both, as they were when this epoch began
        self._places: Any = None  # of the epoch under way

    @property
    def arrays(self) -> dict[str, Any]:
        """Nests of the data by name, where they are in memory; else nothing."""
        source = self._source
        if not isinstance(source, ArrayData):
            return {}
        return {"x": source.x, "y": source.y, "sample_weight": source.sample_weight}

    @property
    def steps(self) -> int | None:
        """Batches per epoch; None as long as nobody knows."""
        return self._given or self._source.num_batches

    def epoch(self, number: int, skip: int = 0) -> Iterator[Any]:
        """The places of the batches of epoch `number` (counted from 0) after the first `skip`."""
        self.close()
        self._at_start = (self._used, self._passes)
        if self._given is None and not self._source.once:
            self._places = self._source.open(number, skip)
            if not self._source.exact:
                self._places = self._counted(self._places, number, skip)
        else:
            if self._used in (0, self._source.num_batches):
                self._used, self._passes = 0, self._passes + 1
            part = self._known_part if self._source.exact else self._unknown_part
            self._places = part(number, skip)
        return self._places

    def close(self) -> None:
        """End the epoch under way, if there is one."""
        places, self._places = self._places, None
        if hasattr(places, "close"):
            places.close()

    def has_more(self, epoch: int, epochs: int) -> bool:
        """Whether there are batches for epoch `epoch`; if not, a warning says what to do."""
        if self._source.has_more(self._used):
            return True
        rest = (
            f"epoch {epochs} was" if epoch + 1 == epochs else f"epochs {epoch + 1} to {epochs} were"
        )
        warnings.warn(
            f"The data ran out after {self._used} batches: {rest} not trained. "
            f"{self._source.advice}",
            stacklevel=4,
        )
        return False

    def _known_part(self, number: int, skip: int) -> Iterator[Any]:
        """The next batches of a pass whose length is known."""
        first, total, given = self._used, self._source.num_batches, self._given
        assert given is not None
        count = given if total is None else min(given, total - first)
        if count < given:
            self._warn(count, given, number)
        self._used += count
        return self._source.open(self._passes - 1, first + skip, first + count)

    def _unknown_part(self, number: int, skip: int) -> Iterator[Any]:
        """The next batches of a pass that may end at any of them."""
        first = self._used
        for first in (self._used, 0):
            stop = None if self._given is None else first + self._given
            self._used = first + skip
            for place in self._source.open(self._passes - 1, first + skip, stop):
                self._used += 1
                yield place
            if self._used > first or first == 0 or self._source.once:
                break
            self._passes += 1  # the pass had ended with the epoch before
        if self._given is not None and self._used - first < self._given:
            self._warn(self._used - first, self._given, number)
            if not self._source.once:
                self._used = 0

    def _counted(self, places: Iterator[Any], number: int, skip: int) -> Iterator[Any]:
        """A whole pass, with a warning when it is shorter than was said."""
        expected, count = self._source.num_batches, skip
        for place in places:
            count += 1
            yield place
        if expected is not None and count < expected:
            self._warn(count, expected, number)

    def _warn(self, count: int, expected: int, number: int) -> None:
        warnings.warn(
            f"The data ran out after {count} of {expected} steps of epoch {number + 1}. "
            f"{self._source.advice}",
            stacklevel=4,
        )

    def state(self, within_epoch: bool) -> dict[str, Any]:
        """What decides the order of the data from the beginning of an epoch on.

        Args:
            within_epoch: Of the epoch under way; else of the next one.
        """
        used, passes = self._at_start if within_epoch else (self._used, self._passes)
        return {"seed": self._source.seed, **self._identity(), "used": used, "passes": passes}

    def _identity(self) -> dict[str, Any]:
        """What must be the same for a saved state to fit."""
        source = self._source
        return {
            "samples": source.num_samples,
            "batch_size": source.batch_size,
            "batches": source.num_batches if source.exact else None,
        }

    def check(self, state: dict[str, Any]) -> None:
        """Whether a saved state fits.

        Raises:
            ValueError: The state is that of other data, or of another order of them.
        """
        for name, here in self._identity().items():
            if state[name] != here:
                raise ValueError(
                    f"The saved run was over data with {name}={state[name]}. Received: "
                    f"{name}={here}. Pass the same data to go on with it."
                )
        if (state["seed"] is None) != (self._source.seed is None):
            was, now = ("not ", "") if state["seed"] is None else ("", "not ")
            raise ValueError(
                f"The data of the saved run were {was}shuffled. Received: data that are {now}"
                "shuffled. Pass the same `shuffle` to go on with it."
            )

    def restore(self, state: dict[str, Any]) -> None:
        """Go on in the order of a saved state, which was checked."""
        self._source.seed = state["seed"]
        self._used, self._passes = state["used"], state["passes"]
