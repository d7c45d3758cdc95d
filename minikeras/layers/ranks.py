"""Words for what layers of 1, 2 and 3 axes take, so that one text describes all of a family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WORDS = {
    1: {
        "images": "sequences",
        "image": "a sequence",
        "pixel": "step",
        "shape": "(batch, steps, channels)",
    },
    2: {
        "images": "images",
        "image": "an image",
        "pixel": "pixel",
        "shape": "(batch, rows, columns, channels)",
    },
    3: {
        "images": "volumes",
        "image": "a volume",
        "pixel": "pixel",
        "shape": "(batch, depth, rows, columns, channels)",
    },
}


def described(text: str, **words: str) -> Callable[[type], Any]:
    """A decorator that makes the docstring of a layer from that of its family.

    Args:
        text: With {name}, the name of the class, the words of `WORDS` for its rank, and others.
        words: Those others.
    """

    def describe(cls: type) -> Any:
        of_rank = WORDS[cls.rank]  # type: ignore[attr-defined]
        written = text.format(name=cls.__name__, **of_rank, **words)
        cls.__doc__ = written[0].upper() + written[1:]
        return cls

    return describe
