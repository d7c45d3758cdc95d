"""Pictures as SVG text."""

from __future__ import annotations

from html import escape

from .marks import ASCENT, Head, Path, Picture, Point, Rectangle, Text

__all__ = ["svg"]

FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


def svg(picture: Picture) -> str:
    """The picture as a document that browsers, notebooks and drawing programs show."""
    width, height = _number(picture.width), _number(picture.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{FONT}">'
    ]
    lines += [_WRITERS[type(mark)](mark) for mark in picture.marks]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _point(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _rectangle(mark: Rectangle) -> str:
    border = f' stroke="{mark.stroke}"' if mark.stroke else ""
    dash = ' stroke-dasharray="5 4"' if mark.dashed else ""
    return (
        f'<rect x="{_number(mark.x)}" y="{_number(mark.y)}" width="{_number(mark.width)}" '
        f'height="{_number(mark.height)}" fill="{mark.fill}"{border}{dash}/>'
    )


def _text(mark: Text) -> str:
    anchor = f' text-anchor="{mark.anchor}"' if mark.anchor != "start" else ""
    weight = ' font-weight="bold"' if mark.bold else ""
    baseline = mark.y + ASCENT * mark.size
    return (
        f'<text x="{_number(mark.x)}" y="{_number(baseline)}" font-size="{_number(mark.size)}" '
        f'fill="{mark.colour}"{anchor}{weight} xml:space="preserve">{escape(mark.words)}</text>'
    )


def _path(mark: Path) -> str:
    steps = " ".join(" ".join([kind, *map(_point, points)]) for kind, *points in mark.steps)
    return f'<path d="{steps}" fill="none" stroke="{mark.colour}" stroke-width="1.4"/>'


def _head(mark: Head) -> str:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in mark.points)
    return f'<polygon points="{points}" fill="{mark.colour}"/>'


_WRITERS = {Rectangle: _rectangle, Text: _text, Path: _path, Head: _head}
