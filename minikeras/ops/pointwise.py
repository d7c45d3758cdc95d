"""Functions of one number that have a kernel of their own, and one for their gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec
from .core import floating

GRAIN = 4096  # elements that are worth a task


class Pointwise(Primitive):
    """``y = name(x, **parameters)``, element by element, in float32 or float64.

    The kernels ``name`` and ``name_grad`` compute it and its gradient; `parameters` lists their
    numbers in order. `composite` is the same function made of elementary primitives. An elementary
    one has a `pull` in such primitives instead. The gradient of those with ``from_result`` needs y
    only, so that x need not be kept.
    """

    def __init__(
        self,
        name: str,
        composite: Callable[..., Any] | None = None,
        parameters: Sequence[str] = (),
        pull: Callable[..., Any] | None = None,
        from_result: bool = False,
    ):
        self.from_result = from_result
        self.parameters = tuple(parameters)
        if pull is None:
            self.gradient = Primitive(
                f"{name}_grad", lambda g, x, y, **static: x, self._launch(f"{name}_grad"),
                inplace={0: (0, 1, 2)},
            )  # fmt: skip
        super().__init__(
            name,
            lambda x, **static: x,
            self._launch(name),
            pull or self._fused,
            composite=composite,
            inplace={0: (0,)},
        )

    def __call__(self, x: Any, **static: Any) -> Any:
        return super().__call__(floating(x), **static)

    def _launch(self, kernel: str) -> Callable[..., list]:
        def launches(ins: Sequence[np.ndarray], outs: Sequence[np.ndarray], **static: Any) -> list:
            numbers = [float(static[p]) for p in self.parameters]
            arrays = [a.reshape(-1) for a in (*ins, outs[0])]
            tasks = parts(arrays[-1].size, GRAIN)
            return [kernels.launch(kernel, *arrays[:-1], *numbers, arrays[-1], tasks=tasks)]

        return launches

    def _fused(self, g: Any, ins: Any, outs: Any, needed: Any, **static: Any) -> list:
        return [self.gradient(g, outs[0] if self.from_result else ins[0], outs[0], **static)]


def same(x: Spec, *others: Spec, **static: Any) -> Spec:
    """Specs of a primitive whose result looks like its first input."""
    return x
