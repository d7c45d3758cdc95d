"""Archives unpacked into a folder, of which nothing can reach outside it.

Files are written first, to an empty folder without links, so that none can be written through a
link. Links come last, and only those that can be seen to stay inside: a relative target, with ".."
at its beginning only, that does not climb above the folder.
"""

import os
import posixpath
import shutil
import stat
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from minikeras.datasets._download import DownloadError

__all__ = ["FORMATS", "unpack"]

FORMATS = ("tar", "zip")


class _Member(NamedTuple):
    """One thing in an archive: a folder, a file (then with its content), or a link."""

    name: str
    kind: str  # "folder", "file", "link", "other"
    content: Any = None  # a function that opens it
    executable: bool = False
    target: str = ""


def unpack(archive: Path, folder: Path, formats: Sequence[str]) -> bool:
    """Unpack `archive` into `folder` if it is of one of the formats ("tar", "zip"); whether it was.

    Files of the same name there are replaced, others are left. A member that would lie, or link
    to, outside the folder is left out with a warning. Nothing appears in the folder unless the
    whole archive can be read.

    Raises DownloadError when the archive is damaged or the folder cannot be written.
    """
    import tarfile
    import zipfile

    kinds = {
        "tar": (tarfile.is_tarfile, tarfile.open, _tar_members),
        "zip": (zipfile.is_zipfile, zipfile.ZipFile, _zip_members),
    }
    faults = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)
    for name in formats:
        fits, opened, members = kinds[name]
        if not fits(archive):
            continue
        temporary = folder.with_name(f".{folder.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            temporary.mkdir(parents=True)
            with opened(archive) as file:
                _write(list(members(file)), temporary)
            _merge(temporary, folder)
        except faults as error:
            raise DownloadError(
                f"Cannot unpack {archive} to {folder}: {error}. If the archive is damaged, "
                "force_download=True fetches it anew."
            ) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return True
    return False


def _tar_members(archive: Any) -> Iterator[_Member]:
    for info in archive.getmembers():
        if info.isdir():
            yield _Member(info.name, "folder")
        elif info.issym():
            yield _Member(info.name, "link", target=info.linkname)
        elif info.isfile() or info.islnk():  # of a hard link the file in the archive is copied
            yield _Member(
                info.name,
                "file",
                lambda info=info: _of_tar(archive, info),
                bool(info.mode & stat.S_IXUSR),
            )
        else:
            yield _Member(info.name, "other")


def _of_tar(archive: Any, info: Any) -> IO[bytes] | None:
    try:
        return archive.extractfile(info)
    except KeyError:  # a hard link to what is not in the archive
        return None


def _zip_members(archive: Any) -> Iterator[_Member]:
    for info in archive.infolist():
        kind = "folder" if info.is_dir() else "file"
        yield _Member(info.filename, kind, lambda info=info: archive.open(info))


def _write(members: list[_Member], folder: Path) -> None:
    for member in members:
        if member.kind != "link" and not _written(member, folder):
            _left_out(member)
    for member in members:
        if member.kind == "link" and not _linked(member, folder):
            _left_out(member)


def _left_out(member: _Member) -> None:
    warnings.warn(
        f"{member.name!r} of the archive was left out: it is no file or folder inside the place "
        "where it is unpacked, nor a link to one.",
        stacklevel=6,
    )


def _inside(name: str) -> str | None:
    """The plain relative path that `name` means, None where it leads outside."""
    plain = posixpath.normpath(name.replace(os.sep, "/"))
    path = Path(plain)
    if "\0" in name or posixpath.isabs(plain) or path.drive or plain.split("/")[0] == "..":
        return None
    return plain


def _written(member: _Member, folder: Path) -> bool:
    name = _inside(member.name)
    if name is None or member.kind == "other":
        return False
    path = folder / name
    if member.kind == "folder":
        path.mkdir(parents=True, exist_ok=True)
        return True
    source = member.content()
    if source is None or name == ".":
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with source, path.open("wb") as file:
        shutil.copyfileobj(source, file)
    if member.executable:
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return True


def _linked(member: _Member, folder: Path) -> bool:
    name = _inside(member.name)
    if name is None or not _stays_inside(name, member.target):
        return False
    path = folder / name
    if os.path.lexists(path) or any((folder / p).is_symlink() for p in Path(name).parents):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(member.target)
    return True


def _stays_inside(name: str, target: str) -> bool:
    """Whether a link of this name, in real folders, cannot lead outside whatever else is linked."""
    parts = target.replace(os.sep, "/").split("/")
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    depth = name.count("/")
    relative = not posixpath.isabs(target) and not Path(target).drive
    return bool(target) and relative and ".." not in parts[climbs:] and climbs <= depth


def _merge(source: Path, target: Path) -> None:
    """Move what lies in `source` to `target`, file by file where that folder exists."""
    if not os.path.lexists(target):
        os.replace(source, target)
        return
    for entry in sorted(source.iterdir()):
        place = target / entry.name
        if entry.is_dir() and not entry.is_symlink():
            if place.is_symlink():  # a link of an earlier archive may lead to another depth
                place.unlink()
            _merge(entry, place)
        else:
            os.replace(entry, place)
