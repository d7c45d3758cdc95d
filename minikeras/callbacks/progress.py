"""The progress bar: a live line in terminals and notebooks, one plain line per epoch elsewhere."""

import functools
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.catalog import register
from ..core.validate import one_of
from .callback import Callback, Logs
from .output import is_live, shown

__all__ = ["Bar", "ProgbarLogger"]

INTERVAL = 0.1  # seconds between redraws
_LOOK = 0.02  # seconds after which the clock is looked at again
_NEVER = sys.maxsize


class Bar:
    """One line that tells how far a pass over the data has come, then how it ended.

    `update` is called after every step and nearly always returns at once: it guesses from the pace
    so far after how many steps the clock is worth a look. Logs are read only when the line is
    drawn.

    Args:
        clock: Seconds, from any origin.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self.seen = 0
        self._clock = clock
        self._next = _NEVER  # the step at which to look at the clock again
        self._line: Any = None  # the tqdm object, made when something is drawn
        self._visible = False
        self._mode = "silent"
        self._title = ""
        self._total: int | None = None
        self._stream: Any = None
        self._start = self._last_time = self._due = self._earliest = 0.0
        self._stop: float | None = None
        self._last_step = self._stride = 0

    def start(
        self,
        total: int | None,
        title: str = "",
        *,
        live: bool = True,
        silent: bool = False,
        delay: float = 0.0,
    ) -> None:
        """Begin a pass of `total` steps (None: unknown).

        The line is drawn over and over when `live` and standard output allow it, else it is printed
        once, by `finish`. Nothing is shown when `silent`, nor for a pass shorter than `delay`
        seconds.
        """
        if self._visible or self._stream is not sys.stdout:
            self.close()
        self._stream, self._title, self._total = sys.stdout, title, total
        self._mode = self._choose_mode(live, silent)
        self._start = self._last_time = self._clock()
        self._due = self._start + max(delay, INTERVAL)
        self._earliest = self._start + delay
        self._stop = None
        self.seen = self._last_step = self._stride = 0
        self._next = 1 if self._mode == "live" else _NEVER
        if self._mode == "live" and title:
            self._write(f"{title}\n")

    def update(self, step: int, logs: Any = None) -> None:
        """`step` steps are done; `logs` is a dict or a function that returns one."""
        self.seen = step
        if step >= self._next:
            self._look(step, logs)

    def pause(self) -> None:
        """The steps are done, though more work follows: the time per step is settled."""
        self._stop = self._clock()

    def finish(self, logs: Any = None) -> None:
        """End the pass with its last line."""
        now = self._clock()
        if self._mode != "silent" and now >= self._earliest:
            parts = self._parts(_duration(now - self._start), self._stop or now, logs)
            if self._mode == "live":
                self._end_live(parts)
            else:
                steps = str(self.seen) if self._total is None else f"{self.seen}/{self._total}"
                self._write(" - ".join(filter(None, [self._title, steps, *parts])) + "\n")
        self._mode, self._next = "silent", _NEVER

    def hide(self) -> None:
        """Take the line off the screen until it is drawn again."""
        if self._visible:
            self._line.clear(nolock=True)
            self._set_visible(False)

    def close(self) -> None:
        """End whatever stands on the screen; for passes that did not come to their end."""
        if self._visible:
            self._set_visible(False)
            self._write("\n")
        if self._line is not None:
            self._line.close()
        self._line, self._mode, self._next = None, "silent", _NEVER

    def _choose_mode(self, live: bool, silent: bool) -> str:
        if silent or self._stream is None:  # a windowed program has no standard output
            return "silent"
        return "live" if live and is_live(self._stream) else "plain"

    def _look(self, step: int, logs: Any) -> None:
        now = self._clock()
        pace = (now - self._last_time) / max(1, step - self._last_step)
        # growing by doubling: one quick step after slow ones says little
        self._stride = max(1, min(2 * self._stride, int(_LOOK / max(pace, 1e-9))))
        self._last_time, self._last_step = now, step
        if now >= self._due:
            self._draw(step, logs, now)
            self._due = self._clock() + INTERVAL
        self._next = step + self._stride

    def _draw(self, step: int, logs: Any, now: float) -> None:
        spent = now - self._start
        text = _duration(spent)
        if self._total is not None:
            text = f"{_duration(spent / step * (self._total - step))} left"
        line = self._prepare(self._parts(text, now, logs))
        self._set_visible(True)
        line.refresh(nolock=True)

    def _end_live(self, parts: list[str]) -> None:
        line = self._prepare(parts)
        line.ncols = None  # the last line is never cut off
        text = str(line)
        if self._visible:
            line.sp(text)  # over the line that stands there
            text = ""
        self._set_visible(False)
        self._write(f"{text}\n")

    def _prepare(self, parts: list[str]) -> Any:
        """The tqdm line, told what to show."""
        if self._line is None:
            # it draws when told to, and only then
            self._line = _line_class()(file=self._stream, position=0, delay=_NEVER)
        line, total = self._line, self._total
        spent, pace, *numbers = parts
        text = " - ".join([f"{spent} {pace}", *numbers])
        line.total, line.n, line.ncols, line.nrows = total, self.seen, _columns(self._stream), None
        line.set_description_str(text, refresh=False)
        if total is None:
            line.bar_format = "{n} steps {desc}"
        else:
            digits = len(str(total))
            space = (line.ncols or _NEVER) - 2 * digits - len(text) - 3
            line.bar_format = f"{{n:>{digits}}}/{{total}} {{bar:{max(5, min(20, space))}}} {{desc}}"
        return line

    def _parts(self, time_text: str, now: float, logs: Any) -> list[str]:
        """What a line says beside the number of steps."""
        pace = (now - self._start) / max(1, self.seen)
        values: Any = logs() if callable(logs) else logs or {}
        numbers = [f"{name}: {_value(value)}" for name, value in values.items()]
        return [time_text, f"{_pace(pace)}/step", *numbers]

    def _set_visible(self, visible: bool) -> None:
        self._visible = visible
        (shown.add if visible else shown.discard)(self)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@register("callbacks")
class ProgbarLogger(Callback):
    """Shows the progress of `fit`, `evaluate` and `predict` on standard output.

    `params["verbose"]` is 0 (silent), 1 or "auto" (a live bar in terminals and notebooks, elsewhere
    one plain line per epoch) or 2 (the plain lines everywhere). With "auto", `predict` stays silent
    for its first second. Within `fit` the validation shows in the epoch's line.
    """

    def __init__(self) -> None:
        self.bar = Bar()
        self.verbose: int | str = "auto"
        self.epochs = 1
        self.steps: int | None = None
        self._in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        verbose = params.get("verbose", "auto")
        verbose = int(verbose) if isinstance(verbose, bool) else verbose
        self.verbose = one_of(verbose, (0, 1, 2, "auto"), "verbose")
        self.epochs = params.get("epochs", 1)
        self.steps = params.get("steps")

    def close(self) -> None:
        """Leave no half-drawn line; also after an error."""
        self._in_fit = False
        self.bar.close()

    def on_train_begin(self, logs: Logs = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: Logs = None) -> None:
        self.close()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._start(f"Epoch {epoch + 1}/{self.epochs}")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.bar.finish(logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.bar.update(batch + 1, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        if self._in_fit:
            self.bar.pause()
        else:
            self._start()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._in_fit:
            self.bar.update(batch + 1, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._in_fit:
            self.bar.finish(logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._start(delay=1.0 if self.verbose == "auto" else 0.0)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.bar.update(batch + 1)  # logs hold the outputs, not numbers to show

    def on_predict_end(self, logs: Logs = None) -> None:
        self.bar.finish()

    def _start(self, title: str = "", delay: float = 0.0) -> None:
        self.bar.start(
            self.steps, title, live=self.verbose != 2, silent=self.verbose == 0, delay=delay
        )


@functools.cache
def _line_class() -> Any:
    """tqdm's line, imported when one is first drawn: text also in notebooks, where it is stored."""
    from tqdm import tqdm

    class Line(tqdm):
        monitor_interval = 0  # no thread that redraws

    Line.set_lock(threading.RLock())  # not shared with other processes, whose lock costs semaphores
    return Line


def _columns(stream: Any) -> int | None:
    """Columns that a line may fill, now: windows change. None where nobody knows (notebooks)."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return None
    return columns - 1 if columns > 1 else None


def _duration(seconds: float) -> str:
    """Seconds for a reader: "0.4s", "12s", "3:05", "1:02:03".

    >>> _duration(0.42), _duration(185)
    ('0.4s', '3:05')
    """
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _pace(seconds: float) -> str:
    """Seconds per step in the unit that suits: "13us", "2.4ms", "1.5s"."""
    unit, scale = ("s", 1.0) if seconds >= 1 else ("ms", 1e-3) if seconds >= 1e-3 else ("us", 1e-6)
    number = seconds / scale
    return f"{number:.1f}{unit}" if number < 9.95 else f"{number:.0f}{unit}"


def _value(value: Any) -> str:
    """A number as the bar shows it; arrays by their mean."""
    try:
        number = float(np.mean(value))
    except (TypeError, ValueError):
        return str(value)
    return f"{number:.4e}" if 0 < abs(number) < 1e-3 else f"{number:.4f}"
