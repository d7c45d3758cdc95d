"""The logs of a run as lines of a file that spreadsheets read."""

import csv
import io
import os
import warnings
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np

from ..core import validate
from ..core.catalog import register
from .callback import Callback, Logs

__all__ = ["CSVLogger"]


@register("callbacks")
class CSVLogger(Callback):
    """Write the logs of each epoch as one line of a CSV file.

    Args:
        filename: The file; missing folders are created.
        separator: What stands between two values, one character.
        append: Go on after the lines of an existing file, instead of replacing it with the first
            epoch.

    The columns are "epoch" and the names in the logs of the first epoch, in alphabetical order,
    and, when there was no validation, places for it. A value that is missing is "NA", one that is
    no number "nan". A resumed run goes on after the last line that it had written when it was
    saved.

    >>> logger = CSVLogger("training.csv")
    """

    state_names = ("keys", "_position")

    def __init__(self, filename: Any, separator: str = ",", append: bool = False):
        if not isinstance(filename, str | bytes | os.PathLike) or not os.fspath(filename):
            raise ValueError(
                f"CSVLogger: `filename` must be the path of a file. Received: {filename!r}."
            )
        self.filename = os.fsdecode(filename)
        if not isinstance(separator, str) or len(separator) != 1 or separator in '\r\n"':
            raise ValueError(
                "CSVLogger: `separator` must be one character, such as ',' or ';'. "
                f"Received: {separator!r}."
            )
        self.sep = separator
        self.append = validate.boolean(append, "append", "CSVLogger")
        self.keys: list[str] | None = None
        self._position = 0  # bytes written by this run, and of an older file that is kept
        self._file: BinaryIO | None = None
        self._ready = False

    def on_train_begin(self, logs: Logs = None) -> None:
        self._close()
        folder = os.path.dirname(self.filename)
        if folder:
            os.makedirs(folder, exist_ok=True)
        self._file = open(self.filename, "ab")  # noqa: SIM115 - open for the length of the run
        self._position = self._file.seek(0, os.SEEK_END) if self.append else 0
        self.keys = None
        self._ready = False

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        there = os.path.getsize(self.filename)
        if there < self._position:
            warnings.warn(
                f"CSVLogger goes on with {self.filename!r}, which has lost lines: the saved run "
                f"had written {self._position} bytes. Received: a file of {there} bytes.",
                stacklevel=2,
            )
            self._position = there

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        if self._file is None:
            self.on_train_begin()
        assert self._file is not None
        if not self._ready:  # only now is it certain that this run replaces what stands there
            self._file.truncate(self._position)
            self._ready = True
        if self.keys is None:
            self.keys = _columns(logs)
        if self._position == 0:
            self._write(["epoch", *self.keys])
        self._write([epoch, *(_text(logs.get(key, "NA")) for key in self.keys)])
        self._file.flush()
        self._position = self._file.tell()

    def on_train_end(self, logs: Logs = None) -> None:
        self._close()

    def _write(self, values: list[Any]) -> None:
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=self.sep).writerow(values)
        assert self._file is not None
        self._file.write(line.getvalue().encode())

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


def _columns(logs: Any) -> list[str]:
    """The names in the logs, sorted; with those of a validation that may come in later epochs."""
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return [*names, *(f"val_{name}" for name in names)]


def _text(value: Any) -> Any:
    """A value as it is written; those of an array in brackets, between quotes of their own."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value
    return f'"[{", ".join(map(str, value))}]"'
