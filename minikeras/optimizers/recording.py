"""Calls that run now or, while a step is being recorded, whenever it is replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import kernels, ops
from ..autodiff.context import context
from ..autodiff.tensor import Tensor
from ..autodiff.variable import Variable


def run(name: str, calls: Any, writes: Sequence[Variable], reads: Sequence[Any] = ()) -> None:
    """Kernel launches and functions, in order, which change the Variables `writes`.

    Calls on values of a step that is being recorded are made by a function of the arrays of
    `reads`.
    """
    recorder = context.recorder
    if recorder is not None:
        recorder.effect(name, calls, writes, reads)
        return
    for variable in writes:
        variable.before_write()
    kernels.run(calls)


def choose(
    condition: Callable[[], bool], function: Callable[[], None], otherwise: Callable[[], None]
) -> None:
    """Do the one or the other, as the condition says at each replay; both act on Variables only."""
    if context.recorder is not None:
        context.recorder.branch(condition, function, otherwise)
    elif condition():
        function()
    else:
        otherwise()


def first(function: Callable[[], None], reads: Sequence[Variable]) -> None:
    """A function of what the Variables `reads` are before the step: the kernels run unbroken."""
    recorder = context.recorder
    if recorder is None:
        function()
    elif any(recorder.writes(variable) for variable in reads):
        recorder.effect("prepare", [function], ())
    else:
        recorder.prologue.append(function)


def last(function: Callable[[], None], variable: Variable) -> None:
    """A function that changes a Variable which nothing else in the step looks at afterwards."""
    recorder = context.recorder
    if recorder is None:
        variable.before_write()
        function()
    elif recorder.writes(variable):
        recorder.effect("finish", [function], [variable])
    else:
        recorder.epilogue.append(function)


def settle(function: Callable[[], None], variable: Variable) -> None:
    """Have a function that `last` put off run here: something is going to look after all."""
    recorder = context.recorder
    while recorder is not None:
        if function in recorder.epilogue:
            recorder.epilogue.remove(function)
            recorder.effect("finish", [function], [variable])
        recorder = recorder.outer


def place(value: Any, array: np.ndarray) -> None:
    """Bring a value, of whatever kind, into an array."""
    recorder = context.recorder
    if recorder is not None:
        if not isinstance(value, Variable | Tensor):
            value = np.asarray(value, array.dtype)
        elif value.dtype != array.dtype.name:
            value = ops.cast(value, array.dtype.name)
        recorder.pin(value._tensor() if isinstance(value, Variable) else value, array)
    elif isinstance(value, Tensor):
        np.copyto(array, value.value, casting="unsafe")
    else:
        np.copyto(array, value._buffer if isinstance(value, Variable) else value, casting="unsafe")


@contextmanager
def on_tensors() -> Iterator[None]:
    """Inside, Variables give Tensors, as in a recorded step: the same code gives the same bits."""
    if context.tracing:
        yield
        return
    context.scope = {}
    try:
        yield
    finally:
        context.scope = None
        context.lifted.clear()
