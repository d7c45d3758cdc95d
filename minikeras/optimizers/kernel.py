"""Optimizers whose rule is made of kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.context import context
from ..autodiff.variable import Variable
from ..kernels.formulas import COMMON, RULES
from .base import Optimizer
from .flat import FlatGroup
from .recording import first, place, run
from .rows import TABLE, Table, fits, looked_up, rests

RATE, ITERATIONS = COMMON.index("learning_rate"), COMMON.index("iterations")


class KernelOptimizer(Optimizer):
    """An optimizer whose rule is one kernel, or several in a row, over all parameters.

    By default the kernel is the one of the formula that `rule` names in `kernels.formulas`, and its
    numbers are the attributes of their names.
    """

    needs_whole_gradients = False  # of tables: something else looks at the flat vectors

    @property
    def rule(self) -> str:
        """Name of the formula in `kernels.formulas`."""
        raise NotImplementedError(f"{type(self).__name__} must name its rule.")

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._rows: dict[int, Any] = {}  # gradients and numbers of rows that were looked up
        self._make_slots()
        for slot in self._ordered_slots():
            self._keep(slot)
        self._hyper = np.array(self.hyper(), np.float64)
        self._tables = self._found_tables()
        self._numbers: Any = self._hyper.data  # writing to it costs a fifth of writing to an array

    def _kind(self, variable: Variable) -> str:
        return TABLE if variable.is_table else ""

    def _found_tables(self) -> dict[int, Table]:
        """id of a variable to what is known of its rows, where only some need to be updated."""
        cls = type(self)
        standard = all(
            getattr(cls, name) is getattr(KernelOptimizer, name)
            for name in ("_kind", "_update", "launches", "update_step")
        )
        tables = [v for v in self._trainable_variables if fits(v)]
        found: dict[int, Table] = {}
        for variable in tables if standard else []:
            initial = {name: self._initial_slot(name, variable) for name in self._slot_names()}
            if any(np.ndim(value) for value in initial.values()):
                continue
            rule, numbers = RULES[self.rule], self.hyper()[len(COMMON) :]
            still, forgets = rests(rule, numbers, initial.__getitem__, variable.dtype)
            if still:
                group = self._group_of(variable)
                found[id(variable)] = Table(variable, group, initial, forgets)
        return found

    def _bring(self, pairs: dict[int, Any]) -> None:
        self._rows = {}
        super()._bring(pairs)

    def _take(self, group: FlatGroup, pairs: dict[int, Any]) -> list[Any]:
        """Gradients of rows go to their rows; others fill their part of the flat vector."""
        whole, calls = dict(pairs), []
        for variable in group.variables:
            table = self._tables.get(id(variable))
            if table is None or id(variable) not in pairs:
                continue
            rows = looked_up(pairs[id(variable)]) if self._may_skip(variable, table) else None
            if rows is None:
                calls.append(table.forget)
                continue
            del whole[id(variable)]
            first(partial(table.refresh, rows[1].spec.shape[0]), ())
            self._rows[id(variable)] = rows
        group.take(whole)
        return calls

    def _may_skip(self, variable: Variable, table: Table) -> bool:
        """Whether the update of rows without gradient and history changes nothing."""
        limits = (self.clipnorm, self.clipvalue, self.global_clipnorm, self.loss_scale_factor)
        others = (self.reduce, self.gradient_accumulation_steps)
        decayed = self.weight_decay and self.decays(variable)
        again = context.recorder is not None and context.recorder.writes(variable)
        return all(setting is None for setting in (*limits, *others)) and not (
            decayed or again or table.always_whole or self.needs_whole_gradients
        )

    def _make_slots(self) -> None:
        for name in self._slot_names():
            for group in self._groups:
                group.add_slot(name, lambda variable, name=name: self._initial_slot(name, variable))

    def _slot_names(self) -> tuple[str, ...]:
        return RULES[self.rule].slots

    def _initial_slot(self, name: str, variable: Variable) -> Any:
        return 0.0

    def _ordered_slots(self) -> list[Variable]:
        """Slots in the order of Keras's files: all of one variable, then those of the next."""
        return [slot for v in self._trainable_variables for slot in self._rule_slots(v)]

    def _rule_slots(self, variable: Variable) -> list[Variable]:
        slots = self._group_of(variable).slots_of[id(variable)]
        return [slots[name] for name in self._slot_names() if name in slots]

    def hyper(self) -> Sequence[float]:
        """What the kernel reads: rate and iterations (written at each step), and fixed numbers."""
        numbers = [getattr(self, name) for name in RULES[self.rule].numbers]
        return (0.0, self.weight_decay or 0.0, 0.0, *numbers)

    def set_number(self, name: str, value: float) -> None:
        """Change a number of the rule, such as `momentum` or `beta_1`, for the coming steps.

        Recorded steps go on with it; where the attribute is set, they are recorded anew.

        Raises:
            ValueError: The rule has no such number, or not with this value (momentum 0).
        """
        rule, numbers = self.rule, RULES[self.rule].numbers
        before = getattr(self, name, None)
        if name in numbers:
            object.__setattr__(self, name, float(value))
        if name not in numbers or self.rule != rule:
            object.__setattr__(self, name, before)
            raise ValueError(
                f"{type(self).__name__} has no number {name!r} that can be {value} here. It has: "
                f"{', '.join(numbers) or 'none'}."
            )
        if self.built:
            self._numbers[len(COMMON) + numbers.index(name)] = float(value)

    def launches(
        self, group: FlatGroup, variables: list[Variable], decays: Callable[[Variable], bool]
    ) -> list[Any]:
        """Kernel launches that update some variables of a group by its flat gradient."""
        flat = [group.slots[name] for name in self._slot_names()]
        segments = group.segments(variables, decays)
        return [
            kernels.launch(
                self.rule, segments, group.gradient, *flat, self._hyper, tasks=group.tasks()
            )
        ]

    def _update(self, present: list[Variable], calls: list[Any]) -> None:
        if type(self).update_step is not KernelOptimizer.update_step:
            super()._update(present, calls)
            return
        self._before_step(present)
        steps = []
        for group, variables in self._parts(present):
            whole = [v for v in variables if id(v) not in self._rows]
            steps += self.launches(group, whole, self.decays) if whole else []
        run(self.name, [*calls, *self._clipped(present), *steps], self._changed(present))
        for key, rows in self._rows.items():
            table = self._tables[key]
            run(self.name, partial(table.launches, self.rule, self._hyper), [table.variable], rows)
        self._rows = {}

    def _changed(self, present: list[Variable]) -> list[Variable]:
        """All that an update of these variables changes."""
        gradients = [self._group_of(v).gradients[id(v)] for v in present]
        return [*present, *gradients, *self._own]

    def _before_step(self, present: list[Variable]) -> None:
        self._hyper[:] = self.hyper()
        first(self._prepare, self._read())

    def _read(self) -> list[Variable]:
        """What `_prepare` reads."""
        return [self._iterations] if self._rate is None else [self._iterations, self._rate]

    def _prepare(self) -> None:
        """Write the coming step's numbers to where the kernel reads them."""
        self._set_rate(self._current_rate())
        self._numbers[ITERATIONS] = self._steps_done()

    def _set_rate(self, rate: float) -> None:
        self._numbers[RATE] = rate

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The rule for one variable, for classes that build on it in `update_step` of their own.

        Clipping and weight decay, which come before, are not part of it.
        """
        group, rate = self._group_of(variable), np.empty((), "float64")
        place(learning_rate, rate)
        place(gradient, group.gradients[id(variable)]._buffer)

        steps = self.launches(group, [variable], lambda variable: False)
        calls = [lambda: self._set_rate(float(rate)), *steps]
        run(self.name, calls, self._changed([variable]))
