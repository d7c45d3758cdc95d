"""mnist.load_data finds the file in the cache, in a folder, at a path, or on the network."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from minikeras.datasets import mnist


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, no network, and an empty current folder."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(_made(tmp_path / "current"))
    monkeypatch.setattr(mnist, "ORIGIN", "file:///nowhere/mnist.npz")
    return tmp_path / "home"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _write(path: Path, **changes) -> str:
    """A small file in MNIST's layout; its sum."""
    arrays = {
        "x_train": np.arange(3 * 784, dtype="uint8").reshape(3, 28, 28),
        "y_train": np.arange(3, dtype="uint8"),
        "x_test": np.ones((2, 28, 28), "uint8"),
        "y_test": np.ones(2, "uint8"),
    } | changes
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_real_file_has_60000_and_10000_images(data_folder: Path):
    (x_train, y_train), (x_test, y_test) = mnist.load_data(data_folder)
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert y_test[:5].tolist() == [7, 2, 1, 0, 4]
    assert x_train.dtype == y_test.dtype == np.uint8


@pytest.mark.parametrize("as_text", [True, False])
def test_a_file_of_the_users_is_read_where_it_is(tmp_path: Path, as_text: bool):
    path = tmp_path / "mine.npz"
    _write(path)
    (x_train, y_train), (x_test, _) = mnist.load_data(str(path) if as_text else path)
    assert x_train.shape == (3, 28, 28)
    assert y_train.tolist() == [0, 1, 2]
    assert x_test.shape == (2, 28, 28)


def test_a_folder_that_holds_the_file_will_do(tmp_path: Path):
    _write(tmp_path / "data" / "mnist.npz")
    assert mnist.load_data(tmp_path / "data")[1][1].shape == (2,)


def test_a_name_is_downloaded_to_the_cache_and_found_there_next_time(tmp_path, home, monkeypatch):
    source = tmp_path / "server" / "mnist.npz"
    monkeypatch.setattr(mnist, "SHA256", _write(source))
    monkeypatch.setattr(mnist, "ORIGIN", source.as_uri())
    mnist.load_data()
    assert [path.name for path in (home / "datasets").iterdir()] == ["mnist.npz"]
    source.unlink()
    assert mnist.load_data()[0][0].shape == (3, 28, 28)


def test_a_damaged_cached_file_is_downloaded_anew(tmp_path, home, monkeypatch):
    source = tmp_path / "server" / "mnist.npz"
    monkeypatch.setattr(mnist, "SHA256", _write(source))
    monkeypatch.setattr(mnist, "ORIGIN", source.as_uri())
    _made(home / "datasets").joinpath("mnist.npz").write_bytes(b"half")
    assert mnist.load_data()[0][0].shape == (3, 28, 28)


def test_without_a_network_the_error_says_where_to_put_the_file(home: Path):
    with pytest.raises(OSError, match="Without a network") as caught:
        mnist.load_data()
    assert str(home / "datasets" / "mnist.npz") in str(caught.value)
    assert "pass its path" in str(caught.value)


def test_a_repacked_cached_file_is_read_when_its_path_is_passed(home: Path):
    cached = home / "datasets" / "mnist.npz"
    _write(cached)
    with pytest.raises(OSError, match="though its checksum is another") as caught:
        mnist.load_data()
    assert str(cached) in str(caught.value)
    assert mnist.load_data(cached)[0][0].shape == (3, 28, 28)


def test_without_a_cached_copy_a_file_in_the_current_folder_is_read():
    _write(Path("mnist.npz"))
    assert mnist.load_data()[0][0].shape == (3, 28, 28)


def test_a_path_that_does_not_exist_is_an_error_and_not_a_download(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="which does not exist"):
        mnist.load_data(tmp_path / "no" / "such.npz")
    with pytest.raises(FileNotFoundError, match=r"mnist\.npz"):
        mnist.load_data(_made(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"y_train": None}, "y_train"),
        ({"x_test": np.zeros((2, 8, 8))}, r"shape \(2, 8, 8\)"),
        ({"y_test": np.zeros(5)}, r"y_test of shape \(5,\)"),
        ({"y_test": np.array([{}, {}])}, "allow_pickle"),
    ],
)
def test_another_file_is_refused_with_its_name_and_the_reason(tmp_path: Path, changes, reason):
    path = tmp_path / "other.npz"
    _write(path, **changes)
    with pytest.raises(ValueError, match=reason) as caught:
        mnist.load_data(path)
    assert "other.npz" in str(caught.value)


@pytest.mark.parametrize("keep", [0, 10, 300])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: int):
    path = tmp_path / "mnist.npz"
    _write(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="Expected .*mnist.npz to hold MNIST"):
        mnist.load_data(path)


def test_a_single_array_is_refused(tmp_path: Path):
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match="to hold MNIST"):
        mnist.load_data(tmp_path / "one.npy")
