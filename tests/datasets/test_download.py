"""Downloads are checked while they arrive and appear in the cache whole or not at all."""

import hashlib
import http.server
import os
import threading
from pathlib import Path

import pytest

from minikeras.datasets._download import DownloadError, cache_path, get_file, keras_home

CONTENT = bytes(range(256)) * 5000
SUMS = {
    name: hashlib.new(name, CONTENT).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/missing.bin":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000] if self.path == "/short.bin" else CONTENT)
        self.server.requests += 1

    def log_message(self, *args):
        """Keep the test output clean."""


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests = 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def origin(server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return f"http://127.0.0.1:{server.server_port}/file.bin"


def _cached(tmp_path: Path) -> list[str]:
    folder = tmp_path / "datasets"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("algorithm", SUMS)
def test_a_file_with_the_right_sum_is_cached_under_its_name(origin, tmp_path, algorithm, capsys):
    path = get_file(origin=origin, file_hash=SUMS[algorithm])
    assert path == tmp_path / "datasets" / "file.bin"
    assert path.read_bytes() == CONTENT
    assert _cached(tmp_path) == ["file.bin"]
    assert capsys.readouterr().out == f"Downloading data from {origin}\n"


def test_a_cached_file_is_not_fetched_again_unless_it_is_damaged(origin, server):
    get_file(origin=origin, file_hash=SUMS["md5"])
    before = server.requests
    path = get_file(origin=origin, file_hash=SUMS["md5"])
    assert server.requests == before
    path.write_bytes(b"damaged")
    assert get_file(origin=origin, file_hash=SUMS["md5"]).read_bytes() == CONTENT
    get_file(origin=origin, force_download=True)
    assert server.requests == before + 2


def test_a_file_with_another_sum_is_an_error_and_is_removed(origin, tmp_path):
    with pytest.raises(DownloadError, match="expected the sha256 sum 0000"):
        get_file(origin=origin, file_hash="0" * 64)
    assert _cached(tmp_path) == []


def test_a_failed_download_leaves_the_cached_file_as_it_was(origin, tmp_path):
    target = cache_path("file.bin")
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    with pytest.raises(DownloadError, match="damaged or has changed"):
        get_file(origin=origin, file_hash="0" * 64)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize(("name", "reason"), [("missing.bin", "404"), ("short.bin", "broke off")])
def test_a_refused_or_broken_download_names_the_address(origin, tmp_path, name, reason):
    address = origin.replace("file.bin", name)
    with pytest.raises(DownloadError, match=reason) as caught:
        get_file(origin=address)
    assert address in str(caught.value)
    assert _cached(tmp_path) == []


def test_a_server_that_does_not_answer_is_an_error(origin, tmp_path):
    with pytest.raises(DownloadError, match="Cannot fetch http://127.0.0.1:1/x.bin"):
        get_file(origin="http://127.0.0.1:1/x.bin")
    assert _cached(tmp_path) == []


def test_a_cache_that_cannot_be_made_is_an_error_that_names_the_variable(origin, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(DownloadError, match="KERAS_HOME"):
        get_file(origin=origin, cache_dir=blocked)


def test_an_interrupted_download_leaves_nothing(origin, tmp_path, monkeypatch):
    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        get_file(origin=origin)
    assert _cached(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"fname": "../x", "origin": "http://h/x"}, "plain name"),
        ({"fname": "..", "origin": "http://h/x"}, "plain name"),
        ({"origin": "ftp://h/x"}, "http, https or file"),
        ({"origin": "http://h/x", "file_hash": "zz"}, "hexadecimal"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_fetched(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        get_file(**arguments)


def test_the_cache_is_keras_home_or_a_folder_in_the_home_folder(monkeypatch):
    monkeypatch.setenv("KERAS_HOME", "/elsewhere")
    assert keras_home() == Path("/elsewhere")
    monkeypatch.delenv("KERAS_HOME")
    assert keras_home() == Path.home() / ".keras"
