from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from recsite import api_keys
from recsite.site_only import AuthenticationMiddleware, MessageMiddleware, SessionMiddleware


@pytest.mark.parametrize(("path", "known"), [("/", True), ("/admin/", True), ("/api/v1/events", False)])
def test_only_on_the_site_there_are_sessions_and_somebody_signed_in(path: str, known: bool) -> None:
    seen: list[tuple[bool, ...]] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(tuple(hasattr(request, name) for name in ("session", "user", "_messages")))
        return HttpResponse()

    stack = SessionMiddleware(AuthenticationMiddleware(MessageMiddleware(view)))
    assert stack(RequestFactory().get(path)).status_code == 200
    assert seen == [(known,) * 3]


@pytest.mark.django_db
def test_the_api_takes_no_notice_of_a_cookie_and_sets_none() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies["sessionid"] = "anything"
    assert browser.post("/api/v1/events", "{}", content_type="application/json").status_code == 401
    key = api_keys.create("test", ["events"])
    answer = browser.post(
        "/api/v1/events", '{"events": []}', content_type="application/json", headers={"Authorization": f"Api-Key {key}"}
    )
    assert (answer.status_code, answer.json()["accepted"]) == (202, 0)
    assert not answer.cookies


@pytest.mark.django_db
def test_a_form_of_the_site_still_needs_its_token() -> None:
    assert Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a"}).status_code == 403
