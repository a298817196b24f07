"""Nobody gets more than his limit: not in parallel, not by several processes, not by another header."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.test import Client

from interactions import redis_breaker
from interactions.redis_breaker import RedisAway, ask
from recsite import api_keys, rate_limits
from recsite.models import ApiKey
from recsite.openapi import document
from recsite.rate_limits import RateLimited

SHOP = "https://shop.example"
PATH = "/api/v1/items/none"
VISITOR = "visitor-3f2b8a6e-1c4d-4e5f-8a9b-0c1d2e3f4a5b"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("recsite.rate_limits.time.monotonic", clock)
    return clock


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    asked = []

    def away(call: Any) -> Any:
        asked.append(1)
        raise RedisAway("it hangs")

    monkeypatch.setattr("recsite.rate_limits.ask", away)
    return asked


@pytest.fixture
def fresh_keys(db: None) -> Iterator[None]:
    api_keys.forget()
    yield
    api_keys.forget()


def passes(name: str, limit: int) -> bool:
    try:
        rate_limits.spend(name, limit)
    except RateLimited:
        return False
    return True


def get(key: str, path: str = PATH, **headers: str) -> Any:
    return Client().get(path, headers={"Authorization": f"Api-Key {key}", **headers})


@pytest.mark.parametrize("limit", [7, 60, 1_999])
def test_of_many_at_once_no_more_than_the_limit_pass(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    late = list[Exception]()

    def asked(call: Any) -> Any:
        try:
            return ask(call)
        except RedisAway as error:
            late.append(error)
            raise

    monkeypatch.setattr(rate_limits, "ask", asked)
    with ThreadPoolExecutor(16) as threads:
        passed = list(threads.map(lambda _: passes("burst", limit), range(2 * limit + 100)))
    # A thread that was last to tell what it got may find that the others have been refused: then that is left.
    left = sum(portion.left for portion in rate_limits._portions.values())
    # Nor less; what Redis gave too late, on a busy machine, is lost.
    assert sum(passed) + left == limit or (late and sum(passed) + left < limit)


@pytest.mark.usefixtures("each_redis")
def test_processes_share_a_limit(redis_prefix: str, settings: django_settings) -> None:
    limit = 3_000
    program = (
        "import django; django.setup()\n"
        "from recsite import rate_limits\n"
        "passed = 0\n"
        f"for _ in range({limit}):\n"
        f"    try: rate_limits.spend('shared', {limit}); passed += 1\n"
        "    except rate_limits.RateLimited: pass\n"
        "print(passed)\n"
    )
    environment = {
        "DJANGO_SETTINGS_MODULE": "recsite.settings", "REDIS_KEY_PREFIX": redis_prefix, "PATH": "/usr/bin",
        "REDIS_URL": settings.REDIS_URL, "CELERY_BROKER_URL": "memory://",
    }  # fmt: skip
    both = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    passed = [int(one.communicate(timeout=120)[0]) for one in both]
    assert sum(passed) == limit


@pytest.mark.usefixtures("each_redis")
def test_a_hundred_parallel_requests_at_a_limit_of_ten(fresh_keys: None) -> None:
    key = api_keys.create("shop", ["catalog"], rate=10)
    api_keys.verify(key)  # Threads of a test have no share in its transaction.
    spent = rate_limits.spend

    def request(_: int) -> bool:
        try:
            spent(f"key:{key.split('_')[1]}", 10)
        except RateLimited:
            return False
        return True

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(request, range(99))) == 10
    refused = get(key)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Limit"] == "10"
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert refused.headers["RateLimit-Reset"] == refused.headers["Retry-After"]
    assert ApiKey.objects.get().rate == 10


def test_a_window_ends(clock: Clock, settings: django_settings) -> None:
    assert [passes("short", 2) for _ in range(3)] == [True, True, False]
    clock.now += 61
    # Redis keeps its own time; for this one the window is as new as the process's.
    rate_limits.ask(lambda redis: redis.delete(rate_limits.key("rate", "short")))
    assert passes("short", 2)


def test_another_header_is_no_other_client(fresh_keys: None, settings: django_settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "address": 3, "visitor": 4}
    forged = [{"X-Forwarded-For": f"10.0.0.{n}"} for n in range(6)]
    statuses = [get("rs_00000000_wrong", **headers).status_code for headers in forged]
    assert statuses == [401, 401, 401, 429, 429, 429]
    key = api_keys.create("web", ["read"], [SHOP])
    path = f"/api/v1/recommendations/{VISITOR}"
    statuses = [get(key, path, Origin=SHOP, **headers).status_code for headers in forged]
    assert statuses == [200, 200, 200, 200, 429, 429]


def test_behind_a_proxy_its_word_counts(fresh_keys: None, settings: django_settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "address": 1}
    settings.NUM_PROXIES = 1
    chains = ["10.0.0.1", "10.0.0.1", "6.6.6.6, 10.0.0.1", "10.0.0.2", "6.6.6.6, 2001:db8::1", "2001:db8::2"]
    statuses = [get("rs_00000000_wrong", **{"X-Forwarded-For": chain}).status_code for chain in chains]
    assert statuses == [401, 429, 429, 401, 401, 429]


def test_a_publishable_key_has_less(fresh_keys: None, settings: django_settings) -> None:
    limits = settings.RATE_LIMITS
    assert limits["visitor"] < limits["publishable"] < limits["secret"]
    settings.RATE_LIMITS = {**limits, "publishable": 1, "secret": 2}
    public, secret = api_keys.create("web", ["read"], [SHOP]), api_keys.create("server", ["read"])
    path = f"/api/v1/recommendations/{VISITOR}"
    assert [get(public, path).status_code for _ in range(3)] == [200, 429, 429]
    assert [get(secret, path).status_code for _ in range(3)] == [200, 200, 429]


def test_without_redis_a_process_counts_alone(no_redis: list[int]) -> None:
    assert [passes("alone", 3) for _ in range(5)] == [True, True, True, False, False]


def test_a_redis_that_does_not_answer_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time-out of the client bounds one try, the breaker the number of tries."""
    asked = []

    def hangs() -> Any:
        asked.append(1)
        raise redis_breaker.redis.TimeoutError

    monkeypatch.setattr(redis_breaker, "client", hangs)
    monkeypatch.setattr(redis_breaker, "breaker", redis_breaker.CircuitBreaker())
    assert sum(passes("hung", 40) for _ in range(60)) == 40
    assert len(asked) == redis_breaker.FAILURES
    assert django_settings.REDIS_TIMEOUT_SECONDS <= 0.2


