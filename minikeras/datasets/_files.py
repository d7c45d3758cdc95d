"""Where the file of a data set is, and the arrays in it: cached, given, or downloaded now."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from minikeras.datasets._download import DownloadError, cache_path, get_file, is_intact

__all__ = ["DataFile", "locate", "read_arrays"]

FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
# all that pickled arrays of lists are made of
PICKLED = {
    "_reconstruct": np.zeros(0).__reduce__()[0],
    "ndarray": np.ndarray,
    "dtype": np.dtype,
}


class DataFile(NamedTuple):
    """A file that Keras hosts: its name, address, checksum, and what it holds."""

    name: str
    origin: str
    file_hash: str
    title: str


def locate(path: Any, file: DataFile) -> Path:
    """The file to read.

    Args:
        path: The name of the file in Keras's cache, to which it is downloaded when it is not there;
            or a file of the user's, or a folder of the user's that holds it.

    Raises OSError when it is neither here nor to be had, saying where to put it.
    """
    path = Path(path).expanduser()
    is_name = len(path.parts) == 1
    if is_name and is_intact(cache_path(path.name), file.file_hash):
        return cache_path(path.name)
    if path.is_dir():
        path = path / file.name
    if path.is_file():
        return path
    if is_name:
        return _downloaded(path.name, file)
    raise FileNotFoundError(
        f"Expected the {file.title} file, or a folder that holds {file.name}. Received: "
        f"{str(path)!r}, which does not exist. Download {file.origin} to that place, or leave out "
        "the path to have it downloaded to Keras's cache."
    )


def _downloaded(name: str, file: DataFile) -> Path:
    try:
        return get_file(name, file.origin, file_hash=file.file_hash)
    except DownloadError as error:
        cached = cache_path(name)
        advice = (
            f"fetch {file.origin} elsewhere and put it at {cached}, or anywhere and pass its path"
        )
        if cached.is_file():
            advice = f"pass {str(cached)!r} to read the file there, though its checksum is another"
        raise DownloadError(f"{error} Without a network: {advice}.") from error


def read_arrays(path: Path, names: Sequence[str], file: DataFile) -> list[np.ndarray]:
    """The named arrays of an `.npz` file; arrays of lists may be among them.

    Nothing that is pickled there can do more than make arrays and lists.

    Raises ValueError when the file does not hold them.
    """
    from zipfile import BadZipFile, ZipFile

    faults = (KeyError, ValueError, EOFError, TypeError, AttributeError, IndexError)
    try:
        with ZipFile(path) as archive:
            arrays = []
            for name in names:
                with archive.open(f"{name}.npy") as member:
                    arrays.append(_read_array(member))
            return arrays
    except (*faults, BadZipFile, pickle.UnpicklingError) as error:
        raise ValueError(
            f"Expected {path} to hold {file.title} as {', '.join(names)} in NumPy's .npz format. "
            f"Received: {error}. Download {file.origin} anew."
        ) from error


def _read_array(member: Any) -> np.ndarray:
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version[0] == 1 else None
    shape, _, dtype = (read or np.lib.format.read_array_header_2_0)(member)
    if dtype.hasobject:
        array = _Unpickler(member, encoding="latin1").load()
        if not isinstance(array, np.ndarray) or array.shape != shape:
            raise ValueError(f"no array of shape {shape}")
        return array
    member.seek(0)
    return np.lib.format.read_array(member, allow_pickle=False)


class _Unpickler(pickle.Unpickler):
    """Makes arrays and lists, and refuses everything else."""

    def __init__(self, file: BinaryIO, encoding: str):
        super().__init__(file, encoding=encoding)

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "numpy" and name in PICKLED:
            return PICKLED[name]
        raise pickle.UnpicklingError(f"{module}.{name}, which is no part of an array of lists")
