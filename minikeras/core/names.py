"""Names: snake case of class names, counted display names ("dense", "dense_1", ...), and paths."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["auto_name", "path_of", "place", "reset_names", "to_snake_case", "within"]

_WORD_START = re.compile(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")
_counts: dict[str, int] = {}
_lock = threading.Lock()


def to_snake_case(name: str) -> str:
    """The snake case form of a class name, as weight files spell it.

    >>> to_snake_case("BatchNormalization"), to_snake_case("Conv2DTranspose"), to_snake_case("ReLU")
    ('batch_normalization', 'conv2d_transpose', 're_lu')
    """
    return _WORD_START.sub("_", re.sub(r"\W+", "", name)).lower()


def auto_name(prefix: str) -> str:
    """The next display name with this prefix: "dense", then "dense_1", then "dense_2".

    Names made here are for display; files and lookups address objects by their place.
    """
    with _lock:
        count = _counts.get(prefix, 0)
        _counts[prefix] = count + 1
    return f"{prefix}_{count}" if count else prefix


class Place(threading.local):
    """Where what is made now belongs: the path of the layer around it, "" outside of all."""

    path = ""


place = Place()


def path_of(name: str) -> str:
    """The path of something of this name that is made here.

    >>> with within("model"):
    ...     path_of("dense")
    'model/dense'
    """
    return f"{place.path}/{name}" if place.path else name


@contextmanager
def within(path: str) -> Iterator[None]:
    """Within the block, what is made belongs to the layer of this path."""
    before, place.path = place.path, path
    try:
        yield
    finally:
        place.path = before


def reset_names() -> None:
    """Start counting anew: the next layer of each kind carries no number."""
    with _lock:
        _counts.clear()
