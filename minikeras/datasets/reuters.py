"""Reuters: 11,228 newswires of 1987 as numbers of their words, on 46 topics.

Source: D. Lewis, "Reuters-21578 Text Categorization Collection", 1997; the files are those that
Keras hosts. A number tells how frequent a word is: 1 is the most frequent one.
"""

import os
from typing import Any

import numpy as np

from minikeras.datasets._files import FOLDER, DataFile, locate, read_arrays
from minikeras.datasets._word_numbers import (
    Limits,
    lists_of,
    read_index,
    shifted,
    shuffled,
    split_at,
    within,
)

__all__ = ["get_label_names", "get_word_index", "load_data"]

FILE = DataFile(
    "reuters.npz",
    f"{FOLDER}reuters.npz",
    "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    "Reuters",
)
INDEX = DataFile(
    "reuters_word_index.json",
    f"{FOLDER}reuters_word_index.json",
    "4d44cc38712099c9e383dc6e5f11a921",
    "Reuters word index",
)
TOPICS = (
    *("cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply"),
    *("coffee", "sugar", "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas"),
    *("cpi", "money-fx", "interest", "gnp", "meal-feed", "alum", "oilseed", "gold", "tin"),
    *("strategic-metal", "livestock", "retail", "ipi", "iron-steel", "rubber", "heat", "jobs"),
    *("lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead"),
)

Pair = tuple[np.ndarray, np.ndarray]


def load_data(
    path: str | os.PathLike[str] = FILE.name,
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: Any = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Pair, Pair]:
    """The newswires and their topics, split into a training and a test part.

    Args:
        path: The name of the file in Keras's cache, to which it is downloaded when it is not there;
            or a file of yours, or a folder of yours that holds `reuters.npz`.
        num_words: Only numbers below this are kept (all but the largest one, if None).
        skip_top: Only numbers from this on are kept.
        maxlen: Newswires of so many numbers or more are left out, `start_char` counted.
        test_split: The share of the test part.
        seed: Of the order of the newswires, and so of the parts.
        start_char: Number in front of each newswire; None for none.
        oov_char: Number in place of those that are not kept; None leaves them out.
        index_from: Added to the numbers of words, so that smaller ones have other meanings.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of numbers, and of topics (int64, 0
        to 45; see `get_label_names`). `utils.pad_sequences` makes arrays of the lists.

    Raises OSError when the data are neither here nor to be had, saying where to put the file, and
    ValueError for a wrong argument, or a file that is not Reuters.

    >>> (x_train, y_train), _ = load_data(num_words=10000)  # doctest: +SKIP
    """
    limits = Limits(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    split_at(0, test_split)
    x, y = read_arrays(locate(path, FILE), ("x", "y"), FILE)
    ((x, y),) = shuffled(seed, (x, y))
    texts, y = shifted(x, y, limits)
    x = lists_of(within(texts, limits))
    end = split_at(len(x), test_split)
    return (x[:end], y[:end]), (x[end:], y[end:])


def get_word_index(path: str | os.PathLike[str] = INDEX.name) -> dict[str, int]:
    """Words and their numbers, before `index_from` is added.

    `path` is as that of `load_data`, of the file `reuters_word_index.json`.

    >>> word_of = {n + 3: word for word, n in get_word_index().items()}  # doctest: +SKIP
    """
    return read_index(locate(path, INDEX))


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of their numbers.

    >>> len(get_label_names()), get_label_names()[3]
    (46, 'earn')
    """
    return TOPICS
