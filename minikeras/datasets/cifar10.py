"""CIFAR-10: 60,000 colour photographs of 32x32 points in ten classes.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; the file is
the Python version at https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import codecs
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minikeras.config import image_data_format
from minikeras.datasets._download import DownloadError, cache_path, get_file

__all__ = ["load_data"]

FOLDER = "cifar-10-batches-py"  # in the archive
CACHED = "cifar-10-batches-py-target"  # Keras's name: the folder; with "_archive" the archive
ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = ("test_batch",)
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
# all that the pickled batches are made of
PICKLED = {
    "encode": codecs.encode,
    "_reconstruct": np.zeros(0).__reduce__()[0],
    "ndarray": np.ndarray,
    "dtype": np.dtype,
}

Pair = tuple[np.ndarray, np.ndarray]


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Pair, Pair]:
    """The images and their labels, split into a training and a test part.

    `path` is a file or a folder of yours: the archive ``cifar-10-python.tar.gz``, a folder with its
    batches, or an ``.npz`` file of the arrays x_train, y_train, x_test and y_test (of any number of
    images). Without it Keras's cache is read (`~/.keras/datasets`, or `datasets` in the folder that
    `KERAS_HOME` names), to which the archive is downloaded when it is not there.

    Returns `(x_train, y_train), (x_test, y_test)`: images uint8 of shape (50000, 32, 32, 3) and
    (10000, 32, 32, 3), values 0 to 255, with the channels where `config.image_data_format()` says;
    labels uint8 of shape (50000, 1) and (10000, 1): 0 airplane, 1 automobile, 2 bird, 3 cat,
    4 deer, 5 dog, 6 frog, 7 horse, 8 ship, 9 truck.

    Raises OSError when the data are neither here nor to be had, saying where to put the file, and
    ValueError when what is there is not CIFAR-10.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    train, test = _read(_cached() if path is None else Path(path).expanduser())
    if image_data_format() == "channels_last":
        return train, test
    return (np.moveaxis(train[0], -1, 1), train[1]), (np.moveaxis(test[0], -1, 1), test[1])


def _cached() -> Path:
    """The folder or the archive in Keras's cache; downloaded if there is neither."""
    folder = cache_path(CACHED)
    if folder.is_dir():
        return folder
    try:
        return get_file(CACHED + "_archive", ORIGIN, file_hash=SHA256)
    except DownloadError as error:
        raise DownloadError(
            f"{error} Without a network: fetch {ORIGIN} elsewhere and put it at "
            f"{cache_path(CACHED + '_archive')}, or anywhere and pass its path."
        ) from error


def _read(path: Path) -> tuple[Pair, Pair]:
    if not path.exists():
        raise FileNotFoundError(
            f"Expected CIFAR-10: its archive, a folder of its batches, or an .npz file. Received: "
            f"{str(path)!r}, which does not exist. Download {ORIGIN} to that place, or call "
            "load_data() to have it downloaded to Keras's cache."
        )
    from tarfile import TarError
    from zipfile import BadZipFile

    faults = (KeyError, ValueError, EOFError, TypeError, AttributeError, OSError)
    try:
        return _checked(_arrays(path))
    except (*faults, TarError, BadZipFile, pickle.UnpicklingError) as error:
        raise ValueError(
            f"Expected {path} to hold CIFAR-10: the archive, a folder with {', '.join(TRAIN)} and "
            f"{TEST[0]}, or {', '.join(ARRAYS)} in NumPy's .npz format. Received: {error}."
        ) from error


def _arrays(path: Path) -> list[np.ndarray]:
    import tarfile

    if path.is_dir():
        inner = path / FOLDER
        folder = inner if inner.is_dir() else path
        return _batches(lambda name: (folder / name).open("rb"))
    if not tarfile.is_tarfile(path):
        with np.load(path, allow_pickle=False) as file:
            return [file[name] for name in ARRAYS]
    with tarfile.open(path) as archive:
        return _batches(lambda name: archive.extractfile(f"{FOLDER}/{name}"))


def _batches(opened: Callable[[str], Any]) -> list[np.ndarray]:
    arrays = []
    for names in (TRAIN, TEST):
        images, labels = [], []
        for name in names:
            with opened(name) as stream:
                batch = _Batch(stream, encoding="bytes").load()
            images.append(batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
            labels.extend(batch[b"labels"])
        arrays += [np.concatenate(images), np.array(labels, "uint8")]
    return arrays


class _Batch(pickle.Unpickler):
    """Reads arrays, numbers and text, and runs nothing else that a file may name."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] in ("numpy", "_codecs") and name in PICKLED:
            return PICKLED[name]
        raise ValueError(f"a pickle that asks for {module}.{name}, which no batch of CIFAR-10 does")


def _checked(arrays: list[np.ndarray]) -> tuple[Pair, Pair]:
    x_train, y_train, x_test, y_test = arrays
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if x.shape[1:] != (32, 32, 3) or len(y.ravel()) != len(x):
            raise ValueError(
                f"x_{part} of shape {x.shape} and y_{part} of shape {y.shape}, where "
                "(images, 32, 32, 3) and (images, 1) were expected"
            )
    return (x_train, y_train.reshape(-1, 1)), (x_test, y_test.reshape(-1, 1))
