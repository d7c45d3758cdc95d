"""Primitive: one definition of an operation, read by eager calls, tapes, graphs and programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import kernels
from .compilation import tell_once
from .context import context
from .spec import Spec, as_array, broadcast, is_float, result_dtype, spec_of

PRIMITIVES: dict[str, Primitive] = {}
kernels.watch_compilation(tell_once)


class Primitive:
    """An operation on arrays with everything that its readers need.

    Args:
        name: Unique name, for messages and tables.
        specs: ``specs(*inputs, **static)``: the `Spec` of each output, then of each residual (what
            only the gradient needs), from the specs of the inputs (None for an absent input).
        forward: ``forward(ins, outs, **static)``: fills `outs` (outputs and residuals). A kernel
            primitive returns the launches that do so; a host primitive (``host=True``) does it
            itself with numpy.
        pull: ``pull(g, ins, outs, needed, **static)``: gradients for the inputs, None where
            ``needed`` is False. `g` is the gradient of the output (if there are several, a list of
            them, with None for those that were not used). Written with primitives, so it can be
            recorded and taped again.
        composite: The same function made of elementary primitives: the reference in tests, and what
            a tape uses when a gradient of a gradient is asked for.
        outputs: Number of visible outputs.
        view: The output is the first input's memory under another shape.
        writes: Positions of Variables that the primitive updates in place.
        prepare: ``prepare(**static)`` runs on the host before each execution, for numbers that
            change from step to step.
        inplace: For an output the inputs that may lie in the same memory: element by element,
            nothing of the input is read after that element of the output was written.
    """

    priority = -1
    # name of the primitive that made the first input -> pull through both at once:
    # ``pull(g, ins, outs, **static)`` gives the gradient for the first input of that primitive
    fused_pulls: Mapping[str, Callable[..., Any]] = {}

    def __init__(
        self,
        name: str,
        specs: Callable[..., Any],
        forward: Callable[..., Any],
        pull: Callable[..., Any] | None = None,
        *,
        composite: Callable[..., Any] | None = None,
        outputs: int = 1,
        host: bool = False,
        view: bool = False,
        writes: Sequence[int] = (),
        inplace: Mapping[int, Sequence[int]] | None = None,
        register: bool = True,
    ):
        self.name = name
        self._specs = specs
        self.forward = forward
        self.pull = pull
        self.composite = composite
        self.outputs = outputs
        self.host = host
        self.view = view
        self.writes = tuple(writes)
        self.inplace = inplace or {}
        if register:
            if name in PRIMITIVES:
                raise ValueError(f"A primitive named '{name}' exists already.")
            PRIMITIVES[name] = self

    def __repr__(self) -> str:
        return f"<Primitive {self.name}>"

    def __reduce__(self) -> Any:
        """Copies and pickles hold the name: there is one primitive of each."""
        if PRIMITIVES.get(self.name) is not self:
            return super().__reduce__()
        return _named, (self.name,)

    def __call__(self, *args: Any, **static: Any) -> Any:
        handler, priority = None, -1
        for arg in args:
            kind = type(arg)
            handle = getattr(kind, "__primitive__", None)
            if handle is not None and kind.priority > priority:
                handler, priority = handle, kind.priority
        if handler is not None:
            return handler(self, args, static)
        recorder = context.recorder
        if recorder is not None and recorder.stands_in(self, args, static):
            return self.visible(recorder.apply(self, args, static))
        return self.visible(self.execute(args, static))

    def specs(self, ins: Sequence[Any], static: dict) -> tuple[Spec, ...]:
        """Specs of outputs and residuals, from inputs or their specs."""
        result = self._specs(*[None if i is None else spec_of(i) for i in ins], **static)
        return (result,) if isinstance(result, Spec) else tuple(result)

    def execute(self, args: Sequence[Any], static: dict) -> list[np.ndarray]:
        """Compute now, into new arrays."""
        ins = [None if a is None else as_array(a) for a in args]
        specs = self.specs(ins, static)
        if self.view:
            return [_contiguous(ins[0]).reshape(specs[0].shape)]
        outs = [np.empty(s.shape, s.dtype) for s in specs]
        if self.host:
            self.compute(ins, outs, static)
        else:
            kernels.run(self.calls(ins, outs, static))
        return outs

    def compute(self, ins: Sequence[Any], outs: Sequence[np.ndarray], static: dict) -> None:
        """Run the numpy code of a host primitive. As in kernels, infinity and NaN are no errors."""
        with np.errstate(all="ignore"):
            self.forward(ins, outs, **static)

    def calls(self, ins: Sequence[Any], outs: Sequence[np.ndarray], static: dict) -> list[Any]:
        """What a program runs: kernel launches, or one call of numpy code."""
        if self.host:
            return [lambda: self.compute(ins, outs, static)]
        kept = [a if k in self.writes else _contiguous(a) for k, a in enumerate(ins)]
        return list(self.forward(kept, outs, **static))

    def visible(self, outs: Sequence[Any]) -> Any:
        """What the caller sees of outputs and residuals."""
        return (
            outs[0]
            if self.outputs == 1
            else (None if not self.outputs else tuple(outs[: self.outputs]))
        )


def _named(name: str) -> Primitive:
    return PRIMITIVES[name]


def parts(size: int, grain: int = 16384) -> int:
    """Into how many tasks a pass over `size` elements is split: none smaller than `grain`."""
    return max(1, min(size // grain, 2 * kernels.num_threads()))


def _contiguous(array: Any) -> Any:
    """`array`, or a contiguous copy; unlike numpy's function it leaves scalars without axes."""
    return array if array is None or array.flags.c_contiguous else array.copy()


