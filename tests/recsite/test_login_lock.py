"""Five wrong passwords close the admin's log-in for a name from an address, until the time is over."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def boss(settings: django_settings) -> User:
    # The real ones take half a second on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_superuser("boss", password="right")


def log_in(password: str, name: str = "boss", **headers: str) -> Any:
    return Client().post("/admin/login/", {"username": name, "password": password}, headers=headers)


def test_the_sixth_try_is_refused_even_with_the_right_password() -> None:
    assert [log_in("wrong").status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    refused = log_in("right")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "900")
    assert "sessionid" not in refused.cookies
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert log_in("right").status_code == 302


def test_the_right_password_begins_anew() -> None:
    for _ in range(2):
        assert [log_in("wrong").status_code for _ in range(4)] == [200] * 4
        assert log_in("right").status_code == 302
    assert not AccessAttempt.objects.exists()


def test_another_forwarded_address_is_no_other_client() -> None:
    statuses = [log_in("wrong", **{"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]


def test_behind_a_proxy_one_client_closes_it_for_himself_alone(settings: django_settings) -> None:
    settings.NUM_PROXIES = 1
    for _ in range(6):
        log_in("wrong", **{"X-Forwarded-For": "10.0.0.1"})
    assert log_in("right", **{"X-Forwarded-For": "10.0.0.1"}).status_code == 429
    assert log_in("right", **{"X-Forwarded-For": "10.0.0.2"}).status_code == 302


def test_another_name_is_not_closed(boss: User) -> None:
    User.objects.create_superuser("other", password="right")
    for _ in range(6):
        log_in("wrong")
    assert log_in("right", "other").status_code == 302


def test_the_log_names_neither_name_nor_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for _ in range(6):
            log_in("wrong")
    assert "boss" not in caplog.text
    assert "127.0.0.1" not in caplog.text


def test_no_password_is_stored() -> None:
    log_in("my real password, mistyped")
    assert "mistyped" not in str(AccessAttempt.objects.values())


def test_the_demos_sign_in_stays_open() -> None:
    for _ in range(6):
        log_in("wrong")
    assert Client().get("/sign-in/").status_code == 200
