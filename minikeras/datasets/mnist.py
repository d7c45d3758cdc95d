"""MNIST: 70,000 handwritten digits of 28x28 points, downloaded once or read from a file.

Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits"; the file is
the one that Keras hosts. Licence: Creative Commons Attribution-ShareAlike 3.0 (CC BY-SA 3.0).
"""

import os
from pathlib import Path

import numpy as np

from minikeras.datasets._download import DownloadError, cache_path, get_file, is_intact

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
    return _read(_locate(Path(path).expanduser()))


def _locate(path: Path) -> Path:
    """The file to read: cached, given, in the given folder, or downloaded now."""
    is_name = len(path.parts) == 1
    if is_name and is_intact(cache_path(path.name), SHA256):
        return cache_path(path.name)
    if path.is_dir():
        path = path / FILE_NAME
    if path.is_file():
        return path
    if is_name:
        return _download(path.name)
    raise FileNotFoundError(
        f"Expected the MNIST file, or a folder that holds {FILE_NAME}. Received: {str(path)!r}, "
        f"which does not exist. Download {ORIGIN} to that place, or call load_data() to have it "
        "downloaded to Keras's cache."
    )


def _download(name: str) -> Path:
    try:
        return get_file(name, ORIGIN, file_hash=SHA256)
    except DownloadError as error:
        cached = cache_path(name)
        advice = f"fetch {ORIGIN} elsewhere and put it at {cached}, or anywhere and pass its path"
        if cached.is_file():
            advice = (
                f"pass {str(cached)!r} to read the file there, though its sha256 sum is another"
            )
        raise DownloadError(f"{error} Without a network: {advice}.") from error


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
