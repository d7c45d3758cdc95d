"""The logs of a run sent to a server."""

import json
import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core import validate
from ..core.catalog import register
from .callback import Callback, Logs

__all__ = ["RemoteMonitor"]

TIMEOUT = 10.0  # seconds to wait for the server


@register("callbacks")
class RemoteMonitor(Callback):
    """Send the logs of each epoch to a server, by HTTP POST.

    Args:
        root: Address of the server.
        path: What follows it in the address.
        field: Name of the field of the form that holds the logs as JSON.
        headers: Further HTTP headers.
        send_as_json: Send the JSON as the whole of the request (NaN as null), not within a form.

    A server that cannot be reached within ten seconds, or refuses, causes a warning; training goes
    on.

    >>> monitor = RemoteMonitor("http://localhost:9000", send_as_json=True)
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ):
        if not str(root).startswith(("http://", "https://")):
            raise ValueError(
                "RemoteMonitor: `root` must be an address that begins with 'http://' or 'https://'."
                f" Received: {root!r}."
            )
        if headers is not None and not isinstance(headers, Mapping):
            raise ValueError(
                "RemoteMonitor: `headers` must be a dict from names to values. "
                f"Received: {headers!r}."
            )
        self.root, self.path, self.field = root, path, field
        self.headers = None if headers is None else dict(headers)
        self.send_as_json = validate.boolean(send_as_json, "send_as_json", "RemoteMonitor")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        from urllib.request import Request, urlopen

        event = {"epoch": epoch, **{name: _plain(v) for name, v in (logs or {}).items()}}
        kind, body = self._content(event)
        headers = {"Content-Type": kind, **(self.headers or {})}
        request = Request(self.root + self.path, body, headers, method="POST")
        try:
            with urlopen(request, timeout=TIMEOUT) as answer:
                answer.read()
        except OSError as error:
            warnings.warn(
                f"RemoteMonitor could not send epoch {epoch + 1} to {self.root + self.path}: "
                f"{error}",
                stacklevel=2,
            )

    def _content(self, event: dict[str, Any]) -> tuple[str, bytes]:
        """The kind and the bytes of a request."""
        from urllib.parse import urlencode

        if self.send_as_json:
            event = {name: None if _is_nan(value) else value for name, value in event.items()}
            return "application/json", json.dumps(event, allow_nan=False).encode()
        form = urlencode({self.field: json.dumps(event)})
        return "application/x-www-form-urlencoded", form.encode()


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
