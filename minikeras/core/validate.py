"""Checks of arguments, written once: each returns the value in its normal form or raises.

Every message says what was expected, what came, and what to do.
"""

import difflib
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "boolean",
    "fraction",
    "integer",
    "is_integer",
    "non_negative",
    "non_negative_int",
    "number",
    "one_of",
    "positive_int",
    "reject_unknown",
    "shape",
    "suggest",
]


def suggest(word: Any, options: Iterable[str]) -> str:
    """ " Did you mean 'x'?" for the option nearest to `word`, or "" when none is near.

    >>> suggest("adma", ["adam", "sgd"])
    " Did you mean 'adam'?"
    """
    if not isinstance(word, str):
        return ""
    plain = {_bare(option): option for option in options}
    near = difflib.get_close_matches(_bare(word), plain, n=5, cutoff=0.6)
    near = [option for option in near if _resembles(_bare(word), option)]
    if not near:
        return ""
    best = min(near, key=lambda option: _slips(_bare(word), option))
    return f" Did you mean {plain[best]!r}?"


def reject_unknown(kwargs: Iterable[str], allowed: Iterable[str], owner: str) -> None:
    """Raise a TypeError that names the first keyword of `kwargs` not in `allowed`."""
    allowed = sorted(allowed)
    for name in kwargs:
        if name not in allowed:
            raise TypeError(
                f"{owner} has no argument {name!r}.{suggest(name, allowed)} "
                f"It accepts: {', '.join(allowed) or 'no keyword arguments'}."
            )


def integer(value: Any, name: str, owner: str = "") -> int:
    """A whole number; floats are refused even when whole (a size of 3.0 is a slip)."""
    if is_integer(value):
        return int(value)
    raise _wrong(value, name, owner, "an integer")


def positive_int(value: Any, name: str, owner: str = "") -> int:
    """A whole number of at least 1."""
    if is_integer(value) and value > 0:
        return int(value)
    raise _wrong(value, name, owner, "a positive integer")


def non_negative_int(value: Any, name: str, owner: str = "") -> int:
    """A whole number of at least 0."""
    if is_integer(value) and value >= 0:
        return int(value)
    raise _wrong(value, name, owner, "an integer of at least 0")


def number(value: Any, name: str, owner: str = "") -> float:
    """A real number, as a Python float (integers and numpy scalars are taken)."""
    if _is_number(value):
        return float(value)
    raise _wrong(value, name, owner, "a number")


def non_negative(value: Any, name: str, owner: str = "") -> float:
    """A real number of at least 0, as a Python float."""
    if _is_number(value) and value >= 0:
        return float(value)
    raise _wrong(value, name, owner, "a number of at least 0")


def fraction(value: Any, name: str, owner: str = "") -> float:
    """A real number between 0 and 1, both included, as a Python float."""
    if _is_number(value) and 0 <= value <= 1:
        return float(value)
    raise _wrong(value, name, owner, "a number between 0 and 1")


def boolean(value: Any, name: str, owner: str = "") -> bool:
    """True or False; 0 and 1 are taken, other values are not guessed at."""
    numeric = isinstance(value, numbers.Integral) or type(value).__name__ in ("bool_", "bool")
    if numeric and value in (0, 1):
        return bool(value)
    raise _wrong(value, name, owner, "True or False")


def one_of(value: Any, options: Sequence[Any], name: str, owner: str = "") -> Any:
    """`value`, when it is among `options`."""
    if any(
        value is option or (type(value) is type(option) and value == option) for option in options
    ):
        return value
    known = ", ".join(repr(option) for option in options)
    hint = suggest(value, [option for option in options if isinstance(option, str)])
    raise ValueError(f"{_subject(name, owner)} must be one of {known}.{hint} Received: {value!r}.")


def shape(value: Any, name: str = "shape", owner: str = "") -> tuple[int | None, ...]:
    """A shape as a tuple of sizes of at least 0, None for an unknown one; an int is one axis."""
    if is_integer(value):
        value = (value,)
    if isinstance(value, list | tuple) and all(
        size is None or (is_integer(size) and size >= 0) for size in value
    ):
        return tuple(None if size is None else int(size) for size in value)
    raise _wrong(value, name, owner, "a tuple of sizes (integers of at least 0, or None)")


def _bare(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def _resembles(word: str, option: str) -> bool:
    """Whether few slips lead from one to the other, or one is the beginning of the other."""
    beginning = word.startswith(option) or option.startswith(word)
    return beginning or _slips(word, option) <= max(1, (len(word) + len(option)) // 5)


def _slips(word: str, option: str) -> int:
    """Letters to insert, leave out, replace or exchange with a neighbour (Damerau 1964)."""
    before: list[int] = []
    row = list(range(len(option) + 1))
    for i, letter in enumerate(word, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(option, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == option[j - 2] and other == word[i - 2]:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _subject(name: str, owner: str) -> str:
    return f"{owner}: `{name}`" if owner else f"`{name}`"


def _wrong(value: Any, name: str, owner: str, expected: str) -> ValueError:
    return ValueError(
        f"{_subject(name, owner)} must be {expected}. "
        f"Received: {value!r} (of type {type(value).__name__})."
    )
