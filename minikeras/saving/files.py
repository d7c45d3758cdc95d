"""Files as wholes: read with errors that name them, replaced in one step or not at all."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

__all__ = ["is_stream", "local_path", "replace", "require_file"]


def is_stream(target: Any) -> bool:
    """Whether this is an open binary file (or BytesIO) rather than a path."""
    return hasattr(target, "read") or hasattr(target, "write")


def local_path(filepath: Any) -> str:
    """A path given as text or `pathlib.Path`, as text; remote addresses are refused."""
    try:
        path = os.fspath(filepath)
    except TypeError:
        raise TypeError(
            f"`filepath` must be a path. "
            f"Received: {filepath!r} (of type {type(filepath).__name__})."
        ) from None
    path = os.fsdecode(path)
    if "://" in path:
        raise ValueError(
            f"Only local files can be read and written. Received: {path!r}. "
            "Copy the file to or from this machine yourself."
        )
    return path


def require_file(path: str) -> None:
    """Raise an OSError that names the path unless it is a file that may be read."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path!r}. Check the name and the folder.")
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path!r} is a folder; a file was expected.")
    if not os.access(path, os.R_OK):
        raise PermissionError(f"The file {path!r} may not be read: permission denied.")


def replace(path: str, write: Callable[[BinaryIO], None]) -> None:
    """Put what `write` writes in place of the file at `path`, at once.

    The bytes go to a temporary file in the same folder, are synced to disk, and are renamed over
    the target: whoever looks finds the old file or the new one, whole. On any error the old file
    stays as it was and the temporary one is removed. Missing folders are created. Raises OSError
    naming the file.
    """
    target = os.path.realpath(path)  # a link keeps pointing to the file it points to
    folder = os.path.dirname(target)
    with _naming(path):
        if os.path.isdir(target):
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if os.path.exists(target) and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "the existing file is write-protected")
        os.makedirs(folder, exist_ok=True)
        # 100 characters leave room for the suffix within the 255 that file systems allow
        temporary = f".{os.path.basename(target)[:100]}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
        temporary = os.path.join(folder, temporary)
        try:
            _write_synced(temporary, target, write)
            os.replace(temporary, target)
        except BaseException:
            _remove(temporary)
            raise
        _sync_folder(folder)


def _write_synced(temporary: str, target: str, write: Callable[[BinaryIO], None]) -> None:
    with open(temporary, "xb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    if os.path.exists(target):
        os.chmod(temporary, os.stat(target).st_mode & 0o777)


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.remove(path)


def _sync_folder(folder: str) -> None:
    """Make the renaming itself survive a power cut, where the system can open folders."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # a folder that may be written but not listed
        return
    try:
        with suppress(OSError):  # some network file systems cannot; the file itself is synced
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _naming(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"Could not write {path!r}: {reason}. What was there before is unchanged."
        raise OSError(error.errno, message) from error
