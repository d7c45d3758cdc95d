"""cifar10.load_data reads the archive, the folder, an .npz file, and Keras's cache."""

import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras.datasets import cifar10

SIZES = {name: 2 for name in (*cifar10.TRAIN, *cifar10.TEST)}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cifar10, "ORIGIN", "file:///nowhere/cifar.tar.gz")
    return tmp_path / "home"


def batch(number: int) -> dict:
    """What one file holds: 2 images as rows of red, green and blue planes."""
    rows = np.arange(2 * 3072).reshape(2, 3072) % 251 + number % 5
    return {b"data": rows.astype("uint8"), b"labels": [number, 9 - number], b"filenames": [b"a"]}


def write_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for number, name in enumerate(SIZES):
        (folder / name).write_bytes(pickle.dumps(batch(number), protocol=2))
    return folder


def write_archive(path: Path) -> str:
    """A small archive in CIFAR-10's layout; its sum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for number, name in enumerate(SIZES):
            content = pickle.dumps(batch(number), protocol=2)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_is_small_copy(loaded: tuple) -> None:
    (x_train, y_train), (x_test, y_test) = loaded
    assert (x_train.shape, y_train.shape) == ((10, 32, 32, 3), (10, 1))
    assert (x_test.shape, y_test.shape) == ((2, 32, 32, 3), (2, 1))
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert y_train[:4, 0].tolist() == [0, 9, 1, 8]
    planes = batch(5)[b"data"][1].reshape(3, 32, 32)
    np.testing.assert_array_equal(x_test[1, :, :, 2], planes[2])


def test_the_archive_is_read_where_it_is(tmp_path: Path):
    write_archive(tmp_path / "mine.tar.gz")
    assert_is_small_copy(cifar10.load_data(tmp_path / "mine.tar.gz"))


@pytest.mark.parametrize("inner", ["", "cifar-10-batches-py"])
def test_a_folder_of_batches_will_do(tmp_path: Path, inner: str):
    write_folder(tmp_path / "cifar" / inner)
    assert_is_small_copy(cifar10.load_data(str(tmp_path / "cifar")))


def test_the_folder_in_the_cache_of_keras_is_found(home: Path):
    write_folder(home / "datasets" / "cifar-10-batches-py-target" / "cifar-10-batches-py")
    assert_is_small_copy(cifar10.load_data())


def test_the_archive_is_downloaded_to_the_cache_and_found_there_next_time(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
):
    source = tmp_path / "server" / "cifar.tar.gz"
    monkeypatch.setattr(cifar10, "SHA256", write_archive(source))
    monkeypatch.setattr(cifar10, "ORIGIN", source.as_uri())
    cifar10.load_data()
    source.unlink()
    assert [path.name for path in (home / "datasets").iterdir()] == [
        "cifar-10-batches-py-target_archive"
    ]
    assert_is_small_copy(cifar10.load_data())


def test_an_npz_file_may_hold_fewer_images(data_folder: Path):
    (x_train, y_train), (x_test, y_test) = cifar10.load_data(data_folder / "cifar10_subset.npz")
    assert x_train.shape[1:] == x_test.shape[1:] == (32, 32, 3)
    assert len(x_train) == len(y_train)
    assert set(y_test.ravel()) == set(range(10))


def test_channels_come_first_where_they_are_wanted(tmp_path: Path):
    folder = write_folder(tmp_path / "cifar")
    last = cifar10.load_data(folder)[1][0]
    keras.config.set_image_data_format("channels_first")
    try:
        first = cifar10.load_data(folder)[1][0]
    finally:
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(first, last.transpose(0, 3, 1, 2))


def test_without_a_network_the_error_says_where_to_put_the_file(home: Path):
    with pytest.raises(OSError, match="Without a network") as caught:
        cifar10.load_data()
    assert str(home / "datasets" / "cifar-10-batches-py-target_archive") in str(caught.value)


def test_a_path_that_does_not_exist_is_an_error_and_not_a_download(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="which does not exist"):
        cifar10.load_data(tmp_path / "no" / "such")


class Harmful:
    def __reduce__(self):
        return print, ("this was run",)


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path, capsys):
    folder = write_folder(tmp_path / "cifar")
    (folder / "test_batch").write_bytes(pickle.dumps({b"data": Harmful(), b"labels": []}, 2))
    with pytest.raises(ValueError, match="asks for .*print"):
        cifar10.load_data(folder)
    assert capsys.readouterr().out == ""


def test_another_file_is_refused_with_its_name_and_the_reason(tmp_path: Path):
    shapes = {"x_train": (2, 28, 28), "y_train": (2,), "x_test": (1, 28, 28), "y_test": (1,)}
    np.savez(tmp_path / "other.npz", **{name: np.zeros(shape) for name, shape in shapes.items()})
    with pytest.raises(ValueError, match=r"x_train of shape \(2, 28, 28\)"):
        cifar10.load_data(tmp_path / "other.npz")
    np.savez(tmp_path / "less.npz", x_train=np.zeros(2))
    with pytest.raises(ValueError, match=r"less\.npz to hold CIFAR-10.*y_train"):
        cifar10.load_data(tmp_path / "less.npz")
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(ValueError, match="text to hold CIFAR-10"):
        cifar10.load_data(tmp_path / "text")
    with pytest.raises(ValueError, match="data_batch_1"):
        cifar10.load_data(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_archive_is_refused(tmp_path: Path, share: float):
    path = tmp_path / "cifar.tar.gz"
    write_archive(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match="to hold CIFAR-10"):
        cifar10.load_data(path)
