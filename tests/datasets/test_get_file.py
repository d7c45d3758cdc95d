"""utils.get_file caches files, unpacks archives, and lets none of them reach outside."""

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from minikeras.utils import get_file

TEXT = b"one two three"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "server" / "words.txt"
    path.parent.mkdir()
    path.write_bytes(TEXT)
    return path


def tar(path: Path, *members: tuple) -> str:
    """An archive of (name, content) and (name, type, target); its address."""
    with tarfile.open(path, "w:gz") as archive:
        for name, *rest in members:
            info = tarfile.TarInfo(name)
            if len(rest) == 2:
                info.type, info.linkname = rest
                archive.addfile(info)
            else:
                info.size = len(rest[0])
                archive.addfile(info, io.BytesIO(rest[0]))
    return path.as_uri()


def zipped(path: Path, *members: tuple[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path.as_uri()


def found(folder: str | Path) -> list[str]:
    """What lies under a folder, links with an arrow."""
    names = []
    for path in Path(folder).rglob("*"):
        if path.is_symlink():
            names.append(f"{path.relative_to(folder).as_posix()} -> {os.readlink(path)}")
        elif path.is_file():
            names.append(path.relative_to(folder).as_posix())
    return sorted(names)


def test_a_file_is_cached_under_the_name_in_its_address(source, home):
    path = get_file(origin=source.as_uri())
    assert path == str(home / "datasets" / "words.txt")
    assert Path(path).read_bytes() == TEXT
    source.unlink()
    assert get_file(origin=source.as_uri()) == path


def test_what_follows_the_name_in_an_address_is_no_part_of_it(home):
    cached = home / "datasets" / "x.csv"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"")
    assert get_file(origin="http://127.0.0.1:1/x.csv?raw=true#top") == str(cached)


def test_the_place_is_made_of_folder_subfolder_and_name(source, tmp_path):
    path = get_file("a.txt", source.as_uri(), cache_dir=tmp_path / "c", cache_subdir="s/t")
    assert path == str(tmp_path / "c" / "s" / "t" / "a.txt")
    path = get_file(Path("a.txt"), source.as_uri(), cache_subdir=str(tmp_path / "absolute"))
    assert path == str(tmp_path / "absolute" / "a.txt")


def test_a_file_is_fetched_anew_when_it_is_damaged_or_that_is_wanted(source):
    md5 = hashlib.md5(TEXT).hexdigest()
    path = Path(get_file("a", source.as_uri(), md5_hash=md5))
    path.write_bytes(b"damaged")
    assert Path(get_file("a", source.as_uri())).read_bytes() == b"damaged"
    get_file("a", source.as_uri(), md5_hash=md5)
    assert path.read_bytes() == TEXT
    source.write_bytes(b"new")
    get_file("a", source.as_uri(), force_download=True)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("algorithm", ["auto", "sha256"])
def test_a_file_with_another_sum_is_an_error(source, home, algorithm):
    digest = hashlib.sha256(TEXT).hexdigest()
    get_file("a", source.as_uri(), file_hash=digest, hash_algorithm=algorithm)
    source.write_bytes(b"other")
    with pytest.raises(OSError, match="expected the sha256 sum"):
        get_file("b", source.as_uri(), file_hash=digest, hash_algorithm=algorithm)
    assert found(home) == ["datasets/a"]


@pytest.mark.parametrize(
    ("fname", "archive", "folder"),
    [
        (None, "data.tar.gz_archive", "data.tar.gz"),
        ("mine", "mine_archive", "mine"),
        ("mine.tar.gz", "mine.tar.gz", "mine_extracted"),
    ],
)
@pytest.mark.parametrize("how", ["extract", "untar"])
def test_archives_are_unpacked_where_keras_puts_them(tmp_path, home, fname, archive, folder, how):
    origin = tar(tmp_path / "data.tar.gz", ("top/a.txt", TEXT), ("b", b""))
    path = get_file(fname, origin, **{how: True})
    assert path == str(home / "datasets" / folder)
    assert (home / "datasets" / archive).is_file()
    assert found(path) == ["b", "top/a.txt"]
    assert Path(path, "top", "a.txt").read_bytes() == TEXT
    assert sorted(p.name for p in (home / "datasets").iterdir()) == sorted([archive, folder])


@pytest.mark.parametrize("formats", ["auto", "zip", ["tar", "zip"]])
def test_zip_archives_are_unpacked_too(tmp_path, formats):
    origin = zipped(tmp_path / "d.zip", ("top/a.txt", TEXT), ("empty/", b""))
    path = Path(get_file("d", origin, extract=True, archive_format=formats))
    assert (path / "top" / "a.txt").read_bytes() == TEXT
    assert (path / "empty").is_dir()


@pytest.mark.parametrize("options", [{"archive_format": None}, {"archive_format": "tar"}])
def test_a_file_of_another_format_is_left_as_it_is_with_a_warning(tmp_path, options):
    origin = zipped(tmp_path / "d.zip", ("a.txt", TEXT))
    with pytest.warns(UserWarning, match="Could not extract"):
        path = get_file("d", origin, extract=True, **options)
    assert not Path(path).exists()


def test_links_inside_and_copies_are_kept(tmp_path):
    origin = tar(
        tmp_path / "d.tar",
        ("x/link", tarfile.SYMTYPE, "../y/a"),
        ("folder", tarfile.SYMTYPE, "y"),
        ("y/a", TEXT),
        ("copy", tarfile.LNKTYPE, "y/a"),
    )
    path = get_file("d", origin, extract=True)
    assert found(path) == ["copy", "folder -> y", "x/link -> ../y/a", "y/a"]
    assert Path(path, "x", "link").read_bytes() == Path(path, "copy").read_bytes() == TEXT


HOSTILE = {
    "a path upwards": [("../out", TEXT)],
    "a path upwards from within": [("a/../../out", TEXT)],
    "an absolute path": [("{outside}/out", TEXT)],
    "an absolute link": [("link", tarfile.SYMTYPE, "{outside}")],
    "a link upwards": [("a/link", tarfile.SYMTYPE, "../../out")],
    "a link upwards through a name": [("link", tarfile.SYMTYPE, "a/../../out")],
    "a hard link to a file outside": [("link", tarfile.LNKTYPE, "../../../secret")],
    "a pipe": [("pipe", tarfile.FIFOTYPE, "")],
    "a device": [("device", tarfile.CHRTYPE, "")],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_nothing_is_unpacked_or_linked_outside_the_folder(tmp_path, home, what):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    members = [
        tuple(p.format(outside=outside) if isinstance(p, str) else p for p in member)
        for member in HOSTILE[what]
    ]
    origin = tar(tmp_path / "d.tar", *members, ("good", TEXT))
    with pytest.warns(UserWarning, match="of the archive was left out"):
        path = get_file("d", origin, extract=True)
    assert found(path) == ["good"]
    assert found(outside) == []
    assert found(home) == ["datasets/d/good", "datasets/d_archive"]


def test_nothing_is_written_through_a_link(tmp_path):
    """A link that leads inside by its text alone, and a file behind it."""
    origin = tar(
        tmp_path / "d.tar",
        ("a/b/up", tarfile.SYMTYPE, "../.."),
        ("far", tarfile.SYMTYPE, "a/b/up/../out"),
        ("far/file", TEXT),
        ("a/b/up/more", tarfile.SYMTYPE, "../../../out"),
    )
    with pytest.warns(UserWarning, match="of the archive was left out"):
        path = get_file("d", origin, extract=True)
    assert found(path) == ["a/b/up -> ../..", "far/file"]


def test_a_second_archive_does_not_write_through_links_of_the_first(tmp_path):
    first = tar(tmp_path / "1.tar", ("p/q/r", tarfile.SYMTYPE, "../.."))
    path = get_file("d", first, extract=True)
    Path(path, "mine").write_bytes(b"kept")
    second = tar(tmp_path / "2.tar", ("p/q/r/x", tarfile.SYMTYPE, "../../../y"))
    get_file("d", second, extract=True, force_download=True)
    assert found(path) == ["mine", "p/q/r/x -> ../../../y"]


def test_zip_members_outside_are_left_out(tmp_path, home):
    origin = zipped(tmp_path / "d.zip", ("../out", TEXT), ("/abs", TEXT), ("good", TEXT))
    with pytest.warns(UserWarning, match="of the archive was left out"):
        path = get_file("d", origin, extract=True)
    assert found(path) == ["good"]
    assert found(home) == ["datasets/d/good", "datasets/d_archive"]


def test_a_broken_archive_leaves_no_folder(tmp_path, home):
    source = tmp_path / "d.tar.gz"
    tar(source, ("a", TEXT), ("b", os.urandom(100_000)))
    source.write_bytes(source.read_bytes()[:50_000])
    with pytest.raises(OSError, match="force_download=True fetches it anew"):
        get_file("d", source.as_uri(), extract=True)
    assert found(home) == ["datasets/d_archive"]
    assert not (home / "datasets" / "d").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"origin": None}, "`origin` must be the address"),
        ({"origin": "http://h/"}, "pass one as `fname`"),
        ({"fname": "a/b"}, "plain name of a file"),
        ({"origin": "ftp://h/x"}, "http, https or file"),
        ({"hash_algorithm": "md6"}, "`hash_algorithm` must be one of"),
        ({"file_hash": "0" * 64, "hash_algorithm": "md5"}, "'md5' has 32 digits"),
        ({"file_hash": "z" * 64}, "hexadecimal"),
        ({"md5_hash": "0" * 64}, "must have 32 digits"),
        ({"md5_hash": "0" * 32, "file_hash": "1" * 32}, "pass only `file_hash`"),
        ({"archive_format": "rar"}, "`archive_format` must be one of"),
        ({"archive_format": ["zip", "rar"]}, "`archive_format` must be one of"),
        ({"extract": "tar"}, "`extract` must be"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_fetched(home, options, reason):
    with pytest.raises(ValueError, match=reason):
        get_file(**{"origin": "file:///nowhere/x", **options})
    assert not home.exists()
