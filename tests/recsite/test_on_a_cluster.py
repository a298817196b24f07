"""The whole site on a cluster: while slots move and while a node is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from django.test import Client

from catalog import revisions
from catalog.redis_store import client
from interactions import feature_rebuilding, feature_store, features, impressions, redis_breaker, stale_histories, tasks
from interactions.models import Event, Impression, StaleHistory
from recommender import diagnosis, kept_lists
from recsite import api_keys, environment, health
from recsite.models import ApiKey
from tests.recommender.conftest import Commit, commit, fresh_process, models, site
from tests.recommender.film_site import FilmSite
from tests.redis_cluster import OwnCluster

__all__ = ["commit", "fresh_process", "models", "site"]

USERS = [f"user{number}" for number in range(24)]

Shown = dict[str, list[str]]
"""Items of each list, by its request id."""


@pytest.fixture
def api(db: None) -> Client:
    api_keys.forget()
    return Client(headers={"Authorization": f"Api-Key {api_keys.create('all', list(ApiKey.Scope.values))}"})


def watch(api: Client, commit: Commit, item_id: str) -> None:
    """Have everybody watch something, in one batch and one by one."""
    events = [{"user_id": user_id, "item_id": item_id, "event_type": "watch"} for user_id in USERS]
    with commit():
        answer = api.post("/api/v1/events", {"events": events[:12]}, content_type="application/json")
        assert (answer.status_code, answer.json()["accepted"]) == (202, 12)
    for event in events[12:]:
        with commit():
            assert api.post("/api/v1/events", event, content_type="application/json").status_code == 202


def look(api: Client) -> Shown:
    """Ask for everybody's list."""
    answers = [api.get(f"/api/v1/recommendations/{user_id}") for user_id in USERS]
    assert {answer.status_code for answer in answers} == {200}
    found = [answer.json() for answer in answers]
    return {one["request_id"]: [item["item_id"] for item in one["recommendations"]] for one in found}


def written(commit: Commit) -> Shown:
    """Write down what was shown, and return what Postgres has, an item as often as it is there."""
    new = 1
    while new:
        with commit():
            new = impressions.write_pending()
    names = dict(Event._meta.apps.get_model("catalog", "Item").objects.values_list("pk", "item_id"))
    found: Shown = {}
    for request_id, item in Impression.objects.order_by("position").values_list("request_id", "item_id"):
        found.setdefault(str(request_id), []).append(names[item])
    return found


def assert_redis_is_right() -> None:
    """Assert that Redis holds of everybody what Postgres does, once what is noted is mended."""
    deadline = time.monotonic() + 20
    while StaleHistory.objects.exists() and time.monotonic() < deadline:
        stale_histories.mend()
        time.sleep(0.05)
    assert not StaleHistory.objects.exists()
    for user_id in USERS:
        # The first may fill it in, the second finds it.
        for _ in range(2):
            assert features.load(user_id)[0].item_pks.tolist() == features.as_of(user_id).item_pks.tolist()
            assert len(features.load(user_id)[0].item_pks) == 2


def test_everything_works_and_lies_on_all_nodes(
    site: FilmSite, api: Client, commit: Commit, cluster: OwnCluster
) -> None:
    watch(api, commit, "heat")
    shown = look(api)
    watch(api, commit, "alien")
    assert {item for items in look(api).values() for item in items}.isdisjoint({"heat", "alien"})
    assert_redis_is_right()
    assert shown.items() <= written(commit).items()
    assert client().xlen(impressions.stream_key()) == 0
    made = api.get("/api/v1/recommendations/user0?cursor=&limit=2").json()
    following = api.get(f"/api/v1/recommendations/user0?cursor={made['next_cursor']}&limit=2").json()
    assert following["request_id"] == made["request_id"]
    assert kept_lists.erase("user0") == 1
    assert all(node.ask("DBSIZE") > 0 for node in cluster.nodes)
    assert health._redis_fault() is None
    assert diagnosis._redis().level == "ok"


@pytest.mark.parametrize(
    "key",
    [lambda: feature_store.user_key("user0"), revisions.hash_key, impressions.stream_key],
    ids=["users", "revisions", "stream"],
)
def test_while_a_slot_moves_nothing_is_lost(
    site: FilmSite, api: Client, commit: Commit, cluster: OwnCluster, key: Callable[[], str]
) -> None:
    watch(api, commit, "heat")
    shown = look(api)
    with cluster.moving(key()):
        shown |= look(api)
        watch(api, commit, "alien")
        shown |= look(api)
    shown |= look(api)
    assert Event.objects.count() == 2 * len(USERS)
    assert_redis_is_right()
    assert written(commit) == shown


@pytest.mark.parametrize("whole", ["no", "yes"])
@pytest.mark.parametrize(
    "key",
    [lambda: feature_store.user_key("user0"), revisions.hash_key, impressions.stream_key],
    ids=["users", "revisions", "stream"],
)
def test_with_a_node_killed_lists_are_answered_and_no_event_is_lost(
    site: FilmSite,
    api: Client,
    commit: Commit,
    fragile_cluster: OwnCluster,
    key: Callable[[], str],
    whole: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether the cluster stops without it or goes on with what is left."""
    for node in fragile_cluster.nodes:
        node.ask("CONFIG", "SET", "cluster-require-full-coverage", whole)
    watch(api, commit, "heat")
    shown = look(api)
    lost = fragile_cluster.owner(key())
    lost.kill()
    watch(api, commit, "alien")
    shown |= look(api)
    assert StaleHistory.objects.exists()
    assert health._redis_fault() == "cannot be asked (ConnectionError)"
    assert diagnosis._redis().level == "warning"
    lost.start()
    fragile_cluster.wait()
    monkeypatch.setattr(redis_breaker, "breaker", redis_breaker.CircuitBreaker())
    assert Event.objects.count() == 2 * len(USERS)
    assert_redis_is_right()
    shown |= look(api)
    assert written(commit) == shown
    assert health._redis_fault() is None


def test_a_node_that_lost_its_keys_is_filled(
    site: FilmSite, api: Client, commit: Commit, fragile_cluster: OwnCluster
) -> None:
    watch(api, commit, "heat")
    watch(api, commit, "alien")
    assert tasks.refill_features() == len(USERS)
    assert feature_rebuilding.is_filled()
    assert sorted({one for part in feature_rebuilding.cached_users() for one in part}) == sorted(USERS)
    node = fragile_cluster.owner(feature_store.user_key("user0"))
    node.ask("FLUSHALL")
    node.kill()
    node.start()
    fragile_cluster.wait()
    assert not feature_rebuilding.is_filled()
    assert tasks.refill_features() == len(USERS)
    assert_redis_is_right()


def test_celery_needs_a_broker_of_its_own() -> None:
    """With one, settings are as ever; without, nothing starts."""
    variables = {"PATH": os.environ["PATH"], "REDIS_URL": "redis+cluster://one:7000,two:7000"}
    command = [sys.executable, "-c", "import recsite.settings as s; print(s.CELERY_BROKER_URL)"]
    alone = subprocess.run(
        command, cwd=environment.BASE_DIRECTORY, env=variables, check=False, capture_output=True, text=True
    )
    assert alone.returncode != 0
    assert (
        "ImproperlyConfigured: Celery cannot keep its queues in a Redis Cluster: set CELERY_BROKER_URL" in alone.stderr
    )
    variables["CELERY_BROKER_URL"] = "redis://queues:6379/1"
    served = subprocess.run(
        command, cwd=environment.BASE_DIRECTORY, env=variables, check=True, capture_output=True, text=True
    )
    assert served.stdout.strip() == "redis://queues:6379/1"
