"""The site's WSGI application called as its server calls it, without a socket: all middleware, no network."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test.utils import override_settings

from recsite import api_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    seconds: float

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


class HttpDoor:
    """Sends requests with a key that has every scope the benchmarks need."""

    def __init__(self, application: WSGIHandler, api_key: str) -> None:
        self._application = application
        self._key = api_key

    def get(self, path: str) -> Answer:
        """GET `path`."""
        return self._ask("GET", path, b"")

    def post(self, path: str, body: bytes) -> Answer:
        """POST JSON `body`."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: bytes) -> Answer:
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost:8000",
            "HTTP_AUTHORIZATION": f"Api-Key {self._key}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
        }
        status = ""

        def start_response(
            line: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            nonlocal status
            status = line
            return io.BytesIO().write

        started = time.perf_counter()
        response = self._application(environ, start_response)
        content = b"".join(response)
        response.close()
        seconds = time.perf_counter() - started
        answer = Answer(status=int(status.split()[0]), body=content, seconds=seconds)
        if answer.status >= 400:
            raise AssertionError(f"{method} {path} was answered {status}: {content[:300]!r}")
        return answer


@contextmanager
def http_door() -> Iterator[HttpDoor]:
    """Yield the door of the site with the bare views beside it."""
    with override_settings(ROOT_URLCONF="tests.benchmarks.bare_views"):
        yield HttpDoor(WSGIHandler(), api_keys.create("benchmark", ["read", "events"]))
