"""Ctrl-C during training: the batch under way is finished first."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interrupts:
    """Within the block the first Ctrl-C only sets `seen`; a second one interrupts at once.

    Whoever works in the block looks at `seen` where it can stop cleanly, and raises. A handler of
    the user's own, and threads other than the main one, are left alone.
    """

    def __init__(self) -> None:
        self.seen = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if self.seen and error[0] is None:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: Any) -> None:
        if self.seen:
            raise KeyboardInterrupt
        self.seen = True
