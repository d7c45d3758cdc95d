"""keras.utils.get_file: a file or an archive from the network, cached and unpacked."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from minikeras.core.validate import boolean, one_of
from minikeras.datasets._download import cache_path
from minikeras.datasets._download import get_file as fetched
from minikeras.datasets._unpacking import FORMATS, unpack

__all__ = ["get_file"]

DIGITS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str | os.PathLike[str] = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file of the cache, which is downloaded from `origin` if it is not there.

    The file appears in the cache only when it is complete and has the expected sum.

    Args:
        fname: Its name in the cache, by default the last part of the address. Of an archive that is
            unpacked, a name without a dot is the name of the folder (the archive gets `_archive`
            behind it); one with a dot is that of the archive (the folder is what precedes the dot,
            with `_extracted`).
        origin: The address: `http://`, `https://` or `file://`.
        untar: Unpack it as a tar archive; the older form of `extract`.
        md5_hash: Its md5 sum; the older form of `file_hash`.
        file_hash: The expected sum in hexadecimal digits. A cached file with another is fetched
            anew.
        cache_subdir: The folder in `cache_dir`; an absolute path stands for itself.
        hash_algorithm: "md5", "sha1", "sha256", "sha512", or "auto", which goes by the length.
        extract: Unpack the archive. What would lie, or link to, outside its folder is left out with
            a warning.
        archive_format: "tar" (also compressed), "zip", "auto" for either, or a list of them. A file
            that is of none of them is left as it is, with a warning.
        cache_dir: The folder of the cache: by default what `KERAS_HOME` names, else `~/.keras`.
        force_download: Fetch it even if it is in the cache.

    Returns:
        The path of the file, or of the folder to which it was unpacked.

    Raises:
        DownloadError: (an OSError) It cannot be fetched, written or unpacked, or has another sum.
        ValueError: An argument is wrong.

    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> source = pathlib.Path(folder.name, "words.txt")
    >>> _ = source.write_text("one two")
    >>> path = get_file("copy.txt", source.as_uri(), cache_dir=folder.name)  # doctest: +ELLIPSIS
    Downloading data from file://...words.txt
    >>> pathlib.Path(path).read_text()
    'one two'
    >>> folder.cleanup()
    """
    name = _name(fname, origin)
    formats = _formats(archive_format)
    digest = _digest(md5_hash, file_hash, hash_algorithm)
    as_tar = boolean(untar, "untar", "get_file")
    unpacked = boolean(extract, "extract", "get_file") or as_tar
    force = boolean(force_download, "force_download", "get_file")
    file, folder = (name, name) if not unpacked else _names(name, given=bool(fname))
    path = fetched(file, origin or "", digest, str(cache_subdir), cache_dir, force)
    if not unpacked:
        return str(path)
    target = cache_path(folder, str(cache_subdir), cache_dir)
    if not unpack(path, target, ("tar",) if as_tar else formats):
        tried = ", ".join(("tar",) if as_tar else formats) or "none"
        warnings.warn(
            f"Could not extract {path}: it is no archive of the formats tried ({tried}).",
            stacklevel=2,
        )
    return str(target)


def _name(fname: str | os.PathLike[str] | None, origin: str | None) -> str:
    if not isinstance(origin, str) or not origin:
        raise ValueError(
            f"get_file: `origin` must be the address of the file to fetch. Received: {origin!r}."
        )
    name = os.fspath(fname) if fname else urlsplit(origin).path.rpartition("/")[2]
    if not name:
        raise ValueError(
            f"get_file: the address ends in no name of a file; pass one as `fname`. "
            f"Received: origin={origin!r}."
        )
    if Path(name).name != name or name in (".", ".."):
        raise ValueError(
            "get_file: `fname` must be the plain name of a file; folders go to `cache_dir` and "
            f"`cache_subdir`. Received: {name!r}."
        )
    return name


def _names(name: str, given: bool) -> tuple[str, str]:
    """The names of an archive and of the folder to which it is unpacked, as Keras forms them."""
    if given and "." in name:
        return name, name.partition(".")[0] + "_extracted"
    return name + "_archive", name


def _formats(archive_format: str | Sequence[str] | None) -> tuple[str, ...]:
    if archive_format is None:
        return ()
    if isinstance(archive_format, str):
        one_of(archive_format, ("auto", *FORMATS), "archive_format", "get_file")
        return FORMATS if archive_format == "auto" else (archive_format,)
    return tuple(one_of(name, FORMATS, "archive_format", "get_file") for name in archive_format)


def _digest(md5_hash: str | None, file_hash: str | None, algorithm: str) -> str | None:
    """The sum to expect, which agrees with what is said of it."""
    one_of(algorithm, ("auto", *DIGITS), "hash_algorithm", "get_file")
    for name, value in (("md5_hash", md5_hash), ("file_hash", file_hash)):
        if value is not None and not isinstance(value, str):
            raise ValueError(f"get_file: `{name}` must be a text. Received: {value!r}.")
    if md5_hash and len(md5_hash) != DIGITS["md5"]:
        raise ValueError(f"get_file: `md5_hash` must have 32 digits. Received: {md5_hash!r}.")
    if md5_hash and file_hash and md5_hash.lower() != file_hash.lower():
        raise ValueError(
            "get_file: one sum can be checked; pass only `file_hash`. "
            f"Received: md5_hash={md5_hash!r} and file_hash={file_hash!r}."
        )
    if file_hash and algorithm != "auto" and len(file_hash) != DIGITS[algorithm]:
        raise ValueError(
            f"get_file: a sum of the algorithm {algorithm!r} has {DIGITS[algorithm]} digits. "
            f"Received: file_hash={file_hash!r}."
        )
    return file_hash or md5_hash
