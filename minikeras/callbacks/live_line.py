"""The line that is drawn over and over while a pass is under way, in terminals and notebooks."""

import functools
import os
import sys
import threading
from typing import Any

from ..core import output

__all__ = ["NotebookLine", "TerminalLine", "columns", "wide_bar"]

_NEVER = sys.maxsize
_LEAST = 5  # characters of a bar that still tells anything


class TerminalLine:
    """A line of a terminal, drawn by tqdm over what stood there before.

    Args:
        stream: The terminal.
        width: Characters of the bar at most.
        unit: What is counted, as in "20 steps"; shown while the total is unknown.
    """

    def __init__(self, stream: Any, width: int = 20, unit: str = "step"):
        self._stream, self._width, self._unit = stream, width, unit
        self._line: Any = None  # the tqdm object, made when something is drawn
        self.visible = False

    def draw(self, title: str, done: int, total: int | None, text: str) -> None:
        """Show how far the work is; the title has a line of its own already."""
        line = self._prepare(done, total, text)
        self._set_visible(True)
        line.refresh(nolock=True)

    def end(self, done: int, total: int | None, text: str) -> None:
        """Show the end of the work, on a line that stays."""
        output.hide_bars(other_than=self)
        line = self._prepare(done, total, text)
        line.ncols = None  # the last line is never cut off
        last = str(line)
        if self.visible:
            line.sp(last)  # over the line that stands there
            last = ""
        self._set_visible(False)
        self._write(f"{last}\n")

    def hide(self) -> None:
        """Take the line off the screen until it is drawn again."""
        line = self._line
        if self.visible and line is not None:  # another thread may print just now
            line.clear(nolock=True)
            self._set_visible(False)

    def close(self) -> None:
        """Leave what stands on the screen as it is, for good."""
        if self.visible:
            self._set_visible(False)
            self._write("\n")
        if self._line is not None:
            self._line.close()
            self._line = None

    def _prepare(self, done: int, total: int | None, text: str) -> Any:
        """The tqdm line, told what to show."""
        if self._line is None:
            # it draws when told to, and only then
            self._line = _tqdm_line()(file=self._stream, position=0, delay=_NEVER)
        line = self._line
        line.total, line.n, line.ncols, line.nrows = total, done, columns(self._stream), None
        line.set_description_str(text, refresh=False)
        if total is None:
            line.bar_format = f"{{n}} {self._unit}s {{desc}}"
        else:
            digits = len(str(total))
            room = (line.ncols or _NEVER) - 2 * digits - len(text) - 3
            bar = f"{{bar:{min(self._width, room)}}} " if room >= _LEAST else ""
            line.bar_format = f"{{n:>{digits}}}/{{total}} {bar}{{desc}}"
        return line

    def _set_visible(self, visible: bool) -> None:
        self.visible = visible
        (output.stand if visible else output.leave)(self)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class NotebookLine:
    """A line of a notebook, in a display that is replaced: the notebook stores its last state only.

    The lines of one cell share one display. What stays (the lines of finished epochs) is printed
    below it, in order with all other prints, and the display ends empty.
    """

    visible = False  # nothing that is printed runs into it
    _display: Any = None
    _cell: Any = None  # the cell whose output holds the display

    def __init__(self, width: int = 20, unit: str = "step"):
        self._width, self._unit = width, unit
        self._drawn = False

    def draw(self, title: str, done: int, total: int | None, text: str) -> None:
        """Show how far the work is."""
        known = total is not None
        steps = f"{done:>{len(str(total))}}/{total}" if known else f"{done} {self._unit}s"
        bar = "" if total is None else wide_bar(done / max(1, total), self._width)
        self._show("  ".join(filter(None, [title, steps, bar, text])))
        self._drawn = True

    def hide(self) -> None:
        """Nothing: what is printed stands below the display."""

    def close(self) -> None:
        """Empty the display."""
        if self._drawn:
            self._show("")
        self._drawn = False

    def _show(self, text: str) -> None:
        from IPython import display, get_ipython

        shell: Any = get_ipython()
        cell = shell and (id(shell), shell.execution_count)
        content = {"text/plain": text}
        if NotebookLine._display is None or NotebookLine._cell != cell:
            NotebookLine._cell = cell
            NotebookLine._display = display.display(content, raw=True, display_id=True)
        else:
            NotebookLine._display.update(content, raw=True)


def wide_bar(share: float, width: int) -> str:
    """A bar of characters, filled to a share between 0 and 1.

    >>> wide_bar(0.5, 4)
    '██  '
    """
    full = round(max(0.0, min(1.0, share)) * width)
    return "█" * full + " " * (width - full)


def columns(stream: Any) -> int | None:
    """Columns that a line may fill, now: windows change. None where nobody knows."""
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return None
    return found - 1 if found > 1 else None


@functools.cache
def _tqdm_line() -> Any:
    """tqdm's line, imported when one is first drawn."""
    from tqdm import tqdm

    class Line(tqdm):
        monitor_interval = 0  # no thread that redraws

    Line.set_lock(threading.RLock())  # not shared with other processes, whose lock costs semaphores
    return Line
