"""Keys: shown once, stored as a hash, verified from memory, revoked within seconds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from recsite import api_keys
from recsite.models import ApiKey


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr("recsite.api_keys.time.monotonic", clock)
    api_keys.forget()
    yield clock
    api_keys.forget()


def test_a_key_is_random_and_only_its_hash_is_stored(clock: Clock) -> None:
    key = api_keys.create("shop", ["events", "read", "events"])

    assert re.fullmatch(r"rs_[0-9a-f]{8}_[0-9a-f]{40}", key)
    row = ApiKey.objects.get()
    assert (row.name, row.prefix, row.scopes) == ("shop", key[3:11], ["events", "read"])
    assert row.sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert api_keys.create("shop", ["read"]) != key


@pytest.mark.parametrize(
    ("name", "scopes", "message"),
    [
        ("shop", ["read", "admin"], "Unknown scope: admin. Choose from read, events, catalog, users."),
        ("shop", [], "Unknown scope: none. Choose from read, events, catalog, users."),
        ("  ", ["read"], "A key's name has 1 to 100 characters, not 0."),
        ("x" * 101, ["read"], "A key's name has 1 to 100 characters, not 101."),
    ],
)
def test_a_wrong_name_or_scope_creates_nothing(clock: Clock, name: str, scopes: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        api_keys.create(name, scopes)
    assert ApiKey.objects.count() == 0


def test_a_key_is_verified_once_in_five_seconds(clock: Clock, django_assert_num_queries: Any) -> None:
    key = api_keys.create("shop", ["read"])
    with django_assert_num_queries(2):  # finds it, and notes that it was used
        verified = api_keys.verify(key)
    assert verified is not None
    assert (verified.name, verified.scopes) == ("shop", frozenset({"read"}))

    clock.now += 4.9
    with django_assert_num_queries(0):
        assert api_keys.verify(key) == verified
    clock.now += 0.1
    with django_assert_num_queries(1):
        assert api_keys.verify(key) == verified


@pytest.mark.parametrize(
    "wrong",
    ["", "rs", "rs_12345678", "rs_{prefix}_" + "0" * 40, "rs_{prefix}_", "x_{prefix}_y", "{key}0", "{KEY}", "rs_\0_\0"],
)
def test_a_wrong_key_is_refused_without_a_second_query(
    clock: Clock, django_assert_num_queries: Any, wrong: str
) -> None:
    key = api_keys.create("shop", ["read"])
    presented = wrong.format(prefix=key[3:11], key=key, KEY=key.upper())
    assert api_keys.verify(presented) is None
    with django_assert_num_queries(0):
        assert api_keys.verify(presented) is None
    assert ApiKey.objects.get().last_used_at is None


def test_a_revoked_key_is_refused_here_at_once_and_elsewhere_within_five_seconds(clock: Clock) -> None:
    key = api_keys.create("shop", ["read"])
    api_keys.verify(key)
    ApiKey.objects.update(revoked_at=timezone.now())  # as another process would

    clock.now += 4.9
    assert api_keys.verify(key) is not None
    clock.now += 0.1
    assert api_keys.verify(key) is None

    other = api_keys.create("other", ["read"])
    api_keys.verify(other)
    assert api_keys.revoke(other[3:11]) is True
    assert api_keys.verify(other) is None
    assert api_keys.revoke(other[3:11]) is False
    assert api_keys.revoke("00000000") is False


def test_the_last_use_is_written_at_most_once_a_minute(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    key = api_keys.create("shop", ["read"])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    used = []
    for seconds in (0, 6, 59, 65):
        monkeypatch.setattr("recsite.api_keys.timezone.now", lambda: start + timedelta(seconds=seconds))  # noqa: B023
        clock.now = 1000.0 + seconds
        api_keys.verify(key)
        used.append(ApiKey.objects.get().last_used_at)
    assert used == [start, start, start, start + timedelta(seconds=65)]


def test_a_flood_of_wrong_keys_neither_grows_nor_evicts(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MOST_REMEMBERED", 3)
    key = api_keys.create("shop", ["read"])
    api_keys.verify(key)
    for number in range(10):
        api_keys.verify(f"wrong{number}")
    assert len(api_keys._refused) <= 3
    assert len(api_keys._good) == 1


def test_a_good_key_outlives_an_outage_of_postgres_for_ten_minutes(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = api_keys.create("shop", ["read"])
    verified = api_keys.verify(key)
    asked = []

    def away(key: str, digest: str) -> None:
        asked.append(key)
        raise OperationalError

    monkeypatch.setattr(api_keys, "_look_up", away)

    clock.now += 60
    assert api_keys.verify(key) == verified
    clock.now += 4
    assert api_keys.verify(key) == verified
    assert asked == [key]  # asked again only every five seconds
    with pytest.raises(OperationalError):
        api_keys.verify("rs_00000000_unknown")
    clock.now += 540
    with pytest.raises(OperationalError):
        api_keys.verify(key)


@pytest.mark.parametrize("arguments", [["--scope", "read", "events"], ["--scope", "read", "--scope", "events"]])
def test_the_command_prints_the_key_alone_on_its_last_line(
    clock: Clock, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    call_command("create_api_key", "shop", *arguments)
    verified = api_keys.verify(capsys.readouterr().out.splitlines()[-1])
    assert verified is not None
    assert (verified.name, verified.scopes) == ("shop", frozenset({"read", "events"}))


def test_the_command_refuses_an_unknown_scope_by_name(clock: Clock) -> None:
    with pytest.raises(CommandError, match=r"Unknown scope: write\. Choose from read, events, catalog, users\."):
        call_command("create_api_key", "shop", "--scope", "read", "write")
    assert ApiKey.objects.count() == 0
