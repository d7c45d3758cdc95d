"""GradientTape: a tape that watches trainable variables by itself, as TensorFlow's does."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import tree
from .context import context
from .primitive import Primitive
from .spec import as_array
from .tape import Tape, unwrap
from .tensor import Tensor


class GradientTape(Tape):
    """Records what happens to trainable variables and to what `watch` names.

    Args:
        persistent: Whether `gradient` may be called several times.
        watch_accessed_variables: Whether trainable variables are watched without being named.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> w = keras.Variable([3.0])
    >>> with keras.GradientTape() as tape:
    ...     loss = keras.ops.sum(w * w)
    >>> np.asarray(tape.gradient(loss, w))
    array([6.], dtype=float32)
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        super().__init__()
        self._persistent, self._by_itself = persistent, watch_accessed_variables
        self._used = False

    def watch(self, value: Any) -> Any:
        """Follow an array, a tensor or a Variable, or a nest of them.

        Returns:
            The tensor(s) to compute with: plain arrays cannot be followed themselves.
        """
        if tree.is_nested(value):
            return tree.map_structure(self.watch, value)
        return super().watch(value)

    def record(
        self, primitive: Primitive, ins: list[Any], outs: list[Tensor], static: dict
    ) -> None:
        if self._by_itself and primitive.pull is not None:
            self._watch_variables(ins)
        super().record(primitive, ins, outs, static)

    def _watch_variables(self, ins: list[Any]) -> None:
        untracked = {id(i) for i in ins if isinstance(i, Tensor) and id(i) not in self._tracked}
        if not untracked:
            return
        for variable, tensor in context.lifted.values():
            if id(tensor) in untracked and variable.trainable:
                self._tracked[id(tensor)] = tensor
                self._tensor_of[id(variable)] = (variable, tensor)

    def gradient(self, target: Any, sources: Any, output_gradients: Any = None) -> Any:
        """Gradients of the sum of the target(s), in the structure of `sources`.

        Args:
            target: A tensor, or a nest of tensors whose sum is meant.
            sources: A Variable or watched tensor, or a nest of them.
            output_gradients: Weights of the target's elements instead of 1.

        Returns:
            For each source an array (a tensor within a recorded step or an outer tape), or None
            where the target does not depend on it.

        Raises:
            RuntimeError: A second call, unless the tape is persistent.
            ValueError: A source is a plain array, with which nothing was computed that can be seen.
        """
        if self._used and not self._persistent:
            raise RuntimeError(
                "A GradientTape gives its gradient once. Make it with persistent=True to ask "
                "several times."
            )
        self._used = True
        targets = [
            t if isinstance(t, Tensor) else Tensor(as_array(t)) for t in tree.flatten(target)
        ]
        flat = tree.flatten(sources)
        calls = list(self.calls)
        grads: list[Any] = [None] * len(flat)
        seeds = (
            [None] * len(targets) if output_gradients is None else tree.flatten(output_gradients)
        )
        for one, seed in zip(targets, seeds, strict=True):
            self.calls = list(calls)
            found = super().gradient(one, flat, None if seed is None else unwrap(seed))
            grads = [
                a if b is None else b if a is None else a + b
                for a, b in zip(grads, found, strict=True)
            ]
        self.calls = calls if self._persistent else []
        for source, found in zip(flat, grads, strict=True):
            if found is None and isinstance(source, np.ndarray):
                raise ValueError(
                    "What is computed with a plain array leaves no trace on a tape. Compute with "
                    "the tensor that `watch` returns, `x = tape.watch(x)`, or with a Variable. "
                    f"Received: a source that is an array of shape {source.shape}."
                )
        if not context.tracing:
            grads = [None if g is None else np.asarray(unwrap(g)) for g in grads]
        return grads[0] if not tree.is_nested(sources) else tree.pack_sequence_as(sources, grads)
