"""Objects that know when they were changed, so that what was recorded of them can be renewed."""

from __future__ import annotations

from typing import Any


class Changes:
    """Number of changes of all versioned objects so far: a cheap "has anything changed?"."""

    count = 0


class Versioned:
    """Counts the changes of its public attributes in `_version`.

    Attributes named in `_runtime`, and those that begin with an underscore, do not count.
    """

    _version = 0
    _runtime: frozenset[str] = frozenset()

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name[0] != "_" and name not in self._runtime:
            object.__setattr__(self, "_version", self._version + 1)
            Changes.count += 1
