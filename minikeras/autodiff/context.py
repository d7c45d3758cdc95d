"""What is active on this thread: the tapes that record, and the program that is being recorded."""

from __future__ import annotations

import threading
from typing import Any


class Context(threading.local):
    """Per-thread state read by every primitive call on a `Tensor` or `Variable`."""

    def __init__(self) -> None:
        self.tapes: list[Any] = []
        self.recorder: Any = None
        self.lifted: dict[int, Any] = {}  # id(variable) -> (variable, its Tensor)
        self.scope: dict[int, Any] | None = (
            None  # id(variable) -> private array, in a stateless call
        )

    @property
    def tracing(self) -> bool:
        return bool(self.tapes) or self.recorder is not None or self.scope is not None


context = Context()


class NotReplayableError(RuntimeError):
    """A traced value was read as a number while its program was being recorded."""
