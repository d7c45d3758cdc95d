"""The progress bar: a live line in terminals and notebooks, one plain line per epoch elsewhere."""

import logging
import math
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import output, settings
from ..core.catalog import register
from .callback import Callback, Logs
from .live_line import NotebookLine, TerminalLine

__all__ = ["Bar", "ProgbarLogger"]

INTERVAL = 0.1  # seconds between redraws
_LOOK = 0.02  # seconds after which the clock is looked at again
_NEVER = sys.maxsize
_EPOCHS_SHOWN = 100  # a run of more epochs than this need not show every quick one


class Bar:
    """One line that tells how far a pass over the data has come, then how it ended.

    `update` is called after every step and nearly always returns at once: it guesses from the pace
    so far after how many steps the clock is worth a look. Logs are read only when the line is
    drawn.

    Args:
        clock: Seconds, from any origin.
        interval: Seconds between redraws.
        width: Characters of the bar at most.
        unit: What is counted.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        interval: float = INTERVAL,
        width: int = 20,
        unit: str = "step",
    ):
        self.seen = 0
        self._clock, self._interval, self._width, self._unit = clock, interval, width, unit
        self._next = _NEVER  # the step at which to look at the clock again
        self._line: Any = None  # what draws, made when something is drawn
        self._mode = "silent"
        self._title = self._unwritten = ""
        self._total: int | None = None
        self._stream: Any = None
        self._start = self._last_time = self._due = self._earliest = 0.0
        self._stop: float | None = None
        self._warm: tuple[float, int] | None = None  # when the first update came, and with which
        self._first = self._last_step = self._stride = 0

    def start(
        self,
        total: int | None,
        title: str = "",
        *,
        first: int = 0,
        live: bool = True,
        silent: bool = False,
        delay: float = 0.0,
        quick: bool = False,
    ) -> None:
        """Begin a pass of `total` steps (None: unknown), of which `first` are done.

        The line is drawn over and over when `live` and standard output allow it, else it is printed
        once, by `finish`. Nothing is shown when `silent`, nor for a pass shorter than `delay`
        seconds. The title of a pass that should be `quick` waits until there is something to draw.
        """
        stream = output.target()
        if self._stream is not stream or (self._line is not None and self._line.visible):
            self.close()
        self._stream, self._title, self._total = stream, title, total
        self._mode = self._choose_mode(live, silent)
        self._start = self._last_time = self._clock()
        self._due = self._start + max(delay, self._interval)
        self._earliest = self._start + delay
        self._stop = self._warm = None
        self.seen = self._first = self._last_step = first
        self._stride = 0
        self._next = _NEVER if self._mode == "silent" else first + 1
        self._unwritten = f"{title}\n" if title and self._mode == "terminal" else ""
        if not quick:
            self._write_title()

    @property
    def is_live(self) -> bool:
        """Whether the line can be drawn while the pass is under way."""
        return self._mode in ("terminal", "notebook")

    @property
    def seconds(self) -> float:
        """Seconds since the pass began."""
        return self._clock() - self._start

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
            spent = _duration(now - self._start)
            pace, *numbers = self._parts(self._stop or now, logs)
            if self._mode == "terminal":
                self._write_title()
                text = " - ".join([f"{spent} {pace}", *numbers])
                self._drawer().end(self.seen, self._known_total(), text)
            else:
                self._write_plain([spent, pace, *numbers])
        self._mode, self._next = "silent", _NEVER

    def skip(self) -> None:
        """End the pass without a line of its own."""
        self.hide()
        self._mode, self._next = "silent", _NEVER

    def hide(self) -> None:
        """Take the line off the screen until it is drawn again."""
        if self._line is not None:
            self._line.hide()

    def close(self) -> None:
        """End whatever stands on the screen; for passes that did not come to their end."""
        if self._line is not None:
            self._line.close()
        self._line, self._mode, self._next = None, "silent", _NEVER

    def _choose_mode(self, live: bool, silent: bool) -> str:
        """ "silent", "terminal", "notebook", "file", or "logging" where output goes there."""
        if silent or self._stream is None:  # a windowed program has no standard output
            return "silent"
        if not settings.is_interactive_logging_enabled():
            return "logging"
        return output.kind_of(self._stream) if live else "file"

    def _look(self, step: int, logs: Any) -> None:
        now = self._clock()
        if self._warm is None:
            self._warm = now, step
        if not self.is_live:
            self._next = _NEVER
            return
        pace = (now - self._last_time) / max(1, step - self._last_step)
        # growing by doubling: one quick step after slow ones says little
        self._stride = max(1, min(2 * self._stride, int(_LOOK / max(pace, 1e-9))))
        self._last_time, self._last_step = now, step
        if now >= self._due:
            self._draw(step, logs, now)
            self._due = self._clock() + self._interval
        self._next = step + self._stride

    def _draw(self, step: int, logs: Any, now: float) -> None:
        self._write_title()
        spent, total = now - self._start, self._known_total()
        time_text = _duration(spent)
        if total is not None:
            time_text = f"{_duration(self._seconds_per_step(now) * (total - step))} left"
        pace, *numbers = self._parts(now, logs)
        text = " - ".join([f"{time_text} {pace}", *numbers])
        self._drawer().draw(self._title, step, total, text)

    def _drawer(self) -> Any:
        """What draws the line where it can be drawn."""
        if self._line is None:
            if self._mode == "terminal":
                self._line = TerminalLine(self._stream, self._width, self._unit)
            else:
                self._line = NotebookLine(self._width, self._unit)
        return self._line

    def _known_total(self) -> int | None:
        """The number of steps; None when it is unknown, or was wrong."""
        return None if self._total is None or self.seen > self._total else self._total

    def _parts(self, now: float, logs: Any) -> list[str]:
        """What a line says beside the number of steps and the time: pace and numbers."""
        values: Any = logs() if callable(logs) else logs or {}
        numbers = [f"{name}: {_value(value)}" for name, value in values.items()]
        return [f"{_pace(self._seconds_per_step(now))}/{self._unit}", *numbers]

    def _seconds_per_step(self, now: float) -> float:
        """The pace, without the first step where there are others: it may have had to compile."""
        start, first = self._start, self._first
        if self._warm is not None and self._warm[1] < self.seen:
            start, first = self._warm
        return (now - start) / max(1, self.seen - first)

    def _write_title(self) -> None:
        if self._unwritten:
            output.hide_bars()
            self._write(self._unwritten)
            self._unwritten = ""

    def _write_plain(self, parts: list[str]) -> None:
        total = self._known_total()
        steps = str(self.seen) if total is None else f"{self.seen}/{total}"
        text = " - ".join(filter(None, [self._title, steps, *parts]))
        if self._mode == "logging":
            logging.getLogger(output.LOGGER).info(text)
        else:
            output.hide_bars()
            self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@register("callbacks")
class ProgbarLogger(Callback):
    """Shows the progress of `fit`, `evaluate` and `predict` on standard output.

    `params["verbose"]` is 0 (silent), 1 (a live bar in terminals and notebooks, elsewhere one plain
    line per epoch), 2 (the plain lines everywhere), or "auto": what `config.set_verbosity` says,
    and unless it says anything 1, with `predict` silent for its first second. Within `fit` the
    validation shows in the epoch's line.

    Terminals and notebooks are not flooded: in a run of more than 100 epochs, epochs of less than
    0.1 seconds share one bar that counts them, and of these only the first, the last, and one in
    each hundredth part of the run leave a line.
    """

    def __init__(self) -> None:
        self.bar = Bar()
        self.run_bar = Bar(unit="epoch")  # of epochs too quick for a bar of their own
        self.verbose: int | str = "auto"
        self.epochs = 1
        self.steps: int | None = None
        self._in_fit = False
        self._quick = False  # the epoch before was
        self._unshown: Any = None  # logs of the last epoch, while it has no line

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        self.verbose = output.resolve_verbose(params.get("verbose", "auto"))
        self.epochs = params.get("epochs", 1)
        self.steps = params.get("steps")

    def close(self) -> None:
        """Leave no half-drawn line; also after an error."""
        self._in_fit = False
        self.run_bar.close()
        self.bar.close()

    def on_train_begin(self, logs: Logs = None) -> None:
        self._in_fit, self._quick, self._unshown = True, False, None
        self.run_bar.skip()

    def on_train_end(self, logs: Logs = None) -> None:
        if self._unshown is not None:
            self._leave_line(self._unshown)
        self.close()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._begin_epoch(epoch, 0)

    def resume_epoch(self, epoch: int, batch: int) -> None:
        """Take up an epoch of which `batch` batches are done."""
        self._begin_epoch(epoch, batch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        announced = not self._quick  # its title is on the screen
        self._quick = self.epochs > _EPOCHS_SHOWN and self.bar.seconds < INTERVAL
        if self.steps is None:  # of a generator: as many as in this epoch
            self.steps = self.bar.seen
        mark = math.ceil(self.epochs / _EPOCHS_SHOWN)
        marked = (epoch + 1) % mark == 0 or epoch + 1 == self.epochs
        if self.bar.is_live and self._quick and not (announced or marked):
            self._unshown = {} if logs is None else logs
            self.run_bar.update(epoch + 1, logs)
        else:
            self._leave_line(logs)

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

    def _begin_epoch(self, epoch: int, batch: int) -> None:
        self._unshown = None
        if self.epochs > _EPOCHS_SHOWN and not self._quick:
            self.run_bar.skip()
            self._start_bar(self.run_bar, self.epochs, "", first=epoch)
        title = f"Epoch {epoch + 1}/{self.epochs}"
        self._start(title, first=batch, quick=self._quick)

    def _leave_line(self, logs: Any) -> None:
        self.run_bar.hide()
        self.bar.finish(logs)
        self._unshown = None

    def _start(self, title: str = "", **options: Any) -> None:
        self._start_bar(self.bar, self.steps, title, **options)

    def _start_bar(self, bar: Bar, total: int | None, title: str, **options: Any) -> None:
        bar.start(total, title, live=self.verbose != 2, silent=self.verbose == 0, **options)


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
