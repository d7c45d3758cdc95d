"""`.keras` archives: a zip of `metadata.json`, `config.json`, `model.weights.h5` and `assets/...`.

Members are read into memory by name, never extracted, and never beyond what the file can hold.
"""

import io
import json
import os
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from .assets import FOLDER
from .files import require_file

__all__ = ["KERAS_VERSION", "read_archive", "read_weights_member", "write_archive"]

KERAS_VERSION = "3.15.1"  # the version whose format is written
METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
ASSETS = f"{FOLDER}/"
CONFIG_BYTES = 64 * 2**20
EXPANSION = 20
SMALL = 16 * 2**20


def write_archive(
    file: BinaryIO, config: str, weights: io.BytesIO, assets: Mapping[str, bytes]
) -> None:
    """Write the archive of a model: config text, image of its weights file, further members."""
    now = time.strftime("%Y-%m-%d@%H:%M:%S")
    metadata = json.dumps({"keras_version": KERAS_VERSION, "date_saved": now})
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(METADATA, metadata)
        archive.writestr(CONFIG, config)
        archive.writestr(WEIGHTS, weights.getbuffer())
        for name, data in assets.items():
            archive.writestr(name, data)


def read_archive(source: Any, name: str) -> tuple[bytes, io.BytesIO, dict[str, bytes]]:
    """Config text, weights file and assets in an archive, or in a folder of the same members.

    Raises OSError or ValueError naming the file when it is missing, damaged, or no such archive.
    """
    if isinstance(source, str) and os.path.isdir(source):
        return _read_folder(source, name)
    with _opened(source, name) as archive:
        config, weights = _member(archive, CONFIG, name), _member(archive, WEIGHTS, name)
        members = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        names = [member for member in members if member.startswith(ASSETS)]
        assets = {member: _member(archive, member, name) for member in names}
        return config, io.BytesIO(weights), assets


def read_weights_member(source: Any, name: str) -> io.BytesIO:
    """Only the weights file in an archive."""
    with _opened(source, name) as archive:
        return io.BytesIO(_member(archive, WEIGHTS, name))


@contextmanager
def _opened(source: Any, name: str) -> Iterator[zipfile.ZipFile]:
    if isinstance(source, str):
        require_file(source)
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{name} is not a `.keras` archive, or is damaged: {error}.") from error


def _member(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    entries = [entry for entry in archive.infolist() if entry.filename == member]
    if len(entries) != 1:
        count = "no" if not entries else f"{len(entries)} times a"
        others = "" if entries else f" It holds: {', '.join(archive.namelist()[:10]) or 'nothing'}."
        raise ValueError(f"{name} holds {count} member {member!r}.{others}")
    entry = entries[0]
    limit = max(SMALL, EXPANSION * entry.compress_size)
    limit = min(limit, CONFIG_BYTES) if member == CONFIG else limit
    if entry.file_size > limit:
        raise ValueError(
            f"{name}: the member {member!r} declares {entry.file_size} bytes, more than the "
            f"{limit} that are credible. The file is damaged or not to be trusted."
        )
    try:
        data = archive.read(entry)
    except Exception as error:  # zlib, lzma and bz2 each raise errors of their own
        raise ValueError(f"{name}: the member {member!r} is damaged: {error}.") from error
    if len(data) != entry.file_size:
        raise ValueError(f"{name}: the member {member!r} is cut short.")
    return data


def _read_folder(folder: str, name: str) -> tuple[bytes, io.BytesIO, dict[str, bytes]]:
    parts = []
    for member, limit in ((CONFIG, CONFIG_BYTES), (WEIGHTS, None)):
        path = os.path.join(folder, member)
        require_file(path)
        if limit is not None and os.path.getsize(path) > limit:
            raise ValueError(f"{name}: {member!r} is larger than the {limit} bytes allowed.")
        with open(path, "rb") as file:
            parts.append(file.read())
    return parts[0], io.BytesIO(parts[1]), _read_assets(folder)


def _read_assets(folder: str) -> dict[str, bytes]:
    """The files below `assets`; links are not followed."""
    found = {}
    for where, _, names in os.walk(os.path.join(folder, ASSETS)):
        for name in names:
            path = os.path.join(where, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder).replace(os.sep, "/")] = file.read()
    return found
