"""Tape: reverse-mode differentiation over the calls of one function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from .context import context
from .primitive import PRIMITIVES, Primitive
from .spec import as_array, is_float
from .tensor import Tensor, lift


class Call(NamedTuple):
    """One application of a primitive."""

    primitive: Primitive
    ins: list[Any]
    outs: list[Tensor]
    static: dict


class Tape:
    """Records the calls that depend on watched tensors, in order; `gradient` runs them backwards.

    Example:

    >>> import numpy as np
    >>> from minikeras import ops
    >>> from minikeras.autodiff import Tape
    >>> with Tape() as tape:
    ...     x = tape.watch(np.array([3.0], "float32"))
    ...     y = ops.sum(x * x)
    >>> tape.gradient(y, [x])[0].numpy()
    array([6.], dtype=float32)
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._tracked: dict[int, Any] = {}  # id -> tensor, which keeps the id from being reused
        self._tensor_of: dict[
            int, tuple[Any, Tensor]
        ] = {}  # id of a watched Variable -> its tensor

    def __enter__(self) -> Tape:
        context.tapes.append(self)
        return self

    def __exit__(self, *error: Any) -> None:
        context.tapes.remove(self)
        if not context.tracing:
            context.lifted.clear()

    def watch(self, value: Any) -> Tensor:
        """The tensor of an array or Variable, whose gradient can be asked for."""
        tensor = lift(value)
        if not isinstance(tensor, Tensor):
            tensor = Tensor(as_array(tensor))
        self._tracked[id(tensor)] = tensor
        if tensor is not value:
            self._tensor_of[id(value)] = (value, tensor)
        return tensor

    def record(
        self, primitive: Primitive, ins: list[Any], outs: list[Tensor], static: dict
    ) -> None:
        if primitive.pull is None or not any(id(i) in self._tracked for i in ins):
            return
        self.calls.append(Call(primitive, ins, outs, static))
        for out in outs[: primitive.outputs]:
            if is_float(out.dtype):
                self._tracked[id(out)] = out

    def gradient(self, target: Tensor, sources: Sequence[Any], seed: Any = None) -> list[Any]:
        """Gradients of `target` (summed, unless `seed` weights it) for each source; None if unused.

        The calls are released as they are used: a tape gives its gradient once.
        """
        sources = [
            self._tensor_of[id(s)][1] if id(s) in self._tensor_of else lift(s) for s in sources
        ]
        keep = {id(s) for s in sources}
        if seed is None:
            seed = np.ones(target.shape, target.dtype)
        grads: dict[int, Any] = {id(target): seed}
        while self.calls:
            call = self.calls.pop()
            g = [_take(grads, o, keep) for o in call.outs[: call.primitive.outputs]]
            if all(piece is None for piece in g):
                continue
            fused = self._fused(call, g[0], grads, keep) if call.primitive.fused_pulls else None
            pieces = [fused] if fused else zip(call.ins, self._pull(call, g), strict=True)
            for i, piece in pieces:
                if piece is not None:
                    before = grads.get(id(i))
                    grads[id(i)] = piece if before is None else PRIMITIVES["add"](before, piece)
        return [grads.get(id(s)) for s in sources]

    def _fused(self, call: Call, g: Any, grads: dict[int, Any], keep: set[int]) -> Any:
        """Input and gradient of the call that made this call's first input, in one step.

        Only where the first input is used by nothing else, and no other input needs a gradient.
        """
        x, *others = call.ins
        if id(x) in keep or id(x) in grads or any(id(i) in self._tracked for i in others):
            return None
        for before in reversed(self.calls):
            if any(out is x for out in before.outs):
                pull = call.primitive.fused_pulls.get(before.primitive.name)
                return pull and (before.ins[0], pull(g, call.ins, call.outs, **call.static))
            if any(i is x for i in before.ins):
                return None
        return None

    def _pull(self, call: Call, g: list[Any]) -> Sequence[Any]:
        needed = [id(i) in self._tracked for i in call.ins]
        given = g[0] if call.primitive.outputs == 1 else g
        assert call.primitive.pull is not None
        pieces = call.primitive.pull(given, call.ins, call.outs, needed, **call.static)
        for i, piece in zip(call.ins, pieces, strict=True):
            if i is not None and piece is not None and tuple(piece.shape) != tuple(i.shape):
                raise RuntimeError(
                    f"Primitive '{call.primitive.name}' returned a gradient of shape "
                    f"{tuple(piece.shape)} for an input of shape {tuple(i.shape)}."
                )
        return [p if n else None for p, n in zip(pieces, needed, strict=True)]


def _take(grads: dict[int, Any], tensor: Tensor, keep: set[int]) -> Any:
    return grads.get(id(tensor)) if id(tensor) in keep else grads.pop(id(tensor), None)


def value_and_grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
):
    """A function that returns the value of `function` and its gradient.

    `function` must return a scalar (or ``(scalar, aux)`` with ``has_aux=True``). Arguments named by
    `argnums` may be arrays, Variables or nests of them; gradients come in the same structure.

    Example:

    >>> import numpy as np
    >>> from minikeras import ops
    >>> from minikeras.autodiff import value_and_grad
    >>> value, grad = value_and_grad(lambda x: ops.sum(x * x))(np.array([1.0, 2.0], "float32"))
    >>> float(value), grad
    (5.0, array([2., 4.], dtype=float32))
    """
    many = not isinstance(argnums, int)
    positions: tuple[int, ...] = tuple(argnums) if not isinstance(argnums, int) else (argnums,)

    def wrapped(*given: Any, **kwargs: Any) -> Any:
        args = list(given)
        with Tape() as tape:
            for p in positions:
                args[p] = tree.map_structure(tape.watch, args[p])
            result = function(*args, **kwargs)
            value, aux = result if has_aux else (result, None)
            if not isinstance(value, Tensor):
                value = Tensor(as_array(value))
            if value.size != 1:
                raise ValueError(
                    "value_and_grad needs a function that returns a scalar. Received: a result of "
                    f"shape {value.shape}. Reduce it, for example with ops.sum or ops.mean."
                )
        flat = [t for p in positions for t in tree.flatten(args[p])]
        grads = [_or_zeros(g, t) for g, t in zip(tape.gradient(value, flat), flat, strict=True)]
        structured, at = [], 0
        for p in positions:
            count = len(tree.flatten(args[p]))
            structured.append(tree.pack_sequence_as(args[p], grads[at : at + count]))
            at += count
        out = tuple(structured) if many else structured[0]
        if not context.tracing:
            value, aux, out = tree.map_structure(unwrap, (value, aux, out))
        return ((value, aux), out) if has_aux else (value, out)

    return wrapped


def grad(function: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that returns only the gradient of `function`: see `value_and_grad`."""
    both = value_and_grad(function, argnums)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def unwrap(value: Any) -> Any:
    """The array of a Tensor; anything else unchanged."""
    return value.value if isinstance(value, Tensor) else value


def _or_zeros(g: Any, tensor: Tensor) -> Any:
    return np.zeros(tensor.shape, tensor.dtype) if g is None else g
