"""Under load the less urgent is refused first, and lists never."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import RequestFactory

from recsite import overload
from recsite.overload import OverloadMiddleware, kind_of

make = RequestFactory()
REQUESTS: dict[str, Callable[[], HttpRequest]] = {
    "list": lambda: make.get("/api/v1/recommendations/ann"),
    "events": lambda: make.post("/api/v1/events", "{}", content_type="application/json"),
    "bulk": lambda: make.post("/api/v1/events", "x" * 20_000, content_type="application/json"),
    "other": lambda: make.get("/api/v1/users/ann"),
}


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (make.get("/api/v1/recommendations/ann"), ""),
        (make.get("/api/v1/similar/heat"), ""),
        (make.get("/api/v1/pages/home"), ""),
        (make.get("/readyz"), ""),
        (make.get("/"), ""),
        (make.post("/api/v1/events", "x" * 16_384, content_type="application/json"), "events"),
        (make.post("/api/v1/events", "x" * 16_385, content_type="application/json"), "bulk"),
        (make.generic("POST", "/api/v1/events", "", CONTENT_LENGTH="many"), "bulk"),
        (make.get("/api/v1/users/ann"), "other"),
        (make.put("/api/v1/items/heat"), "other"),
        (make.post("/recommender/late", {"shown": "heat"}), ""),
        (make.post("/act/like/heat/", {"next": "/"}), "events"),
        (make.post("/recommender/report", "{}", content_type="application/json"), "events"),
        (make.post("/admin/catalog/item/import/", "x" * 20_000, content_type="text/csv"), "bulk"),
    ],
)
def test_what_is_asked_says_how_urgent_it_is(request_: HttpRequest, kind: str) -> None:
    assert kind_of(request_) == kind


def statuses_while(busy: list[str], settings: Any) -> dict[str, int]:
    """Return, of one more request of each kind, the status while those of `busy` are under way."""
    settings.WEB_THREADS = 8
    found: dict[str, int] = {}

    def answer(request: HttpRequest) -> HttpResponse:
        # What is under way waits here until all others are, then one more of each kind comes.
        if busy:
            site(REQUESTS[busy.pop()]())
        elif not found:
            found["list"] = 0
            for kind, request_of in REQUESTS.items():
                found[kind] = site(request_of()).status_code
        return HttpResponse("")

    site = OverloadMiddleware(answer)
    site(REQUESTS[busy.pop()]())
    assert site._under_way == 0
    assert set(site._by_kind.values()) == {0}
    return found


@pytest.mark.parametrize(
    ("busy", "refused"),
    [
        (["list"], set()),
        (["other", "other"], {"other"}),
        (["bulk", "bulk"], {"bulk"}),
        (["events"] * 4, set()),
        (["events"] * 6, {"other", "bulk", "events"}),
        (["list"] * 5, {"other", "bulk"}),
        (["list"] * 6, {"other", "bulk", "events"}),
        (["list"] * 20, {"other", "bulk", "events"}),
    ],
)
def test_the_less_urgent_are_refused_first(
    busy: list[str], refused: set[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = {kind: replace(share, standing=0.0) for kind, share in overload.SHARES.items()}
    monkeypatch.setattr(overload, "SHARES", at_once)
    found = statuses_while(busy, settings)
    assert {kind for kind, status in found.items() if status == 503} == refused
    assert found["list"] == 200


def test_a_burst_is_worked_off_and_a_queue_that_stands_is_not(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WEB_THREADS = 8
    now, found = 100.0, list[tuple[float, int]]()
    monkeypatch.setattr(overload.time, "monotonic", lambda: now)

    def at(moment: float) -> None:
        nonlocal now
        now = moment
        found.append((moment, site(REQUESTS["events"]()).status_code))

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path_info == "/api/v1/events":
            return HttpResponse("")
        if site._under_way < 6:
            site(REQUESTS["list"]())
            return HttpResponse("")
        at(now)
        at(102.99)
        at(103.01)
        return HttpResponse("")

    site = OverloadMiddleware(answer)
    site(REQUESTS["list"]())
    at(103.02)
    # Six of eight threads are taken at 100.0 and free again after 103.01.
    assert found == [(100.0, 200), (102.99, 200), (103.01, 503), (103.02, 200)]
    assert site._busy_since == {}


def test_who_is_refused_hears_when_to_come_again(settings: Any) -> None:
    before = overload.SHED.labels("bulk")._value.get()
    site = OverloadMiddleware(lambda request: HttpResponse(""))
    site._by_kind["bulk"] = 2
    answer = site(REQUESTS["bulk"]())
    assert isinstance(answer, JsonResponse)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert json.loads(answer.content)["error"]["code"] == "overloaded"
    assert overload.SHED.labels("bulk")._value.get() == before + 1
    assert site._by_kind["bulk"] == 2


def test_a_request_that_crashes_leaves_its_place(settings: Any) -> None:
    def crash(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    site = OverloadMiddleware(crash)
    with pytest.raises(ZeroDivisionError):
        site(REQUESTS["events"]())
    assert site._under_way == 0
