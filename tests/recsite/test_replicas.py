"""Replicas answer who only asks; a browser that has written, the API and everybody else are with the primary."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from catalog.postgres import reading
from recsite import databases, environment, replicas
from recsite.replicas import COOKIE, Replica, ReplicaMiddleware

make = RequestFactory()


class Beat:
    """Stands for a connection to a replica that has beat's last run as of some seconds ago."""

    def __init__(self, behind: float | Exception | None) -> None:
        self.behind = behind
        self.asked = 0

    @contextmanager
    def cursor(self) -> Any:
        self.asked += 1
        if isinstance(self.behind, Exception):
            raise self.behind
        yield self

    def execute(self, statement: str) -> None:
        assert "last_run_at" in statement

    def fetchone(self) -> tuple[float | Exception | None]:
        return (self.behind,)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[Replica]:
    """Two replicas that are up to date."""
    there = [Replica("replica1"), Replica("replica2")]
    monkeypatch.setattr(replicas, "connections", {"replica1": Beat(1.0), "replica2": Beat(1.0)})
    monkeypatch.setattr(replicas, "replicas", lambda: there)
    return there


def chosen_for(*requests: HttpRequest) -> list[str]:
    """Return where each request reads."""
    found: list[str] = []

    def answer(request: HttpRequest) -> HttpResponse:
        found.append(reading._thread.replica)
        return HttpResponse("")

    site = ReplicaMiddleware(answer)
    for request in requests:
        site(request)
    return found


def with_cookie(request: HttpRequest) -> HttpRequest:
    request.COOKIES[COOKIE] = "1"
    return request


def test_who_only_asks_reads_from_each_replica_in_turn(known: list[Replica]) -> None:
    asked = [make.get("/"), make.head("/browse/"), make.get("/admin/catalog/item/")]
    assert chosen_for(*asked) == ["replica1", "replica2", "replica1"]


def test_writers_and_the_api_read_from_the_primary(known: list[Replica]) -> None:
    asked = [make.post("/act/like/heat/"), with_cookie(make.get("/")), make.get("/api/v1/items/heat")]
    assert chosen_for(*asked) == ["", "", ""]


@pytest.mark.parametrize(
    ("request_", "noted"),
    [
        (make.post("/act/like/heat/"), True),
        (make.post("/admin/catalog/item/add/"), True),
        (make.get("/"), False),
        (make.post("/api/v1/events"), False),
        (make.post("/recommender/report"), False),
        (make.post("/recommender/late"), False),
    ],
)
def test_a_browser_that_has_written_is_known_by_a_cookie(
    known: list[Replica], settings: Any, request_: HttpRequest, *, noted: bool
) -> None:
    settings.REPLICA_LAG_SECONDS = 20
    cookies = ReplicaMiddleware(lambda request: HttpResponse(""))(request_).cookies  # type: ignore[attr-defined]
    assert (COOKIE in cookies) is noted
    if noted:
        assert (cookies[COOKIE]["max-age"], cookies[COOKIE]["httponly"], cookies[COOKIE]["samesite"]) == (
            20,
            True,
            "Lax",
        )


@pytest.mark.parametrize(
    ("behind", "fault"),
    [
        (0.5, None),
        (15.0, None),
        (15.1, "is 15 s behind"),
        (None, "has no run of beat to tell how old it is"),
        (OperationalError("gone"), "cannot be asked (OperationalError)"),
    ],
)
def test_a_replica_is_read_only_up_to_a_lag(
    settings: Any, monkeypatch: pytest.MonkeyPatch, behind: float | Exception | None, fault: str | None
) -> None:
    settings.REPLICA_LAG_SECONDS = 20
    monkeypatch.setattr(replicas, "connections", {"replica1": Beat(behind)})
    replica = Replica("replica1")
    assert replica.is_current() is (fault is None)
    assert replica.fault == fault


def test_it_is_asked_how_old_it_is_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    beat = Beat(1.0)
    monkeypatch.setattr(replicas, "connections", {"replica1": beat})
    monkeypatch.setattr(replicas.time, "monotonic", lambda: now)
    replica = Replica("replica1")
    assert [replica.is_current() for _ in range(5)] == [True] * 5
    assert beat.asked == 1
    beat.behind = 1000.0
    now += replicas.CHECK_SECONDS
    assert not replica.is_current()
    assert beat.asked == 2


def test_without_a_replica_that_may_be_read_it_is_the_primary(
    known: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "connections", {"replica1": Beat(None), "replica2": Beat(OperationalError("gone"))})
    assert chosen_for(make.get("/"), make.get("/")) == ["", ""]


def test_replicas_are_databases_that_take_no_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ["postgres://reader@one:5433/site", "postgres://reader@%2Frun%2Ftwo/site"]
    monkeypatch.setattr(environment, "REPLICA_URLS", urls)
    made = databases.configured()
    assert list(made) == ["default", "replica1", "replica2"]
    assert (made["replica1"]["HOST"], made["replica1"]["PORT"], made["replica2"]["HOST"]) == ("one", 5433, "/run/two")
    for name, database in made.items():
        assert database["ENGINE"] == "catalog.postgres"
        assert ("default_transaction_read_only=on" in database["OPTIONS"]["options"]) is (name != "default")
        assert (database["TEST"].get("MIRROR") == "default") is (name != "default")
