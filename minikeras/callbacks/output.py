"""Where callbacks write: one line at a time, without disturbing a bar on the screen."""

import os
from typing import Any
from weakref import WeakSet

__all__ = ["is_live", "say", "shown"]


shown: "WeakSet[Any]" = WeakSet()  # bars that stand on the screen just now, their lines unfinished


def say(text: str) -> None:
    """Print a line; a bar that stands on the screen makes room for it first."""
    for bar in list(shown):
        bar.hide()
    print(text, flush=True)


def is_live(stream: Any) -> bool:
    """Whether a line on this stream can be drawn over: a terminal or a notebook, not a file."""
    if type(stream).__module__.startswith("ipykernel"):
        return True
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and isatty() and os.environ.get("TERM") != "dumb"