def test_a_busy_key_hardly_asks_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    ask = rate_limits.ask
    monkeypatch.setattr("recsite.rate_limits.ask", lambda call: asked.append(1) or ask(call))
    for _ in range(4_000):
        rate_limits.spend("busy", 600_000)
    assert len(asked) == 2


def test_a_refused_client_does_not_ask_redis_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [passes("over", 1) for _ in range(2)] == [True, False]
    monkeypatch.setattr("recsite.rate_limits.ask", lambda call: pytest.fail("asked"))
    assert not passes("over", 1)


def test_no_address_is_kept_in_redis(fresh_keys: None) -> None:
    get("rs_00000000_wrong")
    (name,) = rate_limits.ask(lambda redis: redis.keys(f"{rate_limits.key('rate', 'address')}:*"))
    assert b"127.0.0.1" not in name


def test_forms_of_the_site_are_counted_by_address(db: None, settings: django_settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "address": 2}
    form = {"username": "boss", "password": "wrong"}
    statuses = [Client().post("/admin/login/", form).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert Client().get("/admin/login/").status_code == 200


def test_a_limit_of_nought_is_none() -> None:
    assert all(passes("free", 0) for _ in range(3))


def test_the_command_gives_a_key_its_rate(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "slow", "--scope", "read", "--rate", "90")
    assert ApiKey.objects.get(name="slow").rate == 90
    with pytest.raises(CommandError, match="A key's rate is 1 to 10,000,000 requests a minute, not 0"):
        call_command("create_api_key", "none", "--scope", "read", "--rate", "0")
    assert ApiKey.objects.count() == 1


def test_every_operation_of_the_document_says_so() -> None:
    operations = [one for path in document()["paths"].values() for one in path.values()]
    assert operations
    for one in operations:
        assert set(one["responses"]["429"]["headers"]) == {
            "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset",
        }  # fmt: skip
    assert "rate_limited" in json.dumps(document()["paths"])
