"""Flow: who makes and who reads each value of a recorded step, and its rewriting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...autodiff.primitive import PRIMITIVES
from ...autodiff.spec import Spec, spec_of
from ..recorder import Instruction, Slot


class Flow:
    """The instructions of a step, to be looked through and replaced by a rule.

    Positions stay those of the original instructions while a rule works. What a rule has replaced
    or removed is no longer found, so each instruction becomes part of one pattern at most.
    """

    def __init__(self, instructions: Sequence[Instruction], outputs: Sequence[Any]):
        self.instructions: list[Instruction | None] = list(instructions)
        self.changed = False
        self._touched: set[int] = set()
        self._new: dict[int, list[Instruction]] = {}
        self._returned = {id(o.root) for o in outputs if isinstance(o, Slot)}
        self._readers: dict[int, list[int]] = {}
        self._maker: dict[int, int] = {}
        self._at: dict[int, int] = {}
        for at, instruction in enumerate(instructions):
            self._at[id(instruction)] = at
            for slot in {id(i.root): i for i in instruction.ins if isinstance(i, Slot)}.values():
                self._readers.setdefault(id(slot.root), []).append(at)
            for slot in instruction.outs:
                self._maker.setdefault(id(slot), at)

    def named(self, *names: str) -> Iterator[Instruction]:
        """The instructions of these primitives that no pattern has used yet."""
        for at, instruction in enumerate(self.instructions):
            if instruction is None or at in self._touched:
                continue
            if instruction.primitive.name in names:
                yield instruction

    def maker(self, value: Any) -> Instruction | None:
        """The instruction that makes a value."""
        at = self._maker.get(id(value))
        return None if at is None or at in self._touched else self.instructions[at]

    def readers(self, value: Any) -> dict[str, Instruction] | None:
        """All that reads a value, by the names of the primitives.

        None where there is more to it: the value is returned, lies in an array of its own, is seen
        under another shape, is read by two of a name, or by what has become part of a pattern.
        """
        if not isinstance(value, Slot) or value.kind != "temp" or value.base is not None:
            return None
        if id(value) in self._returned:
            return None
        positions = self._readers.get(id(value), [])
        found = [self.instructions[at] for at in positions]
        if any(i is None or i.primitive.view for i in found) or self._touched & set(positions):
            return None
        by_name = {i.primitive.name: i for i in found if i is not None}
        return by_name if len(by_name) == len(found) else None

    def quiet(self, first: Instruction, last: Instruction) -> bool:
        """Whether no instruction between two changes a Variable, or does who knows what."""
        between = self.instructions[self._at[id(first)] + 1 : self._at[id(last)]]
        return all(i is None or (i.outs and not i.primitive.writes) for i in between)

    def replace(
        self, old: Sequence[Instruction | None], at: Instruction, *new: Instruction
    ) -> None:
        """Put new instructions in the place of `at`, and take the `old` ones away."""
        self.changed = True
        for instruction in (*old, at):
            if instruction is not None:
                position = self._at[id(instruction)]
                self._touched.add(position)
                self.instructions[position] = None
        self._new.setdefault(self._at[id(at)], []).extend(new)

    def result(self) -> list[Instruction]:
        """The instructions as rewritten."""
        result: list[Instruction] = []
        for at, instruction in enumerate(self.instructions):
            if instruction is not None:
                result.append(instruction)
            result.extend(self._new.get(at, ()))
        return result


def instruction(name: str, ins: Sequence[Any], outs: Sequence[Slot], **static: Any) -> Instruction:
    """An instruction of a primitive by name; its last outputs are new where `outs` has too few."""
    primitive = PRIMITIVES[name]
    specs = primitive.specs([None if i is None else spec(i) for i in ins], static)
    more = [Slot(s, "temp") for s in specs[len(outs) :]]
    return Instruction(primitive, list(ins), [*outs, *more], static)


def spec(value: Any) -> Spec:
    """Shape and dtype of an input of an instruction."""
    return value.spec if isinstance(value, Slot) else spec_of(value)
