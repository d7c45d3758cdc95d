"""Recorder: writes down the primitive calls of a function instead of computing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..autodiff.context import context
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from ..autodiff.tensor import Tensor


class Slot:
    """A value of the program: where it comes from, and (once bound) the array that holds it."""

    __slots__ = ("array", "base", "kind", "spec", "variable")

    def __init__(
        self, spec: Spec, kind: str, array: np.ndarray | None = None, variable: Any = None
    ):
        self.spec = spec
        self.kind = kind  # "temp", "input", "variable" or "pinned"
        self.array = array
        self.variable = variable
        self.base: Slot | None = None  # the slot whose memory this one shows under another shape

    @property
    def root(self) -> Slot:
        slot = self
        while slot.base is not None:
            slot = slot.base
        return slot


class Instruction(NamedTuple):
    """One primitive call on slots; other inputs are constant arrays, None, or written Variables."""

    primitive: Primitive
    ins: list[Any]
    outs: list[Slot]
    static: dict


class Branch(Primitive):
    """One of two recordings, chosen by a condition whenever the program comes by.

    Args:
        condition: Called at each replay.
        recorders: What to do if it holds, and what if not.

    Attributes:
        recordings: What the recorders made, once all of the step is recorded.
    """

    def __init__(self, condition: Callable[[], bool], recorders: Sequence[Recorder]):
        super().__init__("branch", lambda: (), _copy, outputs=0, register=False)
        self.condition, self.recorders = condition, tuple(recorders)
        self.recordings: tuple[Any, ...] = ()


class Recorder:
    """Takes the place of computation while a function is traced.

    Used as a context manager: inside, primitives on Tensors and Variables are appended to
    `instructions` and return Tensors without values.
    """

    def __init__(self, outer: Recorder | None = None) -> None:
        self.outer = outer  # of a branch: the recorder of what surrounds it
        self.instructions: list[Instruction] = []
        self.inputs: list[Slot] = []
        self.prologue: list[Callable[[], None]] = []
        self.epilogue: list[Callable[[], None]] = []
        self._versions: dict[int, Slot] = {}
        self._written: dict[int, Any] = {}
        self._stale: list[tuple[int, Slot]] = []  # (instruction that overwrites it, slot)
        self._handed_over: list[Slot] = []  # pinned since the last effect
        self._pins: list[tuple[int, Slot]] = []  # (effect that may overwrite it, slot)

    def __enter__(self) -> Recorder:
        if context.recorder is not None:
            raise RuntimeError("A program is being recorded already on this thread.")
        context.recorder = self
        context.lifted.clear()
        return self

    def __exit__(self, *error: Any) -> None:
        context.recorder = None
        context.lifted.clear()

    def input(self, spec: Spec) -> Tensor:
        slot = Slot(spec, "input")
        self.inputs.append(slot)
        return Tensor(None, spec, slot)

    def variable(self, variable: Any) -> Tensor:
        slot = Slot(variable.spec, "variable", variable._buffer, variable)
        self._versions[id(variable)] = slot
        return Tensor(None, slot.spec, slot)

    def writes(self, variable: Any) -> bool:
        """Whether what was recorded so far changes this Variable."""
        here = id(variable) in self._written
        return here or (self.outer is not None and self.outer.writes(variable))

    def stands_in(self, primitive: Primitive, args: Sequence[Any], static: dict) -> bool:
        """Whether an operation on constants is recorded: no, their value is one of the program."""
        return False

    def apply(self, primitive: Primitive, ins: Sequence[Any], static: dict) -> list[Tensor]:
        slots = [
            i.slot if isinstance(i, Tensor) and i.slot is not None else _constant(i) for i in ins
        ]
        for k in primitive.writes:
            self._overwrite(ins[k])
        outs = [Slot(spec, "temp") for spec in primitive.specs(ins, static)]
        if primitive.view and isinstance(slots[0], Slot):
            outs[0].base = slots[0]
        self.instructions.append(Instruction(primitive, slots, outs, static))
        return [Tensor(None, slot.spec, slot) for slot in outs]

    def effect(
        self,
        name: str,
        calls: Sequence[Any] | Callable[[Sequence[np.ndarray]], Sequence[Any]],
        writes: Sequence[Any],
        reads: Sequence[Any] = (),
    ) -> None:
        """Append ready-made calls (launches or functions) that update `writes` in place.

        Calls on values of this program are made by a function of the arrays of `reads`.
        """
        self._pins += [(len(self.instructions), slot) for slot in self._handed_over]
        self._handed_over.clear()
        for variable in writes:
            self._overwrite(variable)
        made = calls if callable(calls) else lambda arrays: calls
        primitive = Primitive(
            name, lambda *specs: (), lambda ins, outs: list(made(ins)), outputs=0, register=False
        )
        self.instructions.append(Instruction(primitive, list(reads), [], {}))

    def branch(
        self,
        condition: Callable[[], bool],
        function: Callable[[], None],
        otherwise: Callable[[], None],
    ) -> None:
        """Do one thing or the other, as `condition` says at each replay.

        Both functions act on Variables only: they return nothing, and read no tensor from outside.
        """
        recorders = [self._aside(f) for f in (function, otherwise)]
        for recorder in recorders:
            for variable in recorder._written.values():
                self._overwrite(variable)
        self.instructions.append(Instruction(Branch(condition, recorders), [], [], {}))

    def _aside(self, function: Callable[[], None]) -> Recorder:
        """A recorder of its own for what `function` does."""
        recorder, lifted = Recorder(self), dict(context.lifted)
        context.recorder = recorder
        context.lifted.clear()
        try:
            function()
        finally:
            context.recorder = self
            context.lifted.clear()
            context.lifted.update(lifted)
        return recorder

    def pin(self, tensor: Any, array: np.ndarray) -> None:
        """Have `tensor` computed straight into `array` (copied there where that cannot be).

        The next effect may change the array; who reads the tensor after it gets what it was.
        """
        slot = tensor.slot if isinstance(tensor, Tensor) else None
        if slot is not None and slot.kind == "temp" and slot.root.kind == "temp":
            root = slot.root
            root.kind, root.array = "pinned", array.reshape(root.spec.shape)
            self._handed_over.append(root)
            return
        source = slot if slot is not None else _constant(tensor)
        self.instructions.append(_copy_to(array, source))

    def _overwrite(self, variable: Any) -> None:
        self._written[id(variable)] = variable
        slot = self._versions.pop(id(variable), None)
        if slot is not None:
            self._stale.append((len(self.instructions), slot))
        context.lifted.pop(id(variable), None)

    def preserve_overwritten(self, outputs: Sequence[Any]) -> None:
        """Copy the old value of each Variable that is still read after the step has changed it."""
        self._unpin_read_later(outputs)
        copies = []
        for at, slot in self._stale:
            readers = [k for k, i in enumerate(self.instructions) if _reads(i, slot)]
            returned = any(isinstance(o, Slot) and o.root is slot for o in outputs)
            if not returned and all(k <= at for k in readers):
                continue
            copy = Slot(slot.spec, "temp")
            source = Slot(slot.spec, "variable", slot.array)
            # all readers read the copy from now on, so it comes before the first of them
            copies.append((min([at, *readers]), Instruction(_snapshot, [source], [copy], {})))
            slot.base, slot.kind = copy, "temp"
        for at, instruction in sorted(copies, key=lambda pair: -pair[0]):
            self.instructions.insert(at, instruction)

    def _unpin_read_later(self, outputs: Sequence[Any]) -> None:
        """Copy a pinned tensor instead, where it is read after its array may have changed."""
        for at, slot in sorted(self._pins, key=lambda pin: -pin[0]):
            returned = any(isinstance(o, Slot) and o.root is slot for o in outputs)
            if returned or any(_reads(i, slot) for i in self.instructions[at:]):
                assert slot.array is not None
                self.instructions.insert(at, _copy_to(slot.array, slot))
                self._stale = [(k + (k >= at), stale) for k, stale in self._stale]
                slot.kind, slot.array = "temp", None


def _copy_to(array: np.ndarray, source: Any) -> Instruction:
    """Copy a value to an array outside the program."""

    def copy(ins: list[np.ndarray], outs: list[np.ndarray]) -> None:
        np.copyto(array.reshape(ins[0].shape), ins[0])

    primitive = Primitive("copy", lambda x: (), copy, outputs=0, host=True, register=False)
    return Instruction(primitive, [source], [], {})


def _reads(instruction: Instruction, slot: Slot) -> bool:
    return any(isinstance(i, Slot) and i.root is slot for i in instruction.ins)


def _constant(value: Any) -> Any:
    """An input that is the same at every replay, kept as its own copy."""
    if isinstance(value, Tensor):
        return np.array(value.value)
    return np.array(value) if isinstance(value, np.ndarray) and value.nbytes <= 1 << 16 else value


def _copy(ins: list[np.ndarray], outs: list[np.ndarray]) -> None:
    np.copyto(outs[0], ins[0])


_snapshot = Primitive("snapshot", lambda x: x, _copy, host=True, register=False)
