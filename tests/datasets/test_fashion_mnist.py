"""fashion_mnist.load_data reads the four IDX files of a folder or of Keras's cache."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from minikeras.datasets import fashion_mnist

SIZES = {"train": 5, "t10k": 3}


def labels(part: str) -> np.ndarray:
    return np.arange(SIZES[part], dtype="uint8") + (2 if part == "t10k" else 0)


def images(part: str) -> np.ndarray:
    values = np.arange(SIZES[part] * 784) % (251 if part == "train" else 241)
    return values.astype("uint8").reshape(-1, 28, 28)


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return head + array.tobytes()


def write(folder: Path) -> dict[str, str]:
    """Small files in the layout of Fashion-MNIST; their sums."""
    folder.mkdir(parents=True)
    for part in SIZES:
        with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(idx(labels(part)))
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz", "wb") as file:
            file.write(idx(images(part)))
    names = fashion_mnist.FILES
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def assert_is_small_copy(loaded: tuple) -> None:
    for part, (x, y) in zip(SIZES, loaded, strict=True):
        assert x.dtype == y.dtype == np.uint8
        np.testing.assert_array_equal(x, images(part))
        np.testing.assert_array_equal(y, labels(part))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(fashion_mnist, "FOLDER", "file:///nowhere/")
    return tmp_path / "home"


def test_a_folder_of_the_four_files_is_read_where_it_is(tmp_path: Path):
    write(tmp_path / "mine")
    assert_is_small_copy(fashion_mnist.load_data(tmp_path / "mine"))
    assert_is_small_copy(fashion_mnist.load_data(str(tmp_path / "mine")))


def test_the_files_are_downloaded_to_the_cache_of_keras_once(tmp_path, home, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "FILES", write(tmp_path / "server"))
    monkeypatch.setattr(fashion_mnist, "FOLDER", (tmp_path / "server").as_uri() + "/")
    assert_is_small_copy(fashion_mnist.load_data())
    monkeypatch.setattr(fashion_mnist, "FOLDER", "file:///gone/")
    assert_is_small_copy(fashion_mnist.load_data())
    cached = home / "datasets" / "fashion-mnist"
    assert sorted(path.name for path in cached.iterdir()) == sorted(fashion_mnist.FILES)


def test_a_damaged_cached_file_is_not_read(tmp_path, home, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "FILES", write(home / "datasets" / "fashion-mnist"))
    assert_is_small_copy(fashion_mnist.load_data())
    (home / "datasets" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"half")
    with pytest.raises(OSError, match="Without a network") as caught:
        fashion_mnist.load_data()
    assert str(home / "datasets" / "fashion-mnist") in str(caught.value)


def test_a_folder_that_lacks_a_file_is_an_error_and_not_a_download(tmp_path: Path):
    write(tmp_path / "mine")
    (tmp_path / "mine" / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match="lacks t10k-images-idx3-ubyte.gz"):
        fashion_mnist.load_data(tmp_path / "mine")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(idx(np.zeros(4, "uint8"))), r"\(5, 28, 28\) and \(4,\)"),
        (gzip.compress(idx(np.zeros((5, 1), "uint8"))), "with 1 axes"),
        (gzip.compress(idx(np.zeros(5, "uint8"), kind=9)), "unsigned bytes"),
        (gzip.compress(idx(np.zeros(5, "uint8"))[:-1]), "unsigned bytes"),
        (gzip.compress(b"\0\0\x08\x01"), "unsigned bytes"),
        (gzip.compress(idx(np.zeros(5, "uint8")))[:-6], "whole gzip file"),
        (b"no archive", "whole gzip file"),
    ],
)
def test_another_file_is_refused_with_its_name(tmp_path: Path, content: bytes, reason: str):
    write(tmp_path / "mine")
    (tmp_path / "mine" / "train-labels-idx1-ubyte.gz").write_bytes(content)
    with pytest.raises(ValueError, match=reason) as caught:
        fashion_mnist.load_data(tmp_path / "mine")
    assert "train-labels-idx1-ubyte.gz" in str(caught.value)
