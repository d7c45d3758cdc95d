"""Pictures as pixels and pages: PNG, JPEG, PDF and what else matplotlib writes."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

from .marks import ASCENT, Head, Path, Picture, Rectangle, Text

__all__ = ["FORMATS", "write"]

FORMATS = ("png", "jpg", "jpeg", "webp", "tif", "tiff", "pdf", "ps", "eps")
POINTS = 72.0  # to the inch; a pixel of a picture is one point of the page
LARGEST = 65535  # pixels on a side


def write(picture: Picture, path: FilePath, kind: str, dpi: float) -> None:
    """Write a file of this kind.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: More pixels than a file can hold.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            f"Writing a .{kind} picture needs matplotlib. Install it with: "
            'pip install "minikeras[plot]". Or write a .svg picture, which needs nothing.'
        ) from None
    width, height = picture.width / POINTS, picture.height / POINTS
    if max(width, height) * dpi > LARGEST:
        raise ValueError(
            f"The picture would be {width * dpi:.0f} x {height * dpi:.0f} pixels, more than "
            f"{LARGEST} on a side. Received: dpi={dpi}. Choose less, or write a .svg picture."
        )
    figure = Figure(figsize=(width, height), dpi=dpi)
    figure.set_layout_engine("none")  # whatever the user prefers
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    axes.set_axis_off()
    for depth, mark in enumerate(picture.marks):
        _draw(axes, mark, depth)
    figure.savefig(path, format=kind, dpi=dpi)


def _draw(axes: Any, mark: Any, depth: int) -> None:
    from matplotlib import patches, path

    if isinstance(mark, Rectangle):
        axes.add_patch(
            patches.Rectangle(
                (mark.x, mark.y),
                mark.width,
                mark.height,
                facecolor=mark.fill,
                edgecolor=mark.stroke or "none",
                linestyle="--" if mark.dashed else "-",
                linewidth=1.0,
                zorder=depth,
            )
        )
    elif isinstance(mark, Text):
        axes.text(
            mark.x,
            mark.y + ASCENT * mark.size,
            mark.words.replace("$", r"\$"),
            fontsize=mark.size,
            color=mark.colour,
            weight="bold" if mark.bold else "normal",
            ha="left" if mark.anchor == "start" else "center",
            va="baseline",
            zorder=depth,
        )
    elif isinstance(mark, Head):
        axes.add_patch(patches.Polygon(mark.points, color=mark.colour, linewidth=0, zorder=depth))
    elif isinstance(mark, Path):
        numbers = {"M": (1,), "L": (2,), "Q": (3, 3), "C": (4, 4, 4)}  # codes of matplotlib's paths
        points = [point for _, *step in mark.steps for point in step]
        codes = [code for kind, *_ in mark.steps for code in numbers[kind]]
        line = path.Path(points, codes)
        axes.add_patch(
            patches.PathPatch(line, fill=False, edgecolor=mark.colour, linewidth=1.4, zorder=depth)
        )
