"""What optimizers that wrap others share."""

from __future__ import annotations

from typing import Any

from ..autodiff.variable import Variable
from .base import Optimizer
from .flat import FlatGroup


class WrappingOptimizer(Optimizer):
    """An optimizer whose steps are made by the optimizers in it."""

    _version_here = 0
    _reduce: Any = None

    def _inner(self) -> list[Optimizer]:
        """The optimizers in it; none while it is being made."""
        raise NotImplementedError

    @property
    def _version(self) -> int:  # type: ignore[override]
        """Changes of an inner optimizer count: recorded steps depend on it."""
        return self._version_here + sum(optimizer._version for optimizer in self._inner())

    @_version.setter
    def _version(self, value: int) -> None:
        self._version_here += value - self._version

    @property
    def reduce(self) -> Any:
        """A function of each flat gradient, called before it is used."""
        return self._reduce

    @reduce.setter
    def reduce(self, function: Any) -> None:
        self._reduce = function
        for optimizer in self._inner():
            optimizer.reduce = function

    @property
    def use_ema(self) -> bool:
        """Whether averages of the weights are kept: by each inner optimizer as it was made."""
        return any(optimizer.use_ema for optimizer in self._inner())

    @use_ema.setter
    def use_ema(self, value: bool) -> None:
        """What the base class sets."""

    @property
    def averages(self) -> list[Variable]:
        """The averages that the inner optimizers keep."""
        return [average for optimizer in self._inner() for average in optimizer.averages]

    def swap_averages(self) -> None:
        averaging = [optimizer for optimizer in self._inner() if optimizer.averages]
        if not averaging:
            self._require_averages()
        for optimizer in averaging:
            optimizer.swap_averages()

    def restart_averages(self) -> None:
        for optimizer in self._inner():
            optimizer.restart_averages()

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        for optimizer in self._inner():
            optimizer.exclude_from_weight_decay(var_list, var_names)

    def _all_groups(self) -> list[FlatGroup]:
        return [group for optimizer in self._inner() for group in optimizer._all_groups()]
