"""Compiled kernels on disk, so that only the first process on a machine compiles.

The folder is private to the user. Inside it a folder per key (CPU, versions, hash of the kernel
sources) holds one file per kernel. An entry starts with a checksum: what is damaged, truncated or
unreadable counts as absent and is rebuilt. Entries are written aside and renamed, so processes that
start together never see half a file. Without a writable folder there is no cache, and no error.
"""

import contextlib
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

_MAGIC = b"minikeras kernel 1\n"
_KEPT_KEYS = 8  # older folders belong to earlier versions and are removed


def default_folder() -> Path | None:
    """Where the cache lives: ``MINIKERAS_CACHE_DIR``, else in the user's cache folder."""
    chosen = os.environ.get("MINIKERAS_CACHE_DIR")
    if chosen:
        return Path(chosen) / "kernels"
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
        if not base or not os.path.isabs(base):
            mac = sys.platform == "darwin"
            base = os.path.expanduser("~/Library/Caches" if mac else "~/.cache")
    return Path(base) / "minikeras" / "kernels" if base and os.path.isabs(base) else None


class Cache:
    """Object files under one key.

    Args:
        folder: root of the cache, or None for a cache that keeps nothing.
        key: everything that machine code depends on, as one string.
    """

    def __init__(self, folder: Path | None, key: str):
        self.folder: Path | None = None
        if folder is None:
            return
        digest = hashlib.sha256(key.encode()).hexdigest()[:24]
        try:
            if not _make_private(folder):
                return
            fresh = not (folder / digest).exists()
            if _make_private(folder / digest):
                self.folder = folder / digest
                if fresh:
                    _drop_old_keys(folder, keep=digest)
        except OSError:
            return

    def has(self, name: str) -> bool:
        """Whether there is an entry; it may turn out to be damaged."""
        return self.folder is not None and (self.folder / name).exists()

    def read(self, name: str) -> bytes | None:
        """Content of an entry, or None when it is absent or damaged."""
        if self.folder is None:
            return None
        try:
            blob = (self.folder / name).read_bytes()
        except OSError:
            return None
        head = len(_MAGIC) + 32
        body = blob[head:]
        intact = blob[:head] == _MAGIC + hashlib.sha256(name.encode() + b"\0" + body).digest()
        return body if intact else None

    def write(self, name: str, body: bytes) -> None:
        """Store an entry; a full or read-only disk is not an error."""
        if self.folder is None:
            return
        digest = hashlib.sha256(name.encode() + b"\0" + body).digest()
        temporary = None
        try:
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=self.folder)
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + digest + body)
            os.replace(temporary, self.folder / name)
        except OSError:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)


def _make_private(folder: Path) -> bool:
    """Create the folder for this user alone; False when others could have put code into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):  # a symbolic link may be someone else's
        return False
    if hasattr(os, "getuid"):
        if status.st_uid != os.getuid():
            return False
        if stat.S_IMODE(status.st_mode) & 0o022:
            os.chmod(folder, 0o700)
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _drop_old_keys(folder: Path, keep: str) -> None:
    """Remove the folders of earlier versions that have not been used for longest."""
    others = [p for p in folder.iterdir() if p.name != keep and p.is_dir() and not p.is_symlink()]
    others.sort(key=lambda p: p.stat().st_mtime, reverse=True)
    for old in others[_KEPT_KEYS - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
