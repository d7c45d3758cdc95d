"""Loops over time: sequences cut into steps, a function applied to one after the other."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from ..autodiff.tensor import Tensor
from ..core import tree
from ..graph.abstract import shapes_only
from . import elementwise as e
from .core import cast
from .shapes import expand_dims

# --- an array and its parts along an axis ---------------------------------------------------------


def _part(x: np.ndarray, i: int, count: int, axis: int, drop: bool) -> np.ndarray:
    size = x.shape[axis] // count
    place: Any = i if drop else builtins.slice(i * size, (i + 1) * size)
    return x[(builtins.slice(None),) * axis + (place,)]


def _cut_spec(count: int, x: Spec, axis: int, drop: bool) -> list[Spec]:
    if x.shape[axis] % count:
        raise ValueError(f"An axis of {x.shape[axis]} cannot be cut into {count} equal parts.")
    middle = () if drop else (x.shape[axis] // count,)
    return [Spec((*x.shape[:axis], *middle, *x.shape[axis + 1 :]), x.dtype)] * count


def _cut_forward(ins: list, outs: list, axis: int, drop: bool) -> None:
    for i, out in enumerate(outs):
        np.copyto(out, _part(ins[0], i, len(outs), axis, drop))


def _cut_pull(g: Any, ins: Any, outs: Any, needed: Any, axis: int, drop: bool) -> list:
    given = g if isinstance(g, list) else [g]
    pieces = [
        np.zeros(out.shape, out.dtype) if piece is None else piece
        for piece, out in zip(given, outs, strict=True)
    ]
    return [_join(*pieces, axis=axis, drop=drop)]


@lru_cache(256)
def _cut(count: int) -> Primitive:
    """The primitive that cuts an array into so many parts."""
    return Primitive(
        "cut",
        lambda x, axis, drop: _cut_spec(count, x, axis, drop),
        _cut_forward,
        _cut_pull,
        outputs=count,
        host=True,
        register=False,
    )


def _join_spec(*parts: Spec, axis: int, drop: bool) -> Spec:
    shape = parts[0].shape
    middle = len(parts) if drop else len(parts) * shape[axis]
    return Spec((*shape[:axis], middle, *shape[axis if drop else axis + 1 :]), parts[0].dtype)


def _join_forward(ins: list, outs: list, axis: int, drop: bool) -> None:
    for i, part in enumerate(ins):
        np.copyto(_part(outs[0], i, len(ins), axis, drop), part)


_join = Primitive(
    "join",
    _join_spec,
    _join_forward,
    lambda g, ins, outs, needed, axis, drop: list(_pieces(g, len(ins), axis, drop)),
    host=True,
    register=False,
)


def _pieces(x: Any, count: int, axis: int, drop: bool) -> tuple:
    found = _cut(count)(x, axis=axis % len(x.shape), drop=drop)
    return found if isinstance(found, tuple) else (found,)


def cut(x: Any, count: int, axis: int = -1) -> tuple:
    """`count` equal parts of `x` along an axis, in memory of their own."""
    return _pieces(x, count, axis, drop=False)


def join(parts: Sequence[Any], axis: int = -1) -> Any:
    """What `cut` took apart."""
    return _join(*parts, axis=axis % len(parts[0].shape), drop=False)


def time_steps(x: Any) -> tuple:
    """The steps (batch, ...) of sequences (batch, time, ...)."""
    return _pieces(x, x.shape[1], 1, drop=True)


def from_time_steps(steps: Sequence[Any]) -> Any:
    """The sequences (batch, time, ...) of their steps (batch, ...)."""
    return _join(*steps, axis=1, drop=True)


# --- the loop -------------------------------------------------------------------------------------


class Run(NamedTuple):
    """What a loop over time gives."""

    last: Any  # output of the last step
    outputs: Any  # of all steps, in the order in which they were taken; None if not asked for
    states: Any  # after the last step


def time_loop(
    step: Callable[[Any, Any], tuple[Any, Any]],
    x: Any,
    states: Any,
    mask: Any = None,
    *,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    every: bool = True,
) -> Run:
    """``output, states = step(x[:, t], states)`` for all t.

    Args:
        step: Takes a step (batch, ...) and a nest of states.
        x: (batch, time, ...), with one step at least; or a nest of such arrays.
        states: Nest of what the first step takes.
        mask: (batch, time); where it is False, the states stay, and so does the output.
        go_backwards: Whether the last step comes first.
        zero_output_for_mask: Whether the output is 0 where the mask is False.
        every: Whether the outputs of all steps are asked for.

    Raises:
        ValueError: `step` gives states of other number or shape than it took.

    >>> import numpy as np
    >>> x = np.float32([[1, 2, 3]])
    >>> time_loop(lambda x, states: (states[0] + x, [states[0] + x]), x, [np.float32([0])]).outputs
    array([[1., 3., 6.]], dtype=float32)
    """
    if shapes_only():
        return _shapes(step, x, states, every)
    steps = _steps_of_nest(x)
    marks = None if mask is None else time_steps(cast(mask, "bool"))
    order = range(len(steps))[:: -1 if go_backwards else 1]
    output, outputs = None, []
    for t in order:
        before, past = output, states
        output, states = step(steps[t], past)
        states = like(past, states)
        if marks is not None:
            kept = 0.0 if zero_output_for_mask else _output_before(past, output, before)
            output = _where(marks[t], output, kept)
            states = tree.map_structure(lambda n, o, m=marks[t]: _where(m, n, o), states, past)
        if every:
            outputs.append(output)
    return Run(output, from_time_steps(outputs) if every else None, states)


def _steps_of_nest(x: Any) -> list[Any]:
    by_leaf = [time_steps(leaf) for leaf in tree.flatten(x)]
    return [tree.pack_sequence_as(x, leaves) for leaves in zip(*by_leaf, strict=True)]


def _shapes(step: Callable[[Any, Any], tuple], x: Any, states: Any, every: bool) -> Run:
    """What `time_loop` gives where only shapes are wanted: one step tells them."""
    ones = tree.map_structure(
        lambda a: Tensor(None, Spec((a.shape[0], *a.shape[2:]), _name(a.dtype))), x
    )
    output, after = step(ones, states)
    count = tree.flatten(x)[0].shape[1]
    spec = Spec((output.shape[0], count, *output.shape[1:]), _name(output.dtype))
    return Run(output, Tensor(None, spec) if every else None, like(states, after))


def _name(dtype: Any) -> str:
    return np.dtype(dtype).name


def like(states: Any, new: Any) -> Any:
    """`new` in the nest of `states`, after a look at number and shapes.

    Raises:
        ValueError: They differ.
    """
    old_leaves, leaves = tree.flatten(states), tree.flatten(new)
    wanted = [tuple(leaf.shape) for leaf in old_leaves]
    found = [tuple(getattr(leaf, "shape", ())) for leaf in leaves]
    if wanted != found:
        raise ValueError(
            "A cell must return its output and new states of the shapes of those that it took, "
            f"{wanted}. Received: states of the shapes {found}."
        )
    return tree.pack_sequence_as(states, leaves)


def _output_before(states: Any, output: Any, before: Any) -> Any:
    """What a masked step puts out: the first state of the (last) cell, by rule the last output.

    Where that state has another shape, the output itself is remembered, 0 at first.
    """
    first = tree.flatten(states[-1] if tree.is_nested(states[0]) else states[0])[0]
    if tuple(first.shape) == tuple(output.shape):
        return first
    return 0.0 if before is None else before


def _where(mark: Any, new: Any, old: Any) -> Any:
    """`new` in the rows where `mark` holds, else `old`."""
    for _ in range(len(new.shape) - len(mark.shape)):
        mark = expand_dims(mark, -1)
    return e.where(mark, new, old)
