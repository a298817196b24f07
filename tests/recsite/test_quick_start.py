"""The snippets of the quick start do what the page says, as they are printed on it."""

from __future__ import annotations

import html
import http.client
import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from interactions.models import Event
from recsite import api_keys
from tests.browser import Person, chromium
from tests.recommender.conftest import fresh_process, models  # noqa: F401 -- fixtures
from tests.recommender.film_site import FilmSite
from tests.web_server import web_server

HANGING_SECONDS = 120


class Page:
    """The page as somebody reads it."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.port = port
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGING_SECONDS)
        asked.request("GET", "/api/v1/quick-start")
        answer = asked.getresponse()
        self.policy, self.text = answer.headers["Content-Security-Policy"], answer.read().decode()
        asked.close()

    def snippet(self, name: str) -> str:
        """Return the text of a snippet."""
        (found,) = re.findall(f'<code id="{name}">(.*?)</code>', self.text, re.DOTALL)
        return html.unescape(found)


@pytest.fixture
def page(committing_database: None, models: Path, tmp_path: Path) -> Iterator[Page]:  # noqa: F811
    FilmSite(nullcontext)
    api_keys.forget()
    with web_server(tmp_path) as port:
        yield Page(port)


def make_key(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the printed command; return the key that it prints."""
    python, manage, *arguments = shlex.split(command)
    assert (python, manage) == ("python", "manage.py")
    capsys.readouterr()
    call_command(*arguments)
    return capsys.readouterr().out.strip()


def environment(page: Page, key: str) -> dict[str, str]:
    """Return what the printed exports set, with the key in its place."""
    exports = [line.removeprefix("export ").split("=", 1) for line in page.snippet("environment").splitlines()]
    assert exports[0] == ["RECSITE_URL", page.origin]
    return {**os.environ, **dict(exports), "RECSITE_KEY": key}


def run(command: list[str], variables: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command, env=variables, cwd=folder, capture_output=True, text=True, timeout=HANGING_SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def told() -> list[tuple[str, str, str]]:
    return list(Event.objects.order_by("occurred_at").values_list("user__user_id", "item__item_id", "event_type__name"))


@contextmanager
def served(folder: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    """Serve a folder, as `python -m http.server` does."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_every_snippet_works_as_printed(page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "'unsafe-inline'" not in page.policy
    variables = environment(page, make_key(page.snippet("make-key"), capsys))
    curl_works(page, variables, tmp_path)
    python_works(page, variables, tmp_path)
    javascript_works(page, tmp_path, capsys)


def curl_works(page: Page, variables: dict[str, str], folder: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("There is no curl on this machine.")
    said = run(["sh", "-e", "-c", page.snippet("curl-snippet")], variables, folder)
    decoder, documents = json.JSONDecoder(), []
    while said:
        document, end = decoder.raw_decode(said)
        documents.append(document)
        said = said[end:]
    home, verdict, made = documents
    assert home["carousels"][0]["recommendations"][0]["item"]["title"]
    assert verdict["accepted"] == 1
    assert made["recommendations"][0]["reason"] == "Because you watched Heat"
    assert told() == [("quick-start", "heat", "watch")]


def python_works(page: Page, variables: dict[str, str], folder: Path) -> None:
    said = run([sys.executable, "-I", "-c", page.snippet("python-snippet")], variables, folder)
    before, after = said.split("--- after watching heat\n")
    assert "    Heat - " in before
    assert "Because you watched Heat" not in before
    assert "Because you watched Heat" in after
    assert told()[1:] == [("new-here", "heat", "watch")]


def javascript_works(page: Page, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = folder / "shop"
    shop.mkdir()
    with served(shop) as server, chromium() as browser:
        origin = f"http://localhost:{server.server_port}"
        # Port 3000 may be somebody else's on this machine.
        command = page.snippet("make-page-key").replace("http://localhost:3000", origin)
        key = make_key(command, capsys)
        (shop / "index.html").write_text(page.snippet("javascript-snippet").replace("rp_your_key", key))
        person = Person(browser, page.port)
        person.page.goto(f"{origin}/index.html")
        heat = person.page.get_by_role("button", name="Heat").first
        expect(heat).to_be_visible()
        with person.page.expect_response("**/api/v1/events") as answer:
            heat.click()
        assert answer.value.json()["accepted"] == 1
        assert [one for one in person.complaints if "favicon" not in one] == []
    ((visitor, item_id, event_type),) = told()[2:]
    assert (visitor[:8], item_id, event_type) == ("visitor-", "heat", "click")
