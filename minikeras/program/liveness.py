"""Liveness: which values are alive when, and where each one lies in the arena."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .recorder import Instruction, Slot

ALIGNMENT = 64


def drop_dead(instructions: Sequence[Instruction], outputs: Sequence[Any]) -> list[Instruction]:
    """Only the instructions that reach an output, a pinned array or a Variable."""
    wanted = {id(o.root) for o in outputs if isinstance(o, Slot)}
    kept = []
    for instruction in reversed(instructions):
        effect = bool(instruction.primitive.writes) or not instruction.outs
        useful = any(id(o.root) in wanted or o.root.kind == "pinned" for o in instruction.outs)
        if not (effect or useful):
            continue
        wanted.update(id(i.root) for i in instruction.ins if isinstance(i, Slot))
        kept.append(instruction)
    return kept[::-1]


def plan_arena(
    instructions: Sequence[Instruction], outputs: Sequence[Any]
) -> tuple[dict[int, int], int]:
    """Offset of each temporary in one arena, and the arena's size in bytes.

    A value lives from the instruction that defines it to the last one that reads it; outputs live
    to the end. Space is given out first-fit over the gaps between living values; a result takes the
    place of an input that dies where its primitive allows.
    """
    last = {}
    for at, instruction in enumerate(instructions):
        for slot in (*instruction.ins, *instruction.outs):
            if isinstance(slot, Slot):
                last[id(slot.root)] = at
    for slot in outputs:
        if isinstance(slot, Slot):
            last[id(slot.root)] = len(instructions)

    offsets: dict[int, int] = {}
    living: list[tuple[int, int, int]] = []  # (offset, end, last use)
    size = 0
    for at, instruction in enumerate(instructions):
        living = [block for block in living if block[2] >= at]
        for slot in instruction.outs:
            if slot.base is not None or slot.kind != "temp":
                continue
            need = max(ALIGNMENT, -(-slot.spec.nbytes // ALIGNMENT) * ALIGNMENT)
            offset = offsets.get(id(_taken_over(instruction, slot, last, at)))
            if offset is None:
                offset = _first_fit(living, need)
            offsets[id(slot)] = offset
            living.append((offset, offset + need, last[id(slot)]))
            living.sort()
            size = max(size, offset + need)
    return offsets, size


def _taken_over(instruction: Instruction, out: Slot, last: dict[int, int], at: int) -> Any:
    """The dying input whose place a result takes, or None."""
    number = next(k for k, slot in enumerate(instruction.outs) if slot is out)
    for k in instruction.primitive.inplace.get(number, ()):
        given = instruction.ins[k]
        if not isinstance(given, Slot) or given.root.kind != "temp":
            continue
        once = sum(isinstance(i, Slot) and i.root is given.root for i in instruction.ins) == 1
        if once and last[id(given.root)] == at and given.root.spec.nbytes == out.spec.nbytes:
            return given.root
    return None


def _first_fit(living: Sequence[tuple[int, int, int]], need: int) -> int:
    at = 0
    for offset, end, _ in living:
        if offset - at >= need:
            return at
        at = max(at, end)
    return at
