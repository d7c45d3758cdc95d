import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import numpy as np
import pytest

from minikeras.callbacks import RemoteMonitor

LOGS = {"loss": 0.5, "f1": np.float32(0.25), "each": np.array([0.5, 1.0]), "bad": float("nan")}


class Handler(BaseHTTPRequestHandler):
    status = 200

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.seen.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(server):
    return f"http://127.0.0.1:{server.server_port}"


def test_logs_are_sent_as_a_field_of_a_form(server):
    RemoteMonitor(address(server)).on_epoch_end(2, LOGS)
    path, headers, body = server.seen[0]
    assert path == "/publish/epoch/end/"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    sent = json.loads(parse_qs(body)["data"][0])
    assert sent.pop("bad") != 0  # NaN
    assert sent == {"epoch": 2, "loss": 0.5, "f1": 0.25, "each": [0.5, 1.0]}


def test_logs_are_sent_as_json_with_path_and_headers_of_ones_own(server):
    monitor = RemoteMonitor(address(server), "/mine", headers={"X-Key": "k"}, send_as_json=True)
    monitor.on_epoch_end(0, LOGS)
    path, headers, body = server.seen[0]
    assert (path, headers["X-Key"], headers["Content-Type"]) == ("/mine", "k", "application/json")
    expected = {"epoch": 0, "loss": 0.5, "f1": 0.25, "each": [0.5, 1.0], "bad": None}
    assert json.loads(body) == expected


def test_a_field_of_ones_own_is_used(server):
    RemoteMonitor(address(server), field="mine").on_epoch_end(0, {"loss": 1.0})
    assert json.loads(parse_qs(server.seen[0][2])["mine"][0]) == {"epoch": 0, "loss": 1.0}


def test_a_server_that_refuses_or_is_not_there_is_warned_of(server):
    server.status = 500
    with pytest.warns(UserWarning, match=r"could not send epoch 4 to http://127.*500"):
        RemoteMonitor(address(server)).on_epoch_end(3, {"loss": 1.0})
    with pytest.warns(UserWarning, match=r"could not send epoch 1 to http://127\.0\.0\.1:9/"):
        RemoteMonitor("http://127.0.0.1:9").on_epoch_end(0, {"loss": 1.0})


def test_other_kinds_of_addresses_are_refused_at_once():
    with pytest.raises(ValueError, match=r"`root` must be an address.*Received: 'file:///etc'"):
        RemoteMonitor("file:///etc")
