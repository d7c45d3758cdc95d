"""MNIST: 70,000 handwritten digits of 28x28 points, downloaded once or read from a file.

Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits"; the file is
the one that Keras hosts. Licence: Creative Commons Attribution-ShareAlike 3.0 (CC BY-SA 3.0).
"""

import os
from pathlib import Path

import numpy as np

from minikeras.datasets._files import DataFile, locate

__all__ = ["load_data"]

FILE_NAME = "mnist.npz"
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
ARRAYS = ("x_train", "y_train", "x_test", "y_test")

Pair = tuple[np.ndarray, np.ndarray]


def load_data(path: str | os.PathLike[str] = FILE_NAME) -> tuple[Pair, Pair]:
    """The images and their labels, split into a training and a test part.

    `path` is the name of the file in Keras's cache (`~/.keras/datasets`, or `datasets` in the
    folder that `KERAS_HOME` names), to which the data are downloaded when it is not there; or a
    file of yours; or a folder of yours that holds `mnist.npz`.

    Returns `(x_train, y_train), (x_test, y_test)`: images uint8 of shape (60000, 28, 28) and
    (10000, 28, 28), values 0 (background) to 255; labels uint8 of shape (60000,) and (10000,).

    Raises OSError when the data are neither here nor to be had, saying where to put the file, and
    ValueError when a file of yours is not MNIST in Keras's layout.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    return _read(locate(path, DataFile(FILE_NAME, ORIGIN, SHA256, "MNIST")))


def _read(path: Path) -> tuple[Pair, Pair]:
    from zipfile import BadZipFile

    expected = f"Expected {path} to hold MNIST as {', '.join(ARRAYS)} in NumPy's .npz format."
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ARRAYS}
    except (KeyError, ValueError, EOFError, BadZipFile, TypeError, AttributeError) as error:
        raise ValueError(f"{expected} Received: {error}. Download {ORIGIN} anew.") from error
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.shape[1:] != (28, 28) or y.shape != x.shape[:1]:
            raise ValueError(
                f"{expected} Received: x_{part} of shape {x.shape} and y_{part} of shape "
                f"{y.shape}, where (images, 28, 28) and (images,) were expected."
            )
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
