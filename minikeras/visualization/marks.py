"""The marks that a picture is made of, whatever writes them: rectangles, texts, paths, arrowheads.

Lengths are in pixels, x to the right and y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["ASCENT", "Head", "Path", "Picture", "Point", "Rectangle", "Text", "text_width"]

Point = tuple[float, float]
ASCENT = 0.36  # of the size: how far the middle of capitals lies above the baseline

# Advance widths of a wide sans serif (DejaVu Sans), as parts of the size: others fit as well.
_NARROW = {**dict.fromkeys("ijl'|", 0.28), **dict.fromkeys("It.,:; ", 0.32)}
_WIDTHS = {
    **dict.fromkeys("abcdeghknopqsuvxyz0123456789?$#_", 0.63),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&", 0.75),
    **dict.fromkeys('fr()[]-/\\!"', 0.4),
    **dict.fromkeys("mMW@%", 0.98),
    **dict.fromkeys("w=+<>*", 0.84),
    **_NARROW,
}


class Rectangle(NamedTuple):
    """A rectangle from its upper left corner; no `stroke`, no border."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str | None = None
    dashed: bool = False


class Text(NamedTuple):
    """A line of text around (x, y), or with `anchor` "start" to the right of it."""

    x: float
    y: float
    words: str
    size: float
    colour: str
    bold: bool = False
    anchor: str = "middle"


class Path(NamedTuple):
    """A line of steps: "M" and "L" with a point, "Q" with one control before it, "C" with two."""

    steps: list[tuple]
    colour: str


class Head(NamedTuple):
    """The triangle at the end of an arrow."""

    points: list[Point]
    colour: str


@dataclass
class Picture:
    """Marks in the order in which they are drawn, and the size of the paper."""

    width: float
    height: float
    marks: list[Rectangle | Text | Path | Head] = field(default_factory=list)


def text_width(words: str, size: float, bold: bool = False) -> float:
    """About how wide a text is drawn, in pixels; no less than it is in common fonts.

    >>> round(text_width("Dense", 10))
    33
    """
    total = sum(_WIDTHS.get(letter, 0.65 if letter.isascii() else 1.0) for letter in words)
    return total * size * (1.1 if bold else 1.0)
