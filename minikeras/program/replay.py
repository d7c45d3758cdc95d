"""Replay: functions that are recorded once per kind of input and replayed afterwards."""

from __future__ import annotations

import threading
import traceback
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..autodiff.context import NotReplayableError
from ..autodiff.spec import Spec, spec_of
from .program import Program, Recording

PACKAGE = Path(__file__).parent.parent
KEPT = 64  # recordings of one function


class Replayed:
    """Programs of one function, by key; each concurrent caller gets buffers of its own.

    Args:
        function: Takes and returns flat sequences of tensors.
    """

    def __init__(self, function: Callable[..., Sequence[Any]]):
        self._function = function
        self._recordings: OrderedDict[Hashable, Recording | None] = OrderedDict()
        self._free: dict[Hashable, list[Program]] = {}
        self._lock = threading.RLock()
        self.why_not: str | None = None

    def clear(self) -> None:
        """Forget everything recorded (the function's meaning has changed)."""
        with self._lock:
            self._recordings.clear()
            self._free.clear()

    def recording(self, specs: Sequence[Spec], key: Hashable = None) -> Recording | None:
        """The recording for inputs of these specs, or None if the function cannot be replayed."""
        full = (tuple(specs), key)
        with self._lock:
            if full not in self._recordings:
                self._recordings[full] = self._record(specs)
                self._forget_oldest()
            return self._recordings[full]

    def _forget_oldest(self) -> None:
        """Bound the memory of functions that meet ever new shapes: the least used lately go."""
        while len(self._recordings) > KEPT:
            oldest, _ = self._recordings.popitem(last=False)
            self._free.pop(oldest, None)

    def _record(self, specs: Sequence[Spec]) -> Recording | None:
        if self.why_not is not None:
            return None
        try:
            return Recording.of(self._function, specs)
        except NotReplayableError as error:
            self.why_not = _where(error)
            warnings.warn(
                "This function reads values while it runs and therefore runs eagerly, which is "
                f"slower: {self.why_not}",
                stacklevel=4,
            )
            return None

    def acquire(self, specs: Sequence[Spec], key: Hashable = None) -> Program | None:
        """A program that nobody else is using; give it back with `release`."""
        full = (tuple(specs), key)
        with self._lock:
            recording = self.recording(specs, key)
            self._recordings.move_to_end(full)
            free = self._free.setdefault(full, [])
            if free:
                return free.pop()
        return None if recording is None else Program(recording)

    def release(self, specs: Sequence[Spec], program: Program, key: Hashable = None) -> None:
        full = (tuple(specs), key)
        with self._lock:
            if full in self._recordings:
                self._free.setdefault(full, []).append(program)

    def __call__(self, *arrays: np.ndarray, key: Hashable = None) -> list[np.ndarray] | None:
        """Copies of the results for `arrays`, or None if the function cannot be replayed."""
        specs = [spec_of(a) for a in arrays]
        program = self.acquire(specs, key)
        if program is None:
            return None
        try:
            for buffer, array in zip(program.inputs, arrays, strict=True):
                np.copyto(buffer, array)
            program.run()
            return [np.array(o) for o in program.outputs]
        finally:
            self.release(specs, program, key)


def _where(error: BaseException) -> str:
    """The line of the user's code that read a value; what the error says, if that was not there."""
    frames = traceback.extract_tb(error.__traceback__)
    outside = [f for f in frames if not Path(f.filename).is_relative_to(PACKAGE)]
    if not outside:
        return str(error)
    frame = outside[-1]
    return f"{frame.filename}, line {frame.lineno}: {frame.line}"
