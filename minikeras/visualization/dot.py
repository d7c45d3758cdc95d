"""Models as text in the DOT language of Graphviz."""

from __future__ import annotations

import shutil
import subprocess
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

from .boxes import Box, Group
from .drawing import FIELD, FILLS, HEADER, INK, PAPER, TONES, drawn
from .svg import svg

__all__ = ["Dot"]

INDENT = "  "


class Dot:
    """A model in the DOT language; what `pydot.Dot` offers for writing it, without pydot."""

    def __init__(
        self, group: Group, rankdir: str, dpi: float, splines: str, subgraph: bool = False
    ):
        self._group, self._subgraph = group, subgraph
        self._rankdir, self._splines, self._dpi = rankdir, splines, dpi

    def to_string(self) -> str:
        """The text."""
        numbers = count()
        names = {box: f"step_{k}" for k, box in enumerate(self._group.leaves())}
        head = f"subgraph cluster_{next(numbers)}" if self._subgraph else "digraph model"
        lines = [f"{head} {{"]
        if self._subgraph:
            lines += _cluster_head(self._group, 1)
        else:
            lines += [
                f"{INDENT}graph [rankdir={self._rankdir}, splines={self._splines}, "
                f"dpi={self._dpi:g}, concentrate=true];",
                f'{INDENT}node [shape=plain, fontname="Helvetica"];',
            ]
        lines += _parts(self._group, names, numbers, 1)
        lines += [f"{INDENT}{names[a]} -> {names[b]};" for a, b in self._group.connections()]
        return "\n".join([*lines, "}"]) + "\n"

    __str__ = to_string

    def create(self, prog: str = "dot", format: str = "svg") -> bytes:
        """What Graphviz makes of it.

        Raises:
            ImportError: Graphviz is not installed.
            ValueError: Graphviz does not know the format.
        """
        program = shutil.which(prog)
        if program is None:
            raise ImportError(
                f"Graphviz is needed: no program {prog!r} was found. Install it from "
                "https://graphviz.org, or use utils.plot_model, which needs nothing for .svg."
            )
        done = subprocess.run(
            [program, f"-T{format}"], input=self.to_string().encode(), capture_output=True
        )
        if done.returncode:
            raise ValueError(f"Graphviz failed: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def write(self, path: Any, prog: str = "dot", format: str = "raw") -> bool:
        """Write the text ('raw'), or what Graphviz makes of it, to a file."""
        content = self.to_string().encode() if format == "raw" else self.create(prog, format)
        Path(path).write_bytes(content)
        return True

    def _repr_svg_(self) -> str:
        return svg(drawn(self._group, self._rankdir, self._splines))

    def __repr__(self) -> str:
        boxes = sum(1 for _ in self._group.leaves())
        return f"<Dot of model '{self._group.title}', {boxes} boxes>"


def _cluster_head(group: Group, depth: int) -> list[str]:
    return [f'{INDENT * depth}label="{_quoted(group.title)}"; labeljust=l; style=dashed;']


def _parts(group: Group, names: dict[Box, str], numbers: Any, depth: int) -> list[str]:
    lines = []
    for part in group.parts:
        if isinstance(part, Group):
            lines.append(f"{INDENT * depth}subgraph cluster_{next(numbers) + 1} {{")
            lines += _cluster_head(part, depth + 1)
            lines += _parts(part, names, numbers, depth + 1)
            lines.append(f"{INDENT * depth}}}")
        else:
            lines.append(f"{INDENT * depth}{names[part]} [label=<{_table(part)}>];")
    return lines


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _table(box: Box) -> str:
    """A box as an HTML-like table."""
    width = max([1, *(len(row) for row in box.rows)])
    head = (
        f"<b>{escape(box.name)}</b> ({escape(box.title)})"
        if box.name
        else f"<b>{escape(box.title)}</b>"
    )
    rows = [_row([_cell(head, FILLS[box.tone], PAPER, width, HEADER)])]
    for row in box.rows:
        spans = [1] * (len(row) - 1) + [width - len(row) + 1]
        cells = []
        for cell, span in zip(row, spans, strict=True):
            words = f"{escape(cell.label)} <b>{escape(cell.value)}</b>".strip()
            colour = INK if cell.tone == "plain" else PAPER
            cells.append(_cell(words, TONES[cell.tone], colour, span, FIELD))
        rows.append(_row(cells))
    return (
        f'<table border="0" cellborder="1" cellspacing="0" cellpadding="6">{"".join(rows)}</table>'
    )


def _row(cells: list[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"


def _cell(words: str, fill: str, colour: str, span: int, size: float) -> str:
    font = f'<font color="{colour}" point-size="{size:g}">{words}</font>'
    return f'<td bgcolor="{fill}" colspan="{span}">{font}</td>'
