"""Names: snake case of class names, and counted display names ("dense", "dense_1", ...)."""

import re
import threading

__all__ = ["auto_name", "reset_names", "to_snake_case"]

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


def reset_names() -> None:
    """Start counting anew: the next layer of each kind carries no number."""
    with _lock:
        _counts.clear()
