"""What editors take away is gone from the very next answer of every web process, with Redis and without it."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import override_settings

from catalog.models import Item
from catalog.redis_store import client
from recommender.models import Rule
from recommender.rules import versions
from recsite import api_keys
from recsite.local_services.valkey import Valkey
from tests.recommender.film_site import FILMS, FilmSite
from tests.recommender.rule_writing import published
from tests.web_server import web_server

START_SECONDS = 30.0


class _Process:
    """A web process of its own, asked on one connection."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        self._headers = {"Authorization": f"Api-Key {key}"}

    def list_of(self, path: str) -> list[str]:
        """Return the item ids of an answer."""
        self._connection.request("GET", f"/api/v1/{path}", headers=self._headers)
        response = self._connection.getresponse()
        body: dict[str, Any] = json.loads(response.read())
        assert response.status == 200, body
        return [item["item_id"] for item in body["recommendations"]]

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@contextmanager
def own_redis(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Redis that this test may kill, in the place of the one that all tests share."""
    socket = folder / "redis.sock"
    program = Valkey(folder, folder).program
    arguments = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL) as server:
        try:
            asked = redis.Redis(unix_socket_path=str(socket))
            deadline = time.monotonic() + START_SECONDS
            while not socket.exists() or not asked.ping():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            with override_settings(REDIS_URL=f"unix://{socket}?db=0"):
                client.cache_clear()
                yield server
        finally:
            client.cache_clear()
            server.kill()


@pytest.mark.usefixtures("committing_database", "models")
@pytest.mark.parametrize("redis_dies", [False, True], ids=["with Redis", "Redis has died"])
def test_what_is_taken_away_is_gone_from_the_next_answer(tmp_path: Path, redis_dies: bool) -> None:
    asked = {"a list": "recommendations/ann?limit=9", "similar items": "similar/heat?limit=9"}
    with own_redis(tmp_path) as server, ExitStack() as stack:
        site = FilmSite(nullcontext)
        site.does("ann", ("watch", "airplane"))
        key = api_keys.create("test", ["read"])
        rule = published("pin", items=["coco"], position=1)
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        with web_server(tmp_path / "one") as one, web_server(tmp_path / "two") as two:
            processes = [stack.enter_context(closing(_Process(port, key))) for port in (one, two)]

            def lists() -> list[list[str]]:
                return [process.list_of(path) for process in processes for path in asked.values()]

            for _ in range(3):
                for shown in lists():
                    assert shown[0] == "coco"
                    assert {"ronin", "thief"} <= set(shown)
            if redis_dies:
                server.kill()
                server.wait()

            Item.objects.get(item_id="ronin").delete()
            for shown in lists():
                assert "ronin" not in shown
                assert {"coco", "thief"} <= set(shown)

            item = Item.objects.get(item_id="thief")
            item.is_active = False
            item.save()
            for shown in lists():
                assert "thief" not in shown
                assert shown[0] == "coco"

            Rule.objects.filter(pk=rule.pk).update(is_active=False)
            for shown in lists():
                assert shown[0] == "coco", "a draft serves nobody"
            versions.publish_draft()
            for shown in lists():
                assert shown[0] != "coco"

            published("hide", items=["alien"])
            for shown in lists():
                assert "alien" not in shown
                assert set(shown) <= set(FILMS) - {"ronin", "thief", "alien"}
            versions.roll_back(None)
            for shown in lists():
                assert "alien" in shown
