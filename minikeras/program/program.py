"""Program: a recorded step, bound to buffers once and replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.spec import Spec
from ..autodiff.tensor import Tensor
from .fusion import fuse
from .liveness import drop_dead, plan_arena
from .recorder import Branch, Instruction, Recorder, Slot


class Recording:
    """What a traced function does: instructions from input slots to output slots."""

    def __init__(self, recorder: Recorder, outputs: Sequence[Any]):
        results = [_result(o) for o in outputs]
        recorder.preserve_overwritten(results)
        self.inputs = recorder.inputs
        self.outputs = results
        self.prologue, self.epilogue = recorder.prologue, recorder.epilogue
        self.instructions = fuse(drop_dead(recorder.instructions, results), results)
        for instruction in self.instructions:
            branch = instruction.primitive
            if isinstance(branch, Branch):
                branch.recordings = tuple(Recording(r, []) for r in branch.recorders)

    @classmethod
    def of(cls, function: Callable[..., Sequence[Any]], specs: Sequence[Spec]) -> Recording:
        """Trace `function` on tensors of these specs; it returns a flat sequence of results."""
        with Recorder() as recorder:
            outputs = function(*[recorder.input(s) for s in specs])
        return cls(recorder, outputs)


def _result(output: Any) -> Any:
    """The slot of an output, or the value of one that is the same at every replay."""
    if not isinstance(output, Tensor):
        return output
    return np.array(output.value) if output.slot is None else output.slot


class Program:
    """One set of buffers for a recording; `run` replays it on what lies in `inputs`.

    Attributes:
        calls: Kernel launches and functions, in order, bound to the buffers.
        prologue, epilogue: Functions to call before and after the calls.
        inputs: Arrays to fill before `run`.
        outputs: Arrays that hold the results after `run`; the next run overwrites them.
        nbytes: Bytes of the buffers of this program.
    """

    def __init__(self, recording: Recording):
        offsets, size = plan_arena(recording.instructions, recording.outputs)
        arena = _aligned_bytes(size)
        arrays: dict[int, np.ndarray] = {}
        self.inputs = [np.empty(s.spec.shape, s.spec.dtype) for s in recording.inputs]
        for slot, array in zip(recording.inputs, self.inputs, strict=True):
            arrays[id(slot)] = array
        self._locate = _Locator(arrays, offsets, arena)
        self.nbytes = size + sum(a.nbytes for a in self.inputs)
        self.calls: list[Any] = []
        for instruction in recording.instructions:
            self.calls.extend(self._bound(instruction))
        self.outputs = [self._locate(o) for o in recording.outputs]
        self.prologue, self.epilogue = tuple(recording.prologue), tuple(recording.epilogue)
        self._recording = recording  # keeps constants alive
        self._native = kernels.Program(self.calls)

    def _bound(self, instruction: Instruction) -> Sequence[Any]:
        primitive = instruction.primitive
        if isinstance(primitive, Branch):
            return [self._choice(primitive)]
        ins = [self._locate(i) for i in instruction.ins]
        outs = [self._locate(o) for o in instruction.outs]
        if primitive.view:
            if instruction.outs[0].base is None:
                np.copyto(outs[0], ins[0].reshape(outs[0].shape))
            return []
        return primitive.calls(ins, outs, instruction.static)

    def _choice(self, branch: Branch) -> Callable[[], None]:
        """The function that runs the one program or the other."""
        then, otherwise = (Program(recording) for recording in branch.recordings)
        self.nbytes += then.nbytes + otherwise.nbytes

        def choose() -> None:
            (then if branch.condition() else otherwise).run()

        return choose

    def run(self) -> None:
        """Replay once."""
        for function in self.prologue:
            function()
        self._native.run()
        for function in self.epilogue:
            function()


class _Locator:
    """Finds the array of a slot in this program's memory."""

    def __init__(self, arrays: dict[int, np.ndarray], offsets: dict[int, int], arena: np.ndarray):
        self.arrays, self.offsets, self.arena = arrays, offsets, arena

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, Slot):
            return getattr(value, "_buffer", value)
        array = self.arrays.get(id(value))
        if array is None:
            array = self.arrays[id(value)] = self._made(value)
        return array

    def _made(self, slot: Slot) -> np.ndarray:
        if slot.base is not None:
            return self(slot.base).reshape(slot.spec.shape)
        if slot.array is not None:
            return slot.array
        if slot.spec.dtype == "object":  # text: references, which no bytes can stand for
            return np.empty(slot.spec.shape, object)
        offset = self.offsets[id(slot)]
        part = self.arena[offset : offset + slot.spec.nbytes]
        return part.view(slot.spec.dtype).reshape(slot.spec.shape)


def _aligned_bytes(size: int) -> np.ndarray:
    """`size` bytes that begin at a cache line."""
    raw = np.empty(size + 64, np.uint8)
    start = -raw.__array_interface__["data"][0] % 64
    return raw[start : start + size]
