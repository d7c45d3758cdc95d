"""A file is replaced whole or not at all, and errors come before any file is touched."""

import errno
import os
import stat
import threading

import pytest

from minikeras import saving
from minikeras.saving import files
from tests.saving import fakes

NAMES = ["m.keras", "m.h5", "w.weights.h5"]
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")


@pytest.fixture(autouse=True)
def small_world(monkeypatch):
    fakes.install(monkeypatch)


def save(model, path):
    method = saving.save_weights if str(path).endswith(".weights.h5") else saving.save_model
    method(model, path)


class FullDisk:
    """A file on a disk with room for `left` bytes."""

    def __init__(self, file, left):
        self.file, self.left = file, left

    def write(self, data):
        size = memoryview(data).nbytes
        if size > self.left:
            self.file.write(bytes(data)[: self.left])
            raise OSError(errno.ENOSPC, "No space left on device")
        self.left -= size
        return self.file.write(data)

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("room", [0, 300, 2000])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, name, room):
    path = tmp_path / name
    path.write_bytes(b"old")
    opened = open
    monkeypatch.setattr(files, "open", lambda *a: FullDisk(opened(*a), room), raising=False)
    with pytest.raises(OSError, match=r"Could not write .*No space left.*unchanged") as info:
        save(fakes.mlp(), path)
    assert info.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [name]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_errors_of_the_real_device_are_reported():
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space"):
        saving.save_model(fakes.mlp(), full)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_at_the_last_step_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "m.keras"
    path.write_bytes(b"old")

    def fail(*args):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files.os, step, fail)
    with pytest.raises(OSError, match="Input/output error"):
        save(fakes.mlp(), path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m.keras"]


def test_an_interruption_leaves_no_temporary_file(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(fakes.mlp(), tmp_path / "m.keras")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_cannot_be_saved_touches_no_file(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"old")
    model = fakes.mlp()
    model.layers[0].units = lambda x: x
    model.extra = {"bad": object()}
    with pytest.raises(TypeError):
        save(model, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [name]


def test_configs_that_are_not_json_are_named(tmp_path):
    model = fakes.mlp()
    model.layers[0].units = {(1, 2): 3}
    with pytest.raises(TypeError, match="cannot be saved as JSON"):
        saving.save_model(model, tmp_path / "m.keras")


@posix
def test_no_permission_is_a_clear_error(tmp_path, monkeypatch):
    path = tmp_path / "m.keras"
    path.write_bytes(b"old")
    monkeypatch.setattr(files.os, "access", lambda path, mode: mode != os.W_OK)  # root may anything
    with pytest.raises(PermissionError, match="Could not write .*write-protected"):
        save(fakes.mlp(), path)
    assert path.read_bytes() == b"old"


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_a_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match="Could not write"):
            save(fakes.mlp(), tmp_path / "m.keras")
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_in_place_of_the_file_is_a_clear_error(tmp_path):
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="Could not write .*folder"):
        save(fakes.mlp(), tmp_path / "m.keras")
    (tmp_path / "plain").write_bytes(b"")
    with pytest.raises(OSError, match="Could not write"):
        save(fakes.mlp(), tmp_path / "plain" / "m.keras")


@posix
def test_permissions_and_links_are_kept(tmp_path):
    real, link = tmp_path / "real.keras", tmp_path / "link.keras"
    save(fakes.mlp(), real)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(real.stat().st_mode) == 0o666 & ~mask
    real.chmod(0o640)
    link.symlink_to(real)
    save(fakes.mlp(), link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_existing_files_are_kept_on_demand(tmp_path):
    path = tmp_path / "m.keras"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="overwrite=False"):
        saving.save_model(fakes.mlp(), path, overwrite=False)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["m", "m.hdf", "m.keras.zip", "m.tf", "m.weights.h5"])
def test_the_extension_decides_and_must_be_known(tmp_path, name):
    with pytest.raises(ValueError, match=r"`\.keras`.*Received"):
        saving.save_model(fakes.mlp(), tmp_path / name)
    if name != "m.weights.h5":
        with pytest.raises(ValueError, match=r"`\.weights\.h5`.*Received"):
            saving.save_weights(fakes.mlp(), tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"save_format": "tf"}, ValueError, "save_format='tf'"),
        ({"save_format": "h5"}, ValueError, "agree with the extension"),
        ({"zipped": False}, ValueError, "single-file"),
        ({"include_optimiser": True}, TypeError, "include_optimiser"),
    ],
)
def test_arguments_that_cannot_be_followed_are_refused(tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        saving.save_model(fakes.mlp(), tmp_path / "m.keras", **arguments)
    saving.save_model(fakes.mlp(), tmp_path / "m.keras", save_format="keras")
    saving.save_model(fakes.mlp(), tmp_path / "m.h5", save_format="h5")


@pytest.mark.parametrize("path", ["gs://bucket/m.keras", "hf://me/m", 3, None])
def test_only_local_paths_are_taken(path):
    for function in (lambda p: saving.save_model(fakes.mlp(), p), saving.load_model):
        with pytest.raises((TypeError, ValueError), match=r"local|must be a path"):
            function(path)


def test_long_names_are_taken(tmp_path):
    path = tmp_path / ("x" * 245 + ".keras")
    save(fakes.mlp(), path)
    assert os.listdir(tmp_path) == [path.name]


def test_readers_beside_a_writer_see_whole_files(tmp_path):
    path, model = tmp_path / "m.keras", fakes.mlp()
    save(model, path)
    stop = threading.Event()

    def rewrite():
        while not stop.is_set():
            save(model, path)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(10):
            assert fakes.same(fakes.weights(saving.load_model(path)), fakes.weights(model))
    finally:
        stop.set()
        writer.join()
