"""The files of CIFAR-10 and CIFAR-100: an archive of pickled batches, or a folder of them."""

import codecs
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minikeras.config import image_data_format
from minikeras.datasets._download import DownloadError, cache_path, get_file

__all__ = ["ARRAYS", "Source", "load"]

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
# all that the pickled batches are made of
PICKLED = {
    "encode": codecs.encode,
    "_reconstruct": np.zeros(0).__reduce__()[0],
    "ndarray": np.ndarray,
    "dtype": np.dtype,
}

Pair = tuple[np.ndarray, np.ndarray]


class Source(NamedTuple):
    """One of the two data sets: where its archive is and what its batches are called."""

    title: str
    folder: str  # in the archive
    cached: str  # Keras's name of the folder in the cache; with "_archive" of the archive
    origin: str
    file_hash: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    labels: str  # their name in a batch
    npz: bool  # whether an .npz file will do

    @property
    def kinds(self) -> str:
        """What a path may name, in words."""
        npz = ", or an .npz file" if self.npz else ""
        return f"its archive{', ' if npz else ' or '}a folder of its batches{npz}"

    @property
    def contents(self) -> str:
        """What is expected there, in words."""
        batches = f"the archive{', ' if self.npz else ' or '}a folder with "
        batches += f"{', '.join(self.train)} and {', '.join(self.test)}"
        return batches + (f", or {', '.join(ARRAYS)} in NumPy's .npz format" if self.npz else "")


def load(path: Any, source: Source) -> tuple[Pair, Pair]:
    """The training and the test part, with the channels where the settings say.

    Raises OSError when the data are neither here nor to be had, ValueError when what is there is
    something else.
    """
    train, test = _read(_cached(source) if path is None else Path(path).expanduser(), source)
    if image_data_format() == "channels_last":
        return train, test
    return (np.moveaxis(train[0], -1, 1), train[1]), (np.moveaxis(test[0], -1, 1), test[1])


def _cached(source: Source) -> Path:
    """The folder or the archive in Keras's cache; downloaded if there is neither."""
    folder = cache_path(source.cached)
    if folder.is_dir():
        return folder
    archive = source.cached + "_archive"
    try:
        return get_file(archive, source.origin, file_hash=source.file_hash)
    except DownloadError as error:
        raise DownloadError(
            f"{error} Without a network: fetch {source.origin} elsewhere and put it at "
            f"{cache_path(archive)}, or anywhere and pass its path."
        ) from error


def _read(path: Path, source: Source) -> tuple[Pair, Pair]:
    if not path.exists():
        raise FileNotFoundError(
            f"Expected {source.title}: {source.kinds}. Received: {str(path)!r}, which does not "
            f"exist. Download {source.origin} to that place, or call load_data() to have it "
            "downloaded to Keras's cache."
        )
    from tarfile import TarError
    from zipfile import BadZipFile

    faults = (KeyError, ValueError, EOFError, TypeError, AttributeError, OSError)
    try:
        return _checked(_arrays(path, source))
    except (*faults, TarError, BadZipFile, pickle.UnpicklingError) as error:
        raise ValueError(
            f"Expected {path} to hold {source.title}: {source.contents}. Received: {error}."
        ) from error


def _arrays(path: Path, source: Source) -> list[np.ndarray]:
    import tarfile

    if path.is_dir():
        inner = path / source.folder
        folder = inner if inner.is_dir() else path
        return _batches(lambda name: (folder / name).open("rb"), source)
    if source.npz and not tarfile.is_tarfile(path):
        with np.load(path, allow_pickle=False) as file:
            return [file[name] for name in ARRAYS]
    with tarfile.open(path) as archive:
        return _batches(lambda name: archive.extractfile(f"{source.folder}/{name}"), source)


def _batches(opened: Callable[[str], Any], source: Source) -> list[np.ndarray]:
    arrays = []
    for names in (source.train, source.test):
        images, labels = [], []
        for name in names:
            with opened(name) as stream:
                batch = _Batch(stream, source.title).load()
            images.append(batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
            labels.extend(batch[source.labels.encode()])
        arrays += [np.concatenate(images), np.array(labels, "uint8")]
    return arrays


class _Batch(pickle.Unpickler):
    """Reads arrays, numbers and text, and runs nothing else that a file may name."""

    def __init__(self, stream: Any, title: str):
        super().__init__(stream, encoding="bytes")
        self._title = title

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] in ("numpy", "_codecs") and name in PICKLED:
            return PICKLED[name]
        raise ValueError(
            f"a pickle that asks for {module}.{name}, which no batch of {self._title} does"
        )


def _checked(arrays: list[np.ndarray]) -> tuple[Pair, Pair]:
    x_train, y_train, x_test, y_test = arrays
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if x.shape[1:] != (32, 32, 3) or len(y.ravel()) != len(x):
            raise ValueError(
                f"x_{part} of shape {x.shape} and y_{part} of shape {y.shape}, where "
                "(images, 32, 32, 3) and (images, 1) were expected"
            )
    return (x_train, y_train.reshape(-1, 1)), (x_test, y_test.reshape(-1, 1))
