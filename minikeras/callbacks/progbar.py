"""The progress bar by itself, for loops of the user's own (keras.utils.Progbar)."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core import validate
from .progress import Bar

__all__ = ["Progbar"]


class Progbar:
    """A progress bar for a loop of your own.

    Args:
        target: Steps expected; None when nobody knows.
        width: Characters of the bar.
        verbose: 1: a line drawn over and over in terminals and notebooks, printed once at its end
            elsewhere; 2: printed once at its end everywhere; 0: silent.
        interval: Seconds between redraws.
        stateful_metrics: Names of values that are shown as they are; of all others the average
            since the beginning is shown, each value counting for the steps since the one before.
        stateless_metrics: Names of the values that are averaged; all others are shown as they are.
        unit_name: What a step is called.

    >>> bar = Progbar(3, verbose=2)
    >>> for step in range(3):
    ...     bar.update(step + 1, [("loss", step)])
    3/3 - 0.0s - ...us/step - loss: 1.0000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Progbar takes `stateful_metrics` or `stateless_metrics`, not both. Received: "
                f"{stateful_metrics!r} and {stateless_metrics!r}."
            )
        if target is not None:
            target = validate.non_negative_int(target, "target", "Progbar")
        verbose = int(verbose) if isinstance(verbose, bool) else verbose
        self.target = target
        self.width = validate.positive_int(width, "width", "Progbar")
        self.verbose = validate.one_of(verbose, (0, 1, 2), "verbose", "Progbar")
        self.interval = validate.non_negative(interval, "interval", "Progbar")
        self.unit_name = unit_name
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._bar = Bar(interval=self.interval, width=self.width, unit=unit_name)
        self._begin()

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Say that `current` steps are done.

        Args:
            current: Steps done in all.
            values: Pairs (name, value of the last step).
            finalize: Whether this ends the bar; by default when the target is reached. What is
                updated after that begins a new bar.
        """
        if self._ended:
            self._begin()
        steps = max(current - self._bar.seen, 1)
        for name, value in values or ():
            self._note(name, value, steps)
        self._bar.update(current, self._shown)
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        if finalize:
            self._bar.finish(self._shown())
            self._bar.close()
            self._ended = True

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Say that `n` more steps are done."""
        self.update(self._bar.seen + n, values)

    def _begin(self) -> None:
        self._ended = False
        self._values: dict[str, tuple[Any, int]] = {}  # sum and the steps it is of
        self._bar.start(self.target, live=self.verbose == 1, silent=self.verbose == 0)

    def _note(self, name: str, value: Any, steps: int) -> None:
        value = float(np.mean(value))
        if self._is_averaged(name):
            total, count = self._values.get(name, (0.0, 0))
            self._values[name] = (total + value * steps, count + steps)
        else:
            self._values[name] = (value, 1)

    def _is_averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in (self.stateful_metrics or ())

    def _shown(self) -> dict[str, float]:
        return {name: total / count for name, (total, count) in self._values.items()}
