"""New versions are published while a real web process answers: no request is lost, and none is answered by an old
version once a newer one has answered on its connection."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from recsite import api_keys
from tests.recommender.film_site import FilmSite
from tests.web_server import web_server

CONNECTIONS = 4
PUBLISHED = 3
ANSWERS_BETWEEN = 20
"""On each connection, before the next version."""
PATIENCE_SECONDS = 60.0


class _Asking(threading.Thread):
    """One connection that asks for the same person's list until it is told to stop, and a little longer."""

    def __init__(self, port: int, key: str) -> None:
        super().__init__()
        self.answers: list[tuple[int, Any]] = []
        self.told_to_stop = threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self._headers = {"Authorization": f"Api-Key {key}"}

    def run(self) -> None:
        last = False
        while not last:
            last = self.told_to_stop.is_set()
            self._connection.request("GET", "/api/v1/recommendations/ann?limit=5", headers=self._headers)
            response = self._connection.getresponse()
            self.answers.append((response.status, json.loads(response.read())))
        self._connection.close()

    @property
    def versions(self) -> list[str]:
        """Of each answer, in order; one that names two is taken apart by the test."""
        return ["+".join({item["model_version"] for item in body["recommendations"]}) for _, body in self.answers]


def wait_for(asking: list[_Asking], version: str, answers: int) -> None:
    """Wait until every connection has had so many answers of `version`."""
    deadline = threading.Event()
    timer = threading.Timer(PATIENCE_SECONDS, deadline.set)
    timer.start()
    while any(one.versions.count(version) < answers for one in asking):
        assert not deadline.wait(0.02), [one.versions[-1:] for one in asking]
        assert all(one.is_alive() for one in asking)
    timer.cancel()


@pytest.mark.usefixtures("committing_database", "models")
def test_a_swap_loses_no_request_and_goes_one_way(tmp_path: Path) -> None:
    site = FilmSite(nullcontext)
    site.does("ann", ("watch", "heat"))
    key = api_keys.create("test", ["read"])
    with web_server(tmp_path, workers=2) as port:
        asking = [_Asking(port, key) for _ in range(CONNECTIONS)]
        for one in asking:
            one.start()
        try:
            wait_for(asking, "v1", ANSWERS_BETWEEN)
            for number in range(PUBLISHED):
                published = site.publish().name
                assert published == f"v{number + 2}"
                wait_for(asking, published, ANSWERS_BETWEEN)
        finally:
            for one in asking:
                one.told_to_stop.set()
            for one in asking:
                one.join()
    for one in asking:
        assert {status for status, _ in one.answers} == {200}
        assert {body["fallback"] for _, body in one.answers} == {False}
        # Ronin and Thief go with Heat, in every version.
        assert {body["recommendations"][0]["item_id"] for _, body in one.answers} == {"ronin"}
        assert one.versions == sorted(one.versions)
        assert set(one.versions) == {"v1", "v2", "v3", "v4"}
        assert one.versions[-1] == "v4"
