"""Texts that are kept as numbers of words: how Keras's arguments change them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from minikeras.core.validate import fraction, integer, non_negative_int, positive_int

__all__ = ["Limits", "lists_of", "read_index", "shifted", "shuffled", "split_at", "within"]


def shuffled(seed: Any, *parts: tuple[np.ndarray, ...]) -> list[list[np.ndarray]]:
    """The arrays of each part in one random order: Keras's orders for this seed."""
    generator, result = np.random.RandomState(seed), []
    for arrays in parts:
        order = np.arange(len(arrays[0]))
        generator.shuffle(order)
        result.append([array[order] for array in arrays])
    return result


class Limits:
    """The arguments that `imdb.load_data` and `reuters.load_data` share, checked."""

    def __init__(
        self,
        num_words: Any,
        skip_top: Any,
        maxlen: Any,
        start_char: Any,
        oov_char: Any,
        index_from: Any,
    ):
        self.num_words = None if not num_words else positive_int(num_words, "num_words")
        self.skip_top = non_negative_int(skip_top, "skip_top")
        self.maxlen = None if not maxlen else positive_int(maxlen, "maxlen")
        self.start_char = None if start_char is None else integer(start_char, "start_char")
        self.oov_char = None if oov_char is None else integer(oov_char, "oov_char")
        self.index_from = 0 if index_from is None else integer(index_from, "index_from")


def shifted(texts: np.ndarray, labels: np.ndarray, limits: Limits) -> tuple[list, np.ndarray]:
    """Texts as arrays, their numbers from `index_from` on, the sign for the start in front; those
    of `maxlen` numbers or more are left out, and their labels."""
    start = [] if limits.start_char is None else [limits.start_char]
    found = [
        np.concatenate([np.array(start, np.int64), np.asarray(text, np.int64) + limits.index_from])
        for text in texts
    ]
    if limits.maxlen is None:
        return found, labels
    short = np.array([len(text) < limits.maxlen for text in found], bool)
    if not short.any():
        raise ValueError(
            f"No text has fewer than maxlen={limits.maxlen} words, the sign for the start "
            "included. Raise `maxlen`."
        )
    return [text for text, keep in zip(found, short, strict=True) if keep], labels[short]


def within(texts: list[np.ndarray], limits: Limits) -> list[np.ndarray]:
    """Texts in which the words that are too frequent or too rare are replaced, or left out."""
    most = limits.num_words or max(int(text.max(initial=0)) for text in texts)
    kept = [(text >= limits.skip_top) & (text < most) for text in texts]
    if limits.oov_char is None:
        return [text[keep] for text, keep in zip(texts, kept, strict=True)]
    return [np.where(keep, text, limits.oov_char) for text, keep in zip(texts, kept, strict=True)]


def lists_of(texts: list[np.ndarray]) -> np.ndarray:
    """An array of lists of numbers."""
    result = np.empty(len(texts), object)
    result[:] = [text.tolist() for text in texts]
    return result


def split_at(count: int, test_split: Any) -> int:
    """How many of the samples are for training."""
    return int(count * (1 - fraction(test_split, "test_split", "load_data")))


def read_index(path: Path) -> dict[str, int]:
    """A file of words and their numbers.

    Raises ValueError when it is no such file.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"Expected {path} to hold words and their numbers: {error}.") from error
    if not isinstance(found, dict):
        raise ValueError(
            f"Expected {path} to hold words and their numbers. Received: {type(found).__name__}."
        )
    return found