def _sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum `g` over the axes along which `shape` was repeated."""
    if tuple(g.shape) == shape:
        return g
    extra = len(g.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1
    )
    g = PRIMITIVES["sum"](g, axis=axes, keepdims=True)
    return PRIMITIVES["reshape"](g, shape=shape)


class Elementwise(Primitive):
    """A broadcasting primitive made of a plain numpy formula with ``out=``.

    `pulls` holds one ``pull(g, out, *ins)`` per input, or None where there is no gradient; `kernel`
    names a kernel that gives the same bits. Broadcasting is undone here and nowhere else.
    """

    def __init__(
        self,
        name: str,
        formula: Callable[..., Any],
        *pulls: Callable[..., Any] | None,
        dtype: str | None = None,
        floats: bool = False,
        kernel: str | None = None,
        register: bool = True,
    ):
        self.kernel = kernel
        self.formula = formula
        self.pulls = pulls
        self.result = dtype
        self.floats = floats
        super().__init__(name, self._infer, self._fill, self._pull, host=True, register=register)

    def __call__(self, *args: Any, **static: Any) -> Any:
        return super().__call__(*self._aligned(args), **static)

    def calls(self, ins: Sequence[Any], outs: Sequence[np.ndarray], static: dict) -> list[Any]:
        """As a launch where a kernel computes numpy's bits: programs like launches better."""
        same = all(i.shape == outs[0].shape and i.dtype == outs[0].dtype for i in ins)
        if self.kernel is None or not same or outs[0].dtype.name not in ("float32", "float64"):
            return super().calls(ins, outs, static)
        flat = [_contiguous(a).reshape(-1) for a in (*ins, outs[0])]
        return [kernels.launch(self.kernel, *flat, tasks=parts(outs[0].size))]

    def _aligned(self, args: tuple) -> list[Any]:
        """Inputs of one dtype: numbers follow the arrays, integers follow the floats."""
        args = tuple(a.item() if isinstance(a, np.generic) else a for a in args)
        dtypes = [np.dtype(a.dtype).name for a in args if hasattr(a, "dtype")]
        if dtypes:
            common = result_dtype(*dtypes)
            if not is_float(common) and any(isinstance(a, float) for a in args):
                common = as_array(0.0).dtype.name
        else:
            common = result_dtype(*[as_array(a).dtype.name for a in args])
        if self.floats and not is_float(common):
            common = as_array(0.0).dtype.name
        return [self._converted(a, common) for a in args]

    @staticmethod
    def _converted(value: Any, dtype: str) -> Any:
        if not hasattr(value, "dtype"):
            return np.asarray(value, dtype)
        same = np.dtype(value.dtype).name == dtype
        return value if same else PRIMITIVES["cast"](value, dtype=dtype)

    def _infer(self, *ins: Spec, **static: Any) -> Spec:
        return Spec(broadcast(*[i.shape for i in ins]), self.result or ins[0].dtype)

    def _fill(self, ins: list[np.ndarray], outs: list[np.ndarray], **static: Any) -> None:
        self.formula(*ins, out=outs[0], **static)

    def _pull(
        self, g: Any, ins: Sequence[Any], outs: Sequence[Any], needed: Sequence[bool], **static: Any
    ):
        return [
            _sum_to(pull(g, outs[0], *ins, **static), tuple(i.shape)) if need and pull else None
            for pull, i, need in zip(self.pulls, ins, needed, strict=True)
        ]
