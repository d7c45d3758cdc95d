"""Files from the network: fetched once, checked while they arrive, never left half-written."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["DownloadError", "cache_path", "get_file", "is_intact", "keras_home"]

CHUNK = 1 << 20
TIMEOUT_SECONDS = 30
ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}


class DownloadError(OSError):
    """A file could not be fetched, or what came is not the file that was asked for."""


def keras_home() -> Path:
    """Keras's folder: what `KERAS_HOME` names, else `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or Path("~", ".keras")).expanduser()


def cache_path(
    name: str, cache_subdir: str = "datasets", cache_dir: str | os.PathLike[str] | None = None
) -> Path:
    """Where the file of this name is cached."""
    return Path(cache_dir or keras_home()).expanduser() / cache_subdir / name


def is_intact(path: Path, file_hash: str | None) -> bool:
    """Whether the file exists and, where a hash is given, has it."""
    if not path.is_file():
        return False
    if file_hash is None:
        return True
    digest = hashlib.new(_algorithm(file_hash))
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest() == file_hash.lower()


def get_file(
    fname: str | None = None,
    origin: str = "",
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> Path:
    """The path of a cached file, which is downloaded from `origin` (an address) if need be.

    `fname` is its name in the cache, by default the last part of the address. With `file_hash`
    (md5, sha1, sha256 or sha512, in hexadecimal) a cached file that differs is fetched again, and
    a fetched file that differs is removed. The file appears in the cache only when it is complete.

    Raises DownloadError (an OSError) when it cannot be fetched or written, ValueError for a wrong
    argument.
    """
    name = fname or origin.rstrip("/").rpartition("/")[2]
    if not name or Path(name).name != name or name in (".", ".."):
        raise ValueError(f"`fname` must be the plain name of a file. Received: {name!r}.")
    if not origin.startswith(("http://", "https://", "file://")):
        raise ValueError(f"`origin` must be an http, https or file address. Received: {origin!r}.")
    if file_hash is not None:
        _algorithm(file_hash)
    target = cache_path(name, cache_subdir, cache_dir)
    if force_download or not is_intact(target, file_hash):
        _fetch(origin, target, file_hash)
    return target


def _algorithm(file_hash: str) -> str:
    if len(file_hash) not in ALGORITHMS or set(file_hash.lower()) - set("0123456789abcdef"):
        raise ValueError(
            "`file_hash` must be an md5, sha1, sha256 or sha512 sum in hexadecimal digits. "
            f"Received: {file_hash!r}."
        )
    return ALGORITHMS[len(file_hash)]


def _fetch(origin: str, target: Path, file_hash: str | None) -> None:
    """Stream `origin` to a file beside `target`, check it, rename it."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("xb")
    except OSError as error:
        raise DownloadError(
            f"Cannot write to the folder {target.parent} ({error.strerror or error}). Make it "
            "writable, or name another one with the environment variable KERAS_HOME."
        ) from error
    try:
        print(f"Downloading data from {origin}")
        digest = hashlib.new(_algorithm(file_hash)) if file_hash else None
        with file:
            for chunk in _chunks(origin):
                file.write(chunk)
                if digest is not None:
                    digest.update(chunk)
            file.flush()
            os.fsync(file.fileno())
        if digest is not None and file_hash and digest.hexdigest() != file_hash.lower():
            raise DownloadError(
                f"The file at {origin} is damaged or has changed: expected the {digest.name} sum "
                f"{file_hash}. Received: {digest.hexdigest()}. It was removed; try again."
            )
        os.replace(temporary, target)
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(f"Cannot download {origin} to {target}: {error}.") from error
    finally:
        temporary.unlink(missing_ok=True)  # renamed when all went well


def _chunks(origin: str) -> Iterator[bytes]:
    from urllib import error, request

    try:
        with request.urlopen(origin, timeout=TIMEOUT_SECONDS) as answer:
            expected = answer.headers.get("Content-Length")
            size = 0
            while chunk := answer.read(CHUNK):
                size += len(chunk)
                yield chunk
    except error.URLError as failure:
        if isinstance(failure, error.HTTPError):  # it holds the open connection
            failure.close()
        raise DownloadError(f"Cannot fetch {origin}: {failure}.") from failure
    if expected is not None and size != int(expected):
        raise DownloadError(
            f"The download of {origin} broke off: expected {expected} bytes. Received: {size}."
        )
