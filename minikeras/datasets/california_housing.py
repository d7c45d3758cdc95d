"""California housing: 20,640 districts of 1990 with 8 attributes, and the median price of a house.

Source: R. Pace and R. Barry, "Sparse spatial autoregressions", Statistics and Probability Letters
33, 1997; the file is the one that Keras hosts. The attributes: median income, median age of houses,
average rooms and bedrooms, population, average household, latitude, longitude.
"""

import os
from typing import Any

from minikeras.core.validate import one_of
from minikeras.datasets._files import FOLDER, DataFile, locate
from minikeras.datasets._rows import Pair, split_rows
from minikeras.datasets._word_numbers import split_at

__all__ = ["load_data"]

FILE = DataFile(
    "california_housing.npz",
    f"{FOLDER}california_housing.npz",
    "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    "California housing",
)
ROWS = {"small": 600, "large": None}


def load_data(
    version: str = "large",
    path: str | os.PathLike[str] = FILE.name,
    test_split: float = 0.2,
    seed: Any = 113,
) -> tuple[Pair, Pair]:
    """The attributes and the prices, split into a training and a test part.

    `version` is "large", or "small" for the first 600 districts. `path` is the name of the file in
    Keras's cache, to which it is downloaded when it is not there; or a file of yours, or a folder
    of yours that holds `california_housing.npz`. `test_split` is the share of the test part, `seed`
    that of the order.

    Returns `(x_train, y_train), (x_test, y_test)`: attributes of shape (16512, 8) and (4128, 8);
    prices in dollars, of shape (16512,) and (4128,).

    Raises OSError when the data are neither here nor to be had, saying where to put the file, and
    ValueError for a wrong argument or another file.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    one_of(version, tuple(ROWS), "version", "load_data")
    split_at(0, test_split)
    return split_rows(locate(path, FILE), FILE, test_split, seed, ROWS[version])
