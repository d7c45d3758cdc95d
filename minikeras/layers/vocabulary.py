"""Tokens and their numbers: in memory, in text files, and counted in data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["TokenCounts", "Vocabulary", "are_lines", "read_tokens", "write_tokens"]

FILE = "vocabulary.txt"  # among the assets of a layer


class Vocabulary:
    """Tokens, all of text or all whole numbers, each with its place.

    >>> Vocabulary(["to", "be"]).places(np.array(["be", "or"], object))
    array([ 1, -1])
    """

    def __init__(self, tokens: Sequence[Any] = ()):
        self.tokens = list(tokens)
        self._places = {token: place for place, token in enumerate(self.tokens)}
        self._array: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    def places(self, values: np.ndarray) -> np.ndarray:
        """The place of each value, -1 for one that is not a token; int64, shaped as `values`."""
        find = self._places.get
        flat = [find(value, -1) for value in values.reshape(-1).tolist()]
        return np.array(flat, np.int64).reshape(values.shape)

    def at(self, places: np.ndarray, otherwise: Any, dtype: Any) -> np.ndarray:
        """The token at each place, and `otherwise` where there is none."""
        known = np.empty(len(self.tokens) + 1, dtype)
        known[:-1], known[-1] = self.tokens, otherwise
        inside = (places >= 0) & (places < len(self.tokens))
        return known[np.where(inside, places, -1)]


class TokenCounts:
    """How often each token occurs, and in how many documents."""

    def __init__(self) -> None:
        self.tokens: Counter = Counter()
        self.documents: Counter = Counter()
        self.num_documents = 0

    def add(self, documents: Iterable[Sequence[Any]], by_document: bool) -> None:
        """Count the tokens of documents; `by_document` also in how many each occurs."""
        for document in documents:
            self.tokens.update(document)
            if by_document:
                self.documents.update(set(document))
                self.num_documents += 1

    def drop(self, token: Any) -> None:
        self.tokens.pop(token, None)

    def most_frequent(self, count: int | None) -> list[Any]:
        """Tokens, the most frequent first; of those that occur as often, the last by name first."""
        order = sorted(self.tokens.items(), key=lambda pair: (pair[1], pair[0]), reverse=True)
        return [token for token, _ in order[:count]]

    def inverse_document_frequencies(self, tokens: Sequence[Any]) -> np.ndarray:
        """``log(1 + documents / (1 + documents with the token))`` of each token, float64."""
        found = np.array([self.documents[token] for token in tokens], np.float64)
        return np.log(1 + self.num_documents / (1 + found))


def are_lines(tokens: Sequence[Any]) -> bool:
    """Whether tokens can be the lines of a text file, for all who read it."""
    lines = [str(token) for token in tokens]
    whole = all(line == "" or line.splitlines() == [line] for line in lines)
    return whole and (not lines or lines[-1] != "")


def read_tokens(path: str | Path, whole_numbers: bool, count: int | None = None) -> list[Any]:
    """The lines of a text file, as tokens; `count` of them, or all but empty ones at the end.

    Raises ValueError naming the file when it is missing or is no such file.
    """
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            lines = file.read().split("\n")
    except FileNotFoundError as error:
        raise ValueError(
            f"The vocabulary file {str(path)!r} does not exist. Check the name, or pass the "
            "tokens as a list."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"The vocabulary file {str(path)!r} is no UTF-8 text: {error}.") from error
    lines = [line.removesuffix("\r") for line in lines]
    while lines and lines[-1] == "" and len(lines) != count:
        lines.pop()
    if not whole_numbers:
        return lines
    try:
        return [int(line) for line in lines]
    except ValueError as error:
        raise ValueError(
            f"The vocabulary file {str(path)!r} must hold whole numbers, one a line: {error}."
        ) from error


def write_tokens(folder: str | Path, tokens: Sequence[Any]) -> None:
    """Write tokens as the lines of the text file that layers keep in archives."""
    with open(Path(folder, FILE), "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(str(token) for token in tokens))
