"""IMDB: 50,000 reviews of films as numbers of their words, each for (1) or against (0) the film.

Source: A. Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011; the files are
those that Keras hosts. A number tells how frequent a word is: 1 is the most frequent one.
"""

import os
from typing import Any

import numpy as np

from minikeras.datasets._files import FOLDER, DataFile, locate, read_arrays
from minikeras.datasets._word_numbers import Limits, lists_of, read_index, shifted, shuffled, within

__all__ = ["get_word_index", "load_data"]

FILE = DataFile(
    "imdb.npz",
    f"{FOLDER}imdb.npz",
    "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "IMDB",
)
INDEX = DataFile(
    "imdb_word_index.json",
    f"{FOLDER}imdb_word_index.json",
    "bfafd718b763782e994055a2d397834f",
    "IMDB word index",
)
ARRAYS = ("x_train", "y_train", "x_test", "y_test")

Pair = tuple[np.ndarray, np.ndarray]


def load_data(
    path: str | os.PathLike[str] = FILE.name,
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: Any = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Pair, Pair]:
    """The reviews and their labels, split into a training and a test part.

    Args:
        path: The name of the file in Keras's cache, to which it is downloaded when it is not there;
            or a file of yours, or a folder of yours that holds `imdb.npz`.
        num_words: Only numbers below this are kept (all but the largest one, if None).
        skip_top: Only numbers from this on are kept.
        maxlen: Reviews of so many numbers or more are left out, `start_char` counted.
        seed: Of the order of the reviews.
        start_char: Number in front of each review; None for none.
        oov_char: Number in place of those that are not kept; None leaves them out.
        index_from: Added to the numbers of words, so that smaller ones have other meanings.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of 25,000 lists of numbers, and of labels
        (int64, 0 or 1). `utils.pad_sequences` makes arrays of the lists.

    Raises OSError when the data are neither here nor to be had, saying where to put the file, and
    ValueError for a wrong argument, or a file that is not IMDB.

    >>> (x_train, y_train), _ = load_data(num_words=10000)  # doctest: +SKIP
    """
    limits = Limits(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    x_train, y_train, x_test, y_test = read_arrays(locate(path, FILE), ARRAYS, FILE)
    (x_train, y_train), (x_test, y_test) = shuffled(seed, (x_train, y_train), (x_test, y_test))
    train, y_train = shifted(x_train, y_train, limits)
    test, y_test = shifted(x_test, y_test, limits)
    texts = lists_of(within([*train, *test], limits))
    return (texts[: len(train)], y_train), (texts[len(train) :], y_test)


def get_word_index(path: str | os.PathLike[str] = INDEX.name) -> dict[str, int]:
    """Words and their numbers, before `index_from` is added.

    `path` is as that of `load_data`, of the file `imdb_word_index.json`.

    >>> word_of = {n + 3: word for word, n in get_word_index().items()}  # doctest: +SKIP
    """
    return read_index(locate(path, INDEX))
