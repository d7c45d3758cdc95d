"""Fashion-MNIST: 70,000 grey pictures of clothes, 28x28 points, in ten classes.

Source: H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking
Machine Learning Algorithms", 2017, arXiv:1708.07747. Licence: MIT, held by Zalando SE.
"""

import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from minikeras.datasets._download import DownloadError, cache_path, get_file

__all__ = ["load_data"]

CACHE = str(Path("datasets", "fashion-mnist"))
FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
# labels and images of the training part, then of the test part: names and sha256 sums
FILES = {
    "train-labels-idx1-ubyte.gz": (
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
    ),
    "train-images-idx3-ubyte.gz": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
    ),
}
UNSIGNED_BYTES = 8  # the type code of the IDX format for them

Pair = tuple[np.ndarray, np.ndarray]


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Pair, Pair]:
    """The pictures and their labels, split into a training and a test part.

    `path` is a folder of yours that holds the four files of the data set (`train-images-...gz` and
    so on). Without it Keras's cache is read (`~/.keras/datasets/fashion-mnist`, or
    `datasets/fashion-mnist` in the folder that `KERAS_HOME` names), to which the files are
    downloaded when they are not there.

    Returns `(x_train, y_train), (x_test, y_test)`: images uint8 of shape (60000, 28, 28) and
    (10000, 28, 28), values 0 (background) to 255; labels uint8 of shape (60000,) and (10000,):
    0 T-shirt or top, 1 trousers, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag,
    9 ankle boot.

    Raises OSError when the data are neither here nor to be had, saying where to put them, and
    ValueError when a file is not of Fashion-MNIST.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    paths = _cached() if path is None else _given(Path(path).expanduser())
    return _part(*paths[:2]), _part(*paths[2:])


def _cached() -> list[Path]:
    try:
        return [get_file(name, FOLDER + name, FILES[name], CACHE) for name in FILES]
    except DownloadError as error:
        raise DownloadError(
            f"{error} Without a network: fetch {', '.join(FILES)} from {FOLDER} elsewhere and put "
            f"them into {cache_path('', CACHE)}, or anywhere and pass the path of their folder."
        ) from error


def _given(folder: Path) -> list[Path]:
    paths = [folder / name for name in FILES]
    absent = [path.name for path in paths if not path.is_file()]
    if absent:
        raise FileNotFoundError(
            f"Expected a folder that holds {', '.join(FILES)}. Received: {str(folder)!r}, which "
            f"lacks {', '.join(absent)}. Download them from {FOLDER} to that folder, or call "
            "load_data() to have them downloaded to Keras's cache."
        )
    return paths


def _part(labels: Path, images: Path) -> Pair:
    x, y = _read(images, 3), _read(labels, 1)
    if x.shape != (len(y), 28, 28):
        raise ValueError(
            f"Expected {images} and {labels} to hold images of shape (n, 28, 28) and n labels. "
            f"Received: {x.shape} and {y.shape}."
        )
    return x, y


def _read(path: Path, rank: int) -> np.ndarray:
    """The array in a compressed IDX file: two zero bytes, type, rank, big-endian sizes, values."""
    try:
        with gzip.open(path, "rb") as file:
            content = file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(
            f"Expected {path} to be a whole gzip file. Received: {error}. Download it anew."
        ) from error
    start = 4 + 4 * rank
    sizes = tuple(np.frombuffer(content[4:start], ">u4").tolist()) if len(content) >= start else ()
    if content[:4] != bytes([0, 0, UNSIGNED_BYTES, rank]) or len(content) != start + _count(sizes):
        raise ValueError(
            f"Expected {path} to hold unsigned bytes with {rank} axes in the IDX format. Received: "
            f"{len(content)} bytes that begin with {content[:4]!r}. Download it anew."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(sizes).copy()


def _count(sizes: tuple[int, ...]) -> int:
    count = 1
    for size in sizes:
        count *= size
    return count
