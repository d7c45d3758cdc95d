"""Averages of the weights (Polyak and Ruppert), kept beside them while training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.variable import Variable
from .flat import FlatGroup
from .recording import first, run


class Averages:
    """What an optimizer with ``use_ema=True`` does beside its rule."""

    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    _iterations: Variable
    _groups: list[FlatGroup]
    _trainable_variables: list[Variable]
    _model_variables_moving_average: list[Variable]

    def _steps_done(self) -> int:
        """Updates made so far."""
        raise NotImplementedError

    def _add_averages(self) -> None:
        for group in self._groups:
            group.add_slot("average", lambda variable: 0.0)
        self._model_variables_moving_average = [
            group.slots_of[id(v)]["average"]
            for v in self._trainable_variables
            for group in self._groups
            if id(v) in group.slots_of
        ]
        self._momentum_now = np.zeros(1)

    def _average(self) -> None:
        """Move the averages towards the weights; after the first update they are the weights."""
        first(self._prepare_average, [self._iterations])
        calls: list[Any] = []
        for group in self._groups:
            segments = group.segments(group.variables, lambda variable: False)
            average = group.slots["average"]
            calls.append(
                kernels.launch(
                    "average_weights", segments, average, self._momentum_now, tasks=group.tasks()
                )
            )
        writes = list(self._model_variables_moving_average)
        if self.ema_overwrite_frequency is not None:
            calls.append(self._overwrite_if_due)
            writes += self._trainable_variables
        run("average_weights", calls, writes)

    def _prepare_average(self) -> None:
        self._momentum_now[0] = self.ema_momentum if self._steps_done() else 0.0

    def _overwrite_if_due(self) -> None:
        if (self._steps_done() + 1) % self.ema_overwrite_frequency == 0:  # type: ignore[operator]
            for variable, average in self._pairs():
                np.copyto(variable._buffer, average._buffer)

    def _pairs(self) -> list[tuple[Variable, Variable]]:
        averages = self._model_variables_moving_average
        return list(zip(self._trainable_variables, averages, strict=True)) if averages else []

    @property
    def averages(self) -> list[Variable]:
        """The average of each trainable variable, in their order; empty without `use_ema`."""
        return list(self._model_variables_moving_average)

    def swap_averages(self) -> None:
        """Exchange the trainable variables with their averages, bit for bit.

        Called twice it leaves everything as it was: evaluate or save the averaged model in between.
        Training must not go on while they are exchanged.

        Raises:
            ValueError: The optimizer keeps no averages (yet).

        Example:

        >>> import minikeras as keras
        >>> v = keras.Variable([1.0])
        >>> optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)
        >>> for _ in range(2):
        ...     optimizer.apply([[1.0]], [v])
        >>> optimizer.swap_averages()
        >>> v.numpy(), optimizer.averages[0].numpy()
        (array([0.25], dtype=float32), array([0.], dtype=float32))
        """
        self._require_averages()
        for variable, average in self._pairs():
            before = variable.numpy()
            variable.assign(average)
            average.assign(before)

    def restart_averages(self) -> None:
        """Set the averages to the weights as they are."""
        for variable, average in self._pairs():
            average.assign(variable)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Set variables to their averages, as `fit` does when it ends; nothing without `use_ema`.

        Args:
            var_list: The variables that the optimizer was built for, or some of them.
        """
        if not self._model_variables_moving_average:
            return
        averages = {id(variable): average for variable, average in self._pairs()}
        for variable in var_list:
            if id(variable) not in averages:
                raise ValueError(
                    f"The optimizer keeps no average of '{variable.path}': it was built for other "
                    "variables."
                )
            variable.assign(averages[id(variable)])

    def _require_averages(self) -> None:
        if not self._model_variables_moving_average:
            why = "it was not built yet" if self.use_ema else "use_ema=False"
            raise ValueError(
                f"The optimizer '{getattr(self, 'name', '')}' keeps no averages: {why}. Make it "
                "with use_ema=True, and train at least one step first."
            )
