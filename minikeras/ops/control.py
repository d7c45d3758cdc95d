"""Control flow as functions: conditions, loops, maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autodiff.primitive import Primitive
from ..autodiff.tensor import Tensor
from ..core import tree
from . import elementwise as e
from .core import convert_to_tensor, stop_gradient
from .shapes import concatenate, flip, stack


def _known(value: Any) -> bool:
    return not isinstance(value, Tensor) or value.known


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """What `true_fn` returns if `pred` holds, else what `false_fn` returns.

    While a program is recorded `pred` is not known: both are computed, and the result is chosen at
    each replay.
    """
    if _known(pred):
        return true_fn() if bool(np.asarray(pred)) else false_fn()
    return tree.map_structure(lambda a, b: e.where(pred, a, b), true_fn(), false_fn())


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """The result of the branch that `index` names (the nearest one if there is no such branch)."""
    if _known(index):
        return branches[min(max(int(np.asarray(index)), 0), len(branches) - 1)](*operands)
    result = branches[0](*operands)
    for i, branch in enumerate(branches[1:], 1):
        chosen = e.greater_equal(index, i)
        result = tree.map_structure(
            lambda a, b, c=chosen: e.where(c, a, b), branch(*operands), result
        )
    return result


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Repeat ``loop_vars = body(*loop_vars)`` while ``cond(*loop_vars)`` holds."""
    single = not isinstance(loop_vars, list | tuple)
    values = (loop_vars,) if single else tuple(loop_vars)
    done = 0
    while (maximum_iterations is None or done < maximum_iterations) and bool(cond(*values)):
        result = body(*values)
        values = tuple(result) if isinstance(result, list | tuple) else (result,)
        done += 1
    return values[0] if single else values


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """Repeat ``value = body_fun(i, value)`` for i from `lower` up to, not including, `upper`."""
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    """Carry a state along the first axis of `xs`: ``state, y = f(state, x)``.

    Returns:
        The last state, and all `y` stacked.
    """
    leaves = [] if xs is None else tree.flatten(xs)
    steps = leaves[0].shape[0] if leaves else int(length or 0)
    state, results = init, []
    for i in range(steps)[:: -1 if reverse else 1]:
        here = None if xs is None else tree.map_structure(lambda x, i=i: x[i], xs)
        state, y = f(state, here)
        results.append(y)
    results = results[:: -1 if reverse else 1]
    if not results or results[0] is None:
        return state, None
    return state, tree.map_structure(lambda *ys: stack(list(ys), 0), *results)


def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All partial results of an associative function along an axis: of `add`, running sums."""
    if reverse:
        elems = tree.map_structure(lambda x: flip(x, axis), elems)
    count = tree.flatten(elems)[0].shape[axis]
    before = (slice(None),) * axis
    parts = [
        tree.map_structure(lambda x, i=i: x[(*before, slice(i, i + 1))], elems)
        for i in range(count)
    ]
    partial = parts[:1]
    for part in parts[1:]:
        partial.append(f(partial[-1], part))
    result = tree.map_structure(lambda *xs: concatenate(list(xs), axis), *partial)
    return tree.map_structure(lambda x: flip(x, axis), result) if reverse else result


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` applied to each slice along the first axis, results stacked."""
    count = tree.flatten(xs)[0].shape[0]
    results = [f(tree.map_structure(lambda x, i=i: x[i], xs)) for i in range(count)]
    return tree.map_structure(lambda *ys: stack(list(ys), 0), *results)


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """As `map`."""
    return map(function, elements)


def custom_gradient(f: Callable[..., tuple[Any, Callable[..., Any]]]) -> Callable[..., Any]:
    """Decorator: ``f(*args)`` returns its result and the function that gives its gradients.

    That function takes the gradient of the result and returns one gradient per argument.

    >>> import numpy as np
    >>> from minikeras.autodiff import grad
    >>> @custom_gradient
    ... def reversed_gradient(x):
    ...     return x * 1.0, lambda upstream: -upstream
    >>> float(grad(reversed_gradient)(np.float32(2)))
    -1.0
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        args = tuple(convert_to_tensor(a) for a in args)
        result, gradients = f(*[stop_gradient(a) for a in args], **kwargs)

        def pull(g: Any, ins: Any, outs: Any, needed: Any) -> list:
            found = gradients(g)
            return [None, *(found if isinstance(found, list | tuple) else [found])]

        primitive = Primitive(
            "custom_gradient",
            lambda y, *xs: y,
            lambda ins, outs: np.copyto(outs[0], ins[0]),
            pull,
            host=True,
            register=False,
        )
        return primitive(result, *args)

    return call
