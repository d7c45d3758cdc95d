"""Print, room by room, how much of Keras is there and tested.

python tests/coverage/report.py
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.coverage import api

HEAD = ("room", "names", "there", "arguments", "values", "left")


def row(room: str) -> tuple:
    """Names of Keras; ours that exist, that take its arguments, that are tested by value."""
    everything = list(api.API[room]["names"])
    there = [name for name in everything if api.ours(room, name) is not None]
    arguments = [n for n in there if not api.signature_faults(room, n)]
    values = [n for n in there if api.value_fault(room, n) is None]
    left = [name for name in everything if name not in values or name not in arguments]
    return room, len(everything), len(there), len(arguments), len(values), " ".join(left)


def lines() -> list[str]:
    rows = [row(room) for room in api.API]
    sums = [sum(r[k] for r in rows) for k in range(1, 5)]
    table = [HEAD, *rows, ("all", *sums, "")]
    return [f"{r[0]:22}{r[1]:>6}{r[2]:>7}{r[3]:>11}{r[4]:>8}  {r[5]}".rstrip() for r in table]


if __name__ == "__main__":
    print("\n".join(lines()))
