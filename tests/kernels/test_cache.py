"""The kernel cache: warm starts without a compiler, and nothing on disk that could do harm."""

import os
import stat

import pytest

from minikeras import kernels

from .processes import python, start

pytestmark = pytest.mark.skipif(not kernels.compiled_available(), reason="needs machine code")

USE = """
import sys
import numpy as np
from minikeras import kernels
x, y = np.float32([-1, 2]), np.empty(2, np.float32)
kernels.run([kernels.launch("relu", x, y)])
assert y.tolist() == [0, 2]
loader = kernels._get_native().loader
print("numba" in sys.modules, len(loader.compiled), loader._cache.folder)
"""


def used(folder, **environment):
    """Of a process that runs a kernel: Numba imported? How many units compiled? Cache folder?"""
    numba, compiled, where = python(USE, MINIKERAS_CACHE_DIR=str(folder), **environment).split()
    return numba == "True", int(compiled), where


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A cache folder that one process has filled."""
    folder = tmp_path_factory.mktemp("cache")
    numba, compiled, _ = used(folder)
    assert numba
    assert compiled > 1
    return folder


def entries(folder):
    return [p for p in folder.glob("kernels/*/*") if p.is_file()]


def test_a_second_process_loads_the_kernels_without_importing_numba(warm):
    numba, compiled, _ = used(warm)
    assert not numba
    assert compiled == 0


def test_importing_the_package_imports_neither_numba_nor_llvm():
    code = "import sys, minikeras.kernels; print({'numba', 'llvmlite'} & set(sys.modules))"
    assert python(code) == "set()"


@pytest.mark.parametrize("damage", ["truncated", "altered", "empty", "swapped"])
def test_a_damaged_entry_is_rebuilt_silently(warm, tmp_path, damage):
    entry = next(p for p in entries(warm) if "relu" in p.name)
    other = next(p for p in entries(warm) if "spin" in p.name)
    blob = entry.read_bytes()
    entry.write_bytes(
        {
            "truncated": blob[: len(blob) // 2],
            "altered": blob[:-9] + bytes([blob[-9] ^ 1]) + blob[-8:],
            "empty": b"",
            "swapped": other.read_bytes(),
        }[damage]
    )
    assert used(warm)[1] == 1
    assert used(warm)[1] == 0


def test_another_cpu_has_its_own_entries(warm):
    numba, compiled, _ = used(warm, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert numba
    assert compiled > 1


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_folders_are_private_and_entries_are_whole(warm):
    for folder in [warm / "kernels", *(warm / "kernels").iterdir()]:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not [p for p in entries(warm) if p.name.startswith(".new")]


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="needs symbolic links")
def test_a_folder_that_is_a_link_is_not_trusted(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "kernels").symlink_to(tmp_path / "elsewhere")
    assert used(tmp_path / "cache")[2] == "None"
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners of files")
def test_a_folder_of_somebody_else_is_not_trusted(tmp_path, monkeypatch):
    from minikeras.kernels.compiled import _cache

    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    cache = _cache.Cache(tmp_path / "kernels", "key")
    assert cache.folder is None


def test_without_a_writable_folder_kernels_work_all_the_same(tmp_path):
    (tmp_path / "file").write_text("")
    assert used(tmp_path / "file")[2] == "None"


def test_a_full_disk_only_means_compiling_again(tmp_path, monkeypatch):
    from minikeras.kernels.compiled import _cache

    def full(*arguments):
        raise OSError(28, "No space left on device")

    cache = _cache.Cache(tmp_path / "kernels", "key")
    monkeypatch.setattr(os, "replace", full)
    cache.write("entry", b"body")
    assert cache.read("entry") is None
    assert not list(cache.folder.iterdir())


def test_processes_that_start_together_all_succeed(tmp_path):
    running = [start(USE, MINIKERAS_CACHE_DIR=str(tmp_path)) for _ in range(3)]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert used(tmp_path)[1] == 0


def test_the_key_changes_with_cpu_versions_and_sources(tmp_path, monkeypatch):
    from minikeras.kernels.compiled import _engine, _loader

    host = _engine.host_target()
    other = _engine.Target(host.triple, "other", host.features, host.vector_bytes)
    key = _loader.cache_key(host)
    assert _loader.cache_key(other) != key
    monkeypatch.setattr(_loader.importlib.metadata, "version", lambda package: "0")
    assert _loader.cache_key(host) != key


def test_folders_of_old_versions_are_removed_in_time(tmp_path):
    from minikeras.kernels.compiled import _cache

    for number in range(20):
        cache = _cache.Cache(tmp_path / "kernels", f"key {number}")
    assert len(list((tmp_path / "kernels").iterdir())) <= 8
    assert cache.folder.is_dir()
