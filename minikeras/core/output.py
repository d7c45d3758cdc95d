"""Where text goes: standard output, standard error or `logging`, around a bar on the screen.

A bar *stands* while its unfinished line is on a terminal. Everything written here makes it leave
first; and as long as one stands, `sys.stdout` and `sys.stderr` are wrapped, so that what a user's
callback prints, or a warning, makes it leave as well. It comes back when it is next drawn.
"""

import contextlib
import logging
import os
import sys
from typing import Any

from .settings import VERBOSITIES, is_interactive_logging_enabled, verbosity
from .validate import one_of

__all__ = ["Guard", "kind_of", "leave", "notice", "resolve_verbose", "say", "stand", "target"]

LOGGER = "minikeras"
_standing: list[Any] = []  # bars, the last drawn at the end
# Guards are kept: `print` does not own the stream it writes to, which may be replaced meanwhile.
_guards: list["Guard"] = []


def resolve_verbose(verbose: Any) -> int | str:
    """`verbose` of `fit`, `evaluate` and `predict`, with "auto" replaced by the global setting.

    Raises:
        ValueError: It is not 0, 1, 2 or "auto".
    """
    verbose = int(verbose) if isinstance(verbose, bool) else verbose
    verbose = one_of(verbose, VERBOSITIES, "verbose")
    return verbosity() if verbose == "auto" else verbose


def say(text: str) -> None:
    """Write a line to standard output, or to `logging` where the user chose that."""
    if not is_interactive_logging_enabled():
        logging.getLogger(LOGGER).info(text)
        return
    hide_bars()
    print(text, flush=True)


def notice(text: str) -> None:
    """Write a line to standard error, which logs of results do not hold; not at verbosity 0."""
    if verbosity() == 0:
        return
    if not is_interactive_logging_enabled():
        logging.getLogger(LOGGER).info(text)
    elif sys.stderr is not None:  # a windowed program has none
        hide_bars()
        print(text, file=sys.stderr, flush=True)


def kind_of(stream: Any) -> str:
    """What reads a stream: "terminal" or "notebook", where a line can be drawn over, or "file"."""
    if type(stream).__module__.startswith("ipykernel"):
        return "notebook"
    isatty = getattr(stream, "isatty", None)
    live = isatty is not None and isatty() and os.environ.get("TERM") != "dumb"
    return "terminal" if live else "file"


def target() -> Any:
    """Standard output as it is below a guard; None in a program that has none."""
    return sys.stdout._stream if isinstance(sys.stdout, Guard) else sys.stdout


def stand(bar: Any) -> None:
    """A bar is about to be drawn: others make room, and whatever is printed will make it leave."""
    hide_bars(other_than=bar)
    if bar not in _standing:
        _standing.append(bar)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, Guard) and kind_of(stream) == "terminal":
            setattr(sys, name, _guard_of(stream))


def leave(bar: Any) -> None:
    """A bar is off the screen, or its line ended."""
    with contextlib.suppress(ValueError):  # it may be off already, by a print of another thread
        _standing.remove(bar)
    if _standing:
        return
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, Guard):
            setattr(sys, name, stream._stream)


def hide_bars(other_than: Any = None) -> None:
    """Take every bar off the screen."""
    for bar in list(_standing):
        if bar is not other_than:
            bar.hide()


def _guard_of(stream: Any) -> "Guard":
    for guard in _guards:
        if guard._stream is stream:
            return guard
    _guards.append(Guard(stream))
    return _guards[-1]


class Guard:
    """Stands in for a stream while a bar is on the screen: who writes makes the bar leave."""

    def __init__(self, stream: Any):
        self._stream = stream

    def write(self, text: str) -> int:
        hide_bars()
        return self._stream.write(text)

    def writelines(self, lines: Any) -> None:
        hide_bars()
        self._stream.writelines(lines)

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":  # of a copy that is being made
            raise AttributeError(name)
        return getattr(self._stream, name)
