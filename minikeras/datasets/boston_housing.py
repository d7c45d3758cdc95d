"""Boston housing: 506 districts of 1978 with 13 attributes, and the median price of a house.

Source: D. Harrison and D. Rubinfeld, "Hedonic housing prices and the demand for clean air", Journal
of Environmental Economics and Management 5, 1978; the file is the one that Keras hosts. One of the
attributes, B, is made of the share of Black inhabitants and assumes that segregation influences
prices: use `california_housing` unless that is what you look into.
"""

import os
from typing import Any

from minikeras.datasets._files import FOLDER, DataFile, locate
from minikeras.datasets._rows import Pair, split_rows
from minikeras.datasets._word_numbers import split_at

__all__ = ["load_data"]

FILE = DataFile(
    "boston_housing.npz",
    f"{FOLDER}boston_housing.npz",
    "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    "Boston housing",
)


def load_data(
    path: str | os.PathLike[str] = FILE.name, test_split: float = 0.2, seed: Any = 113
) -> tuple[Pair, Pair]:
    """The attributes and the prices, split into a training and a test part.

    `path` is the name of the file in Keras's cache, to which it is downloaded when it is not there;
    or a file of yours, or a folder of yours that holds `boston_housing.npz`. `test_split` is the
    share of the test part, `seed` that of the order.

    Returns `(x_train, y_train), (x_test, y_test)`: attributes float64 of shape (404, 13) and
    (102, 13); prices in thousands of dollars, float64 of shape (404,) and (102,).

    Raises OSError when the data are neither here nor to be had, saying where to put the file, and
    ValueError for a wrong argument or another file.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    split_at(0, test_split)
    return split_rows(locate(path, FILE), FILE, test_split, seed)
