"""Which batches an epoch consists of."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..data import ArrayData


class Batches:
    """Which batches an epoch consists of.

    Args:
        data: The data set.
        steps: Batches per epoch; epochs then go on where the one before ended, and a pass over the
            data that is used up begins anew with the next epoch.
    """

    def __init__(self, data: ArrayData, steps: int | None):
        self._data = data
        self._given = steps
        self.steps: int | None = self._given or data.num_batches
        self._used = 0  # batches of the pass under way that earlier epochs have used
        self._passes = 0  # passes begun
        self._at_start = (0, 0)  # both, as they were when this epoch began

    def epoch(self, number: int, skip: int = 0) -> Iterator[tuple[int, int]]:
        """The places of the batches of epoch `number` (counted from 0) after the first `skip`."""
        if self._given is None:
            self._data.start_epoch(number)
            return islice(iter(self._data), skip, None)
        self._at_start = (self._used, self._passes)
        total = self._data.num_batches
        if self._used in (0, total):
            self._used, self._passes = 0, self._passes + 1
        self._data.start_epoch(self._passes - 1)
        first, count = self._used, min(self._given, total - self._used)
        if count < self._given:
            warnings.warn(
                f"The data ran out after {count} of {self._given} steps of this epoch. Pass more "
                "data, a smaller batch_size or fewer steps_per_epoch.",
                stacklevel=4,
            )
        self._used += count
        return islice(iter(self._data), first + skip, first + count)

    def state(self, within_epoch: bool) -> dict[str, Any]:
        """What decides the order of the data from the beginning of an epoch on.

        Args:
            within_epoch: Of the epoch under way; else of the next one.
        """
        used, passes = self._at_start if within_epoch else (self._used, self._passes)
        return {
            "seed": self._data.seed,
            "samples": self._data.num_samples,
            "batch_size": self._data.batch_size,
            "used": used,
            "passes": passes,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on in the order of a saved state.

        Raises:
            ValueError: The state is that of other data.
        """
        for name, here in (
            ("samples", self._data.num_samples),
            ("batch_size", self._data.batch_size),
        ):
            if state[name] != here:
                raise ValueError(
                    f"The saved run was over data with {name}={state[name]}. Received: "
                    f"{name}={here}. Pass the same data to go on with it."
                )
        self._data.seed = state["seed"]
        self._used, self._passes = state["used"], state["passes"]
