"""A model's boxes made a picture: sizes, places, lines between them, in one of four directions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .boxes import Box, Cell, Group
from .layered import Link, Spot, arrange
from .marks import Head, Path, Picture, Point, Rectangle, Text, text_width
from .tracks import SLANT, Run, tracks_of

__all__ = ["DIRECTIONS", "LINES", "drawn"]

DIRECTIONS = ("TB", "BT", "LR", "RL")
LINES = ("ortho", "curved", "spline", "polyline", "line")

HEADER, FIELD, SPACE = 13.0, 11.0, 0.35  # sizes of text; the space between words, in sizes
HEADER_HEIGHT, ROW_HEIGHT, SIDE = 26.0, 24.0, 9.0
MARGIN, LABEL, PADDING = 12.0, 22.0, 14.0
LEAVE, TRACK, ARRIVE = 12.0, 9.0, 18.0  # between ranks: before, between and after the cross lines
CORNER, ARROW, LOOP = 6.0, 8.0, 18.0

INK, PAPER, LINE = "#1f2933", "#ffffff", "#52606d"
FILLS = {"input": "#0b7285", "layer": "#2b4c7e", "model": "#6741a0", "function": "#6b7280"}
TONES = {"plain": PAPER, "trained": "#2b8a3e", "frozen": "#c2410c"}
SHADES = ("#f3f5f8", "#e6eaf0")


class _Frame(NamedTuple):
    title: str
    corner: Point
    size: Point
    label: float  # where the label begins, along the upper edge
    depth: int


@dataclass
class _Area:
    """What is arranged, along the ranks (u) and across (v), from a corner at (0, 0)."""

    size: Point = (0.0, 0.0)
    ins: list[float] = field(default_factory=list)
    outs: list[float] = field(default_factory=list)
    boxes: list[tuple[Box, Point, Point]] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)
    lines: list[tuple[list[tuple], bool]] = field(default_factory=list)

    def take(self, other: _Area, by: Point) -> None:
        """Add what another area holds, moved."""

        def moved(p: Point) -> Point:
            return p[0] + by[0], p[1] + by[1]

        self.boxes += [(box, moved(corner), size) for box, corner, size in other.boxes]
        self.frames += [f._replace(corner=moved(f.corner)) for f in other.frames]
        self.lines += [
            ([(kind, *map(moved, points)) for kind, *points in steps], arrow)
            for steps, arrow in other.lines
        ]


def drawn(group: Group, direction: str = "TB", lines: str = "ortho") -> Picture:
    """The picture of a model."""
    area = _arranged(group, direction, lines, 0, set())
    across, along = area.size
    size = (across, along) if direction in ("TB", "BT") else (along, across)
    picture = Picture(size[0] + 2 * MARGIN, size[1] + 2 * MARGIN)

    def place(p: Point) -> Point:
        u, v = p
        v = along - v if direction in ("BT", "RL") else v
        x, y = (u, v) if direction in ("TB", "BT") else (v, u)
        return x + MARGIN, y + MARGIN

    picture.marks.append(Rectangle(0, 0, picture.width, picture.height, PAPER))
    for frame in sorted(area.frames, key=lambda f: f.depth):
        _draw_frame(picture, frame, place)
    for steps, arrow in area.lines:
        _draw_line(picture, [(kind, *map(place, points)) for kind, *points in steps], arrow)
    for box, corner, extent in area.boxes:
        _draw_box(picture, box, *_upright(corner, extent, place))
    return picture


def _upright(corner: Point, size: Point, place: Callable) -> tuple[float, float, float, float]:
    """x, y, width and height of a rectangle given along and across."""
    (x0, y0), (x1, y1) = place(corner), place((corner[0] + size[0], corner[1] + size[1]))
    return min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)


# --- places ---


def _arranged(group: Group, direction: str, lines: str, depth: int, used: set[int]) -> _Area:
    """A group's parts in place; as a group in another one with a frame, a label and pins.

    `used` are the outputs that something outside takes.
    """
    upright = direction in ("TB", "BT")
    areas: dict[Any, _Area] = {}
    spots: dict[Any, Spot] = {}
    loops = {e.source.part for e in group.edges if e.source.part is e.target.part}
    for part in group.parts:
        if isinstance(part, Group):
            taken = {e.source.index for e in group.edges if e.source.part is part}
            taken |= {group.outputs[k].index for k in used if group.outputs[k].part is part}
            areas[part] = inner = _arranged(part, direction, lines, depth + 1, taken)
            half = inner.size[0] / 2
            ins, outs = ([u - half for u in side] for side in (inner.ins, inner.outs))
            spots[part] = Spot(*inner.size, ins, outs)
        else:
            width, height = _box_size(part)
            size = (width, height) if upright else (height, width)
            spots[part] = Spot(size[0] + 2 * LOOP * (part in loops), size[1])
    links = [
        Link(spots[e.source.part], spots[e.target.part], e.source.index, e.target.index)
        for e in group.edges
    ]
    entries, exits = [], []
    if depth:
        entries = [Spot(pinned="first") for _ in group.inputs]
        exits = [Spot(pinned="last" if k in used else "") for k in range(len(group.outputs))]
        links += [
            Link(pin, spots[port.part], 0, port.index)
            for pin, port in zip(entries, group.inputs, strict=True)
        ]
        links += [
            Link(spots[port.part], pin, port.index)
            for pin, port in zip(exits, group.outputs, strict=True)
            if pin.pinned
        ]
    leaving = [pin for pin in exits if pin.pinned]
    plan = arrange([*entries, *spots.values(), *leaving], links)
    routes = _Routes(plan.ranks, plan.links, lines)
    area = _Area()
    framed = _frame(area, group, plan.ranks, routes, entries, exits, direction, depth)
    for part, spot in spots.items():
        corner = spot.u - spot.width / 2, spot.v - spot.height / 2
        if isinstance(part, Group):
            area.take(areas[part], corner)
        else:
            extra = LOOP * (part in loops)
            size = spot.width - 2 * extra, spot.height
            area.boxes.append((part, (corner[0] + extra, corner[1]), size))
    boxes = {spot for part, spot in spots.items() if not isinstance(part, Group)}
    area.lines += [(routes.steps_of(link), link.target in boxes) for link in plan.links]
    area.lines += [(_loop(link.source), True) for link in links if link.source is link.target]
    area.frames += framed
    return area


def _frame(
    area: _Area,
    group: Group,
    ranks: list[list[Spot]],
    routes: _Routes,
    entries: list[Spot],
    exits: list[Spot],
    direction: str,
    depth: int,
) -> list[_Frame]:
    """Move everything to its final place in the area, and put a frame around where there is one."""
    everything = [spot for rank in ranks for spot in rank]
    left = min((s.u - s.width / 2 for s in everything), default=0.0)
    right = max((s.u + s.width / 2 for s in everything), default=0.0)
    before = after = PADDING if depth else 0.0
    start = PADDING if depth else 0.0
    if depth and direction == "TB":
        before += LABEL
    elif depth and direction == "BT":
        after += LABEL
    elif depth:
        start += LABEL
    for spot in everything:
        spot.u += start - left
        spot.v += before
    routes.shift(before)
    size = [right - left + start + (PADDING if depth else 0.0), routes.end + before + after]
    size[1] -= before  # `end` was moved too
    for pin in entries:
        pin.v = 0.0
    for pin in exits:
        pin.v = size[1]
    area.ins, area.outs = [p.u for p in entries], [p.u for p in exits]
    label = PADDING / 2
    if depth:
        length = text_width(group.title, FIELD, bold=True) + PADDING
        if direction in ("TB", "BT"):
            crossing = entries if direction == "TB" else [pin for pin in exits if pin.pinned]
            label, size[0] = _free(length, [pin.u for pin in crossing], size[0])
        else:
            size[1] = max(size[1], length)
            for pin in exits:
                pin.v = size[1]
    area.size = (size[0], size[1])
    return [_Frame(group.title, (0.0, 0.0), area.size, label, depth)] if depth else []


def _free(length: float, lines: list[float], width: float) -> tuple[float, float]:
    """Where a label of this length begins so that no line runs through it, and the width needed."""
    start = 0.0
    for line in sorted(lines):
        if line - start >= length:
            break
        start = line
    return start + PADDING / 2, max(width, start + length)


def _box_size(box: Box) -> tuple[float, float]:
    width = _length(_header(box), HEADER) + 2 * SIDE
    for row in box.rows:
        width = max(width, sum(map(_cell_width, row)))
    return max(width, 70.0), HEADER_HEIGHT + ROW_HEIGHT * len(box.rows)


def _cell_width(cell: Cell) -> float:
    return _length(_words(cell), FIELD) + 2 * SIDE


Words = list[tuple[str, bool]]  # parts of a line, and whether they are bold


def _header(box: Box) -> Words:
    return [(box.name, True), (f"({box.title})", False)] if box.name else [(box.title, True)]


def _words(cell: Cell) -> Words:
    return [(cell.label, False)] * bool(cell.label) + [(cell.value, True)]


def _length(words: Words, size: float) -> float:
    widths = [text_width(part, size, bold) for part, bold in words]
    return sum(widths) + SPACE * size * (len(words) - 1)


# --- lines ---


class _Routes:
    """The bands of the ranks, the gaps between them, and the lines through both."""

    def __init__(self, ranks: list[list[Spot]], links: list[Link], style: str):
        self.style = style
        self._of: dict[tuple[Link, int], Run] = {}
        runs: dict[int, list[Run]] = defaultdict(list)
        for link in links:
            for a, out, b, into in link.steps():
                run = Run(a.u + out, b.u + into, (a, out), (b, into))
                runs[a.rank].append(run)
                self._of[link, a.rank] = run
        self.top, self.bottom = [], []
        v = 0.0
        for k, rank in enumerate(ranks):
            height = max((spot.height for spot in rank), default=0.0)
            self.top.append(v)
            self.bottom.append(v + height)
            for spot in rank:
                spot.v = v + height / 2
            v += height + self._gap(runs[k]) + (LEAVE if height else 0.0)
        self.end = self.bottom[-1] if self.bottom else 0.0
        self._moved = 0.0

    def _gap(self, runs: list[Run]) -> float:
        if self.style == "ortho":
            return TRACK * max(tracks_of(runs) - 1, 0) + ARRIVE
        widest = max((abs(run.start - run.end) for run in runs), default=0.0)
        return ARRIVE + min(40.0, 0.12 * widest)

    def shift(self, by: float) -> None:
        """Move everything across the ranks."""
        self.top = [v + by for v in self.top]
        self.bottom = [v + by for v in self.bottom]
        self.end += by

    def steps_of(self, link: Link) -> list[tuple]:
        """The steps of a path from the source of a link to its target."""
        steps = link.steps()
        (a, out, _, _), (_, _, b, into) = steps[0], steps[-1]
        start, end = (a.u + out, a.v + a.height / 2), (b.u + into, b.v - b.height / 2)
        if self.style == "line":
            knots = [start, end]
        else:
            knots = [start]
            for upper, leave, lower, enter in steps:
                knots += self._between(link, upper, upper.u + leave, lower.u + enter)
            knots.append(end)
        if link.turned:
            knots.reverse()
        knots = [knots[0], *(q for p, q in zip(knots, knots[1:], strict=False) if p != q)]
        if self.style == "ortho":
            return _rounded(knots)
        return _curved(knots) if self.style in ("curved", "spline") else _straight(knots)

    def _between(self, link: Link, upper: Spot, x: float, y: float) -> list[Point]:
        """The knots of a line from the bottom of a rank to the top of the next."""
        low, high = self.bottom[upper.rank], self.top[upper.rank + 1]
        if self.style != "ortho":
            return [(x, low), (y, high)]
        if abs(x - y) < SLANT:
            return [(x, low), (y, high)]
        leave = LEAVE if low > self.top[upper.rank] else 0.0
        track = low + leave + TRACK * self._of[link, upper.rank].track
        return [(x, track), (y, track)]


def _straight(knots: list[Point]) -> list[tuple]:
    return [("M", knots[0]), *(("L", knot) for knot in knots[1:])]


def _curved(knots: list[Point]) -> list[tuple]:
    steps: list[tuple] = [("M", knots[0])]
    for (x0, y0), (x1, y1) in zip(knots, knots[1:], strict=False):
        middle = (y0 + y1) / 2
        straight = abs(x0 - x1) < 0.5
        steps.append(("L", (x1, y1)) if straight else ("C", (x0, middle), (x1, middle), (x1, y1)))
    return steps


def _rounded(knots: list[Point]) -> list[tuple]:
    """A line with right angles, whose corners are rounded."""
    steps: list[tuple] = [("M", knots[0])]
    for before, knot, after in zip(knots, knots[1:], knots[2:], strict=False):
        one, other = math.dist(before, knot), math.dist(knot, after)
        turns = abs((knot[0] - before[0]) * (after[1] - knot[1])) > 0.5 or (
            abs((knot[1] - before[1]) * (after[0] - knot[0])) > 0.5
        )
        if not turns:
            continue
        radius = min(CORNER, one / 2, other / 2)
        steps.append(("L", _towards(knot, before, radius)))
        steps.append(("Q", knot, _towards(knot, after, radius)))
    return [*steps, ("L", knots[-1])]


def _towards(start: Point, end: Point, by: float) -> Point:
    length = math.dist(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * by / length, start[1] + (
        end[1] - start[1]
    ) * by / length


def _loop(spot: Spot) -> list[tuple]:
    """The line of a box that feeds itself, at its side."""
    side, step = spot.u + spot.width / 2 - LOOP, min(6.0, spot.height / 4)
    out, low, high = side + LOOP - 2, spot.v + step, spot.v - step
    return _rounded([(side, low), (out, low), (out, high), (side, high)])


# --- marks ---


def _draw_frame(picture: Picture, frame: _Frame, place: Callable) -> None:
    x, y, width, height = _upright(frame.corner, frame.size, place)
    shade = SHADES[(frame.depth - 1) % len(SHADES)]
    picture.marks.append(Rectangle(x, y, width, height, shade, LINE, dashed=True))
    label = Text(x + frame.label, y + LABEL / 2 + 2, frame.title, FIELD, INK, True, "start")
    picture.marks.append(label)


def _draw_line(picture: Picture, steps: list[tuple], arrow: bool) -> None:
    if arrow:
        tip, before = steps[-1][-1], steps[-1][-2] if len(steps[-1]) > 2 else steps[-2][-1]
        base = _towards(tip, before, ARROW)
        steps = [*steps[:-1], (*steps[-1][:-1], base)]
        across = (tip[1] - base[1]) * 0.45, (base[0] - tip[0]) * 0.45
        sides = [(base[0] + k * across[0], base[1] + k * across[1]) for k in (1, -1)]
        picture.marks.append(Head([tip, *sides], LINE))
    picture.marks.append(Path(steps, LINE))


def _draw_box(picture: Picture, box: Box, x: float, y: float, width: float, height: float) -> None:
    marks = picture.marks
    marks.append(Rectangle(x, y, width, height, PAPER, INK))
    marks.append(Rectangle(x, y, width, HEADER_HEIGHT, FILLS[box.tone], INK))
    _draw_words(picture, _header(box), x + width / 2, y + HEADER_HEIGHT / 2, HEADER, PAPER)
    for number, row in enumerate(box.rows):
        top = y + HEADER_HEIGHT + number * ROW_HEIGHT
        widths = [_cell_width(cell) for cell in row]
        spare, left = (width - sum(widths)) / len(row), x
        for cell, own in zip(row, widths, strict=True):
            marks.append(Rectangle(left, top, own + spare, ROW_HEIGHT, TONES[cell.tone], INK))
            colour = INK if cell.tone == "plain" else PAPER
            middle = left + (own + spare) / 2, top + ROW_HEIGHT / 2
            _draw_words(picture, _words(cell), *middle, FIELD, colour)
            left += own + spare


def _draw_words(
    picture: Picture, words: Words, x: float, y: float, size: float, colour: str
) -> None:
    """Plain and bold words on one line, around a middle."""
    left = x - _length(words, size) / 2
    for part, bold in words:
        width = text_width(part, size, bold)
        picture.marks.append(Text(left + width / 2, y, part, size, colour, bold))
        left += width + SPACE * size
