"""cifar100.load_data reads the archive, the folder, and Keras's cache, with either labels."""

import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras.datasets import cifar100

LABELS = {
    "fine": {"train": [19, 99, 0], "test": [49, 33]},
    "coarse": {"train": [11, 15, 4], "test": [10, 0]},
}


def rows(part: str) -> np.ndarray:
    count = len(LABELS["fine"][part])
    values = np.arange(count * 3072) % (251 if part == "train" else 241)
    return values.astype("uint8").reshape(count, 3072)


def batch(part: str) -> bytes:
    content = {b"data": rows(part), b"filenames": [b"a"]}
    content |= {f"{mode}_labels".encode(): LABELS[mode][part] for mode in LABELS}
    return pickle.dumps(content, protocol=2)


def write_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for part in ("train", "test"):
        (folder / part).write_bytes(batch(part))
    return folder


def write_archive(path: Path) -> str:
    """A small archive in CIFAR-100's layout; its sum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for part in ("train", "test"):
            member = tarfile.TarInfo(f"cifar-100-python/{part}")
            member.size = len(batch(part))
            archive.addfile(member, io.BytesIO(batch(part)))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_is_small_copy(loaded: tuple, mode: str) -> None:
    for part, (x, y) in zip(("train", "test"), loaded, strict=True):
        assert x.dtype == y.dtype == np.uint8
        expected = rows(part).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(x, expected)
        assert y.tolist() == [[label] for label in LABELS[mode][part]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cifar100, "ORIGIN", "file:///nowhere/cifar.tar.gz")
    return tmp_path / "home"


@pytest.mark.parametrize("mode", LABELS)
def test_labels_are_those_of_the_classes_or_of_their_groups(tmp_path: Path, mode: str):
    write_archive(tmp_path / "mine.tar.gz")
    assert_is_small_copy(cifar100.load_data(mode, tmp_path / "mine.tar.gz"), mode)
    write_folder(tmp_path / "folder")
    assert_is_small_copy(cifar100.load_data(label_mode=mode, path=tmp_path / "folder"), mode)


def test_the_classes_are_the_default():
    with pytest.raises(ValueError, match="`label_mode` must be one of 'fine', 'coarse'"):
        cifar100.load_data("gross")
    assert cifar100.load_data.__defaults__ == ("fine", None)


def test_the_folder_in_the_cache_of_keras_is_found(home: Path):
    write_folder(home / "datasets" / "cifar-100-python-target" / "cifar-100-python")
    assert_is_small_copy(cifar100.load_data(), "fine")


def test_the_archive_is_downloaded_to_the_cache_once(tmp_path, home, monkeypatch):
    source = tmp_path / "server" / "cifar.tar.gz"
    monkeypatch.setattr(cifar100, "SHA256", write_archive(source))
    monkeypatch.setattr(cifar100, "ORIGIN", source.as_uri())
    cifar100.load_data()
    source.unlink()
    assert_is_small_copy(cifar100.load_data("coarse"), "coarse")
    cached = [path.name for path in (home / "datasets").iterdir()]
    assert cached == ["cifar-100-python-target_archive"]


def test_channels_come_first_where_they_are_wanted(tmp_path: Path):
    folder = write_folder(tmp_path / "cifar")
    keras.config.set_image_data_format("channels_first")
    try:
        first = cifar100.load_data(path=folder)[1][0]
    finally:
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(first, rows("test").reshape(-1, 3, 32, 32))


def test_without_a_network_the_error_says_where_to_put_the_file(home: Path):
    with pytest.raises(OSError, match="Without a network") as caught:
        cifar100.load_data()
    assert str(home / "datasets" / "cifar-100-python-target_archive") in str(caught.value)


def test_another_file_is_refused_with_its_name(tmp_path: Path):
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(ValueError, match="text to hold CIFAR-100: the archive or a folder"):
        cifar100.load_data(path=tmp_path / "text")
    np.savez(tmp_path / "x.npz", x_train=np.zeros(2))
    with pytest.raises(ValueError, match="x.npz to hold CIFAR-100"):
        cifar100.load_data(path=tmp_path / "x.npz")
    with pytest.raises(FileNotFoundError, match="its archive or a folder of its batches"):
        cifar100.load_data(path=tmp_path / "no")
