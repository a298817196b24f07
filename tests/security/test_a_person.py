"""What is kept of a person: what README says and no more; all of it told to him; nothing of it left when he leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from experiments.models import Experiment, Exposure, Metric
from interactions import impressions, stale_histories
from interactions.models import DeadLetter, Event, Impression, UserProfile
from interactions.recording import EventInput, record
from recommender.models import ModelVersion, Shadow, ShadowList
from recsite import api_keys
from recsite.models import ApiKey
from tests.recommender.film_site import FilmSite
from tests.redis_cluster import every_server

pytestmark = pytest.mark.usefixtures("each_redis")

ANN = "ann-7f3a91c2d4"
NAMESAKE = "ann-7f3a91c2d4-x"
"""Begins like her id and is another's."""
README = (Path(settings.BASE_DIRECTORY) / "README.md").read_text(encoding="utf-8")

Commit = Callable[[], AbstractContextManager[Any]]


@pytest.fixture
def api(db: None) -> Client:
    api_keys.forget()
    return Client(headers={"Authorization": f"Api-Key {api_keys.create('all', list(ApiKey.Scope.values))}"})


@pytest.fixture
def ann(site: FilmSite, api: Client, commit: Commit) -> None:
    """Everything that can be known of her, and a little of somebody whose id begins like hers."""
    with commit():
        put(api, ANN, {"country": "FR", "preferences": {"categories": ["crime"]}, "consent": "granted"})
    for user_id in (ANN, NAMESAKE):
        site.does(user_id, ("watch", "heat"), ("click", "ronin"))
        with commit():
            record([EventInput(user_id, "not-there", "watch", timezone.now())])
    UserProfile.objects.filter(user_id=ANN).update(consent_version="2026-01")
    for user_id in (ANN, NAMESAKE):
        assert api.get(f"/api/v1/recommendations/{user_id}").status_code == 200
    impressions.write_pending()
    experiment = Experiment.objects.create(
        experiment_id="e", name="E", primary_metric=Metric.objects.create(name="watches", event_type="watch")
    )
    Exposure.objects.create(experiment=experiment, phase=1, unit=ANN, variant="a", exposed_at=timezone.now())
    shadow = Shadow.objects.create(version=ModelVersion.objects.get(), percent=100)
    lists = {"placement": "home", "shown_at": timezone.now(), "live_items": [1], "shadow_items": [2]}
    numbers = dict.fromkeys(("overlap", "rank_biased_overlap", "live_ms", "shadow_ms"), 1.0)
    flags = {"live_fallback": False, "shadow_fallback": False}
    ShadowList.objects.create(shadow=shadow, request_id=uuid4(), user_id=ANN, **lists, **numbers, **flags)
    # What a request with a key was answered is kept for who sends it again.
    with commit():
        put(api, "visitor-before", {})
        merged = {"from": "visitor-before", "to": ANN}
        key = {"Idempotency-Key": "merged once"}
        assert api.post("/api/v1/users/merge", merged, content_type="application/json", headers=key).status_code == 200
    # A list of several pages is kept for the next one.
    assert api.get(f"/api/v1/recommendations/{ANN}?cursor=&limit=2").json()["next_cursor"]
    # Still in the stream, not yet in Postgres.
    assert api.get(f"/api/v1/recommendations/{ANN}").status_code == 200


def put(api: Client, user_id: str, body: dict[str, Any]) -> Any:
    return api.put(f"/api/v1/users/{user_id}", json.dumps(body), content_type="application/json")


def columns_with(text: str) -> set[str]:
    """Return `table.column` of every column of every table in which a value has the text as a word of its own."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped "
            "WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition"
        )
        for table, column in cursor.fetchall():
            cursor.execute(
                f'SELECT EXISTS (SELECT FROM "{table}" WHERE "{column}"::text ~ %s)', [rf"(^|[^-\w]){text}($|[^-\w])"]
            )
            if cursor.fetchone()[0]:
                found.add(f"{table}.{column}")
    return found


def redis_with(text: str) -> dict[bytes, redis.Redis]:
    """Return every key of Redis in whose name or value the text is a word of its own, whatever its kind: key → server.

    Everything that is there is read, other tests' leftovers included.
    """
    word = re.compile(rb"(?<![-\w])" + text.encode() + rb"(?![-\w])")
    found = {}
    for at in every_server():
        found |= dict.fromkeys(_with(word, at), at)
    return found


def _with(word: re.Pattern[bytes], at: redis.Redis) -> Iterator[bytes]:
    for key in at.scan_iter("*"):
        read: dict[bytes, Callable[[bytes], Any]] = {
            b"hash": at.hgetall, b"string": at.get, b"set": at.smembers, b"stream": at.xrange,
            b"zset": lambda name: at.zrange(name, 0, -1), b"list": lambda name: at.lrange(name, 0, -1),
        }  # fmt: skip
        if word.search(key) or any(word.search(part) for part in _bytes(read[at.type(key)](key))):
            yield key


def _bytes(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        yield from _bytes([*value, *value.values()])
    elif isinstance(value, (list, tuple, set)):
        for one in value:
            yield from _bytes(one)


def files_with(text: str, *folders: Path) -> list[Path]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if text.encode() in path.read_bytes()]


def test_what_is_kept_is_what_readme_says(ann: None) -> None:
    table = README.partition("| where the id stands |")[2].partition("\n\n")[0]
    listed = set(re.findall(r"^\| `(\w+\.\w+)` \|", table, flags=re.MULTILINE))
    assert columns_with(ANN) | {"interactions_stalehistory.user_id"} == listed


def test_the_export_is_all_that_is_stored(ann: None, api: Client) -> None:
    exported = api.get(f"/api/v1/users/{ANN}").json()
    assert [one["item_id"] for one in exported["events"]] == ["heat", "ronin"]
    assert len(exported["events"]) == Event.objects.filter(user__user_id=ANN).count()
    assert len(exported["impressions"]) == Impression.objects.filter(user_id_text=ANN).count() > 0
    assert [one["event"]["item_id"] for one in exported["refused_events"]] == ["not-there"]
    assert [(one["experiment_id"], one["variant"]) for one in exported["exposures"]] == [("e", "a")]
    assert len(exported["shadow_lists"]) == 1
    assert (exported["country"], exported["consent"], exported["consent_version"]) == ("FR", "granted", "2026-01")
    assert exported["consent_at"] is not None
    assert NAMESAKE not in json.dumps(exported)


def test_an_erased_person_is_nowhere(ann: None, api: Client, site: FilmSite, models: Path, commit: Commit) -> None:
    assert len(columns_with(ANN)) > 4
    assert redis_with(ANN)
    before = {model: model.objects.count() for model in (Event, Impression, DeadLetter, UserProfile)}
    with commit():
        receipt = api.delete(f"/api/v1/users/{ANN}").json()
    shown, waiting = receipt["erased"].pop("impressions"), receipt["erased"].pop("impressions_waiting")
    assert receipt == {
        "user_id": ANN,
        "erased": {
            "event_keys": 0, "events": 2, "dead_letters": 1, "exposures": 1,
            "shadow_lists": 1, "kept_lists": 1, "kept_answers": 1, "profiles": 1,
        },
    }  # fmt: skip
    assert shown > 0
    assert waiting > 0
    stale_histories.mend()
    impressions.write_pending()
    assert columns_with(ANN) == set()
    # The bare mark that refuses a rebuild under way; it ends within a minute.
    assert all(at.hkeys(key) == [b"g"] and at.ttl(key) <= 60 for key, at in redis_with(ANN).items())
    assert Event.objects.count() == before[Event] - 2
    assert Impression.objects.count() == before[Impression] - shown
    assert DeadLetter.objects.get().payload.count(NAMESAKE) == 1
    assert UserProfile.objects.get().user_id == NAMESAKE


def test_no_artefact_names_anybody(ann: None, models: Path, commit: Commit, api: Client) -> None:
    with commit():
        call_command("rebuild_models", force=True, verbosity=0)
    assert files_with(ANN, models) == []
    with commit():
        api.delete(f"/api/v1/users/{ANN}")
        call_command("rebuild_models", force=True, verbosity=0)
    assert files_with(ANN, models) == files_with(NAMESAKE, models) == []


def test_who_comes_back_is_somebody_new(ann: None, api: Client, site: FilmSite, commit: Commit) -> None:
    old = UserProfile.objects.get(user_id=ANN).pk
    with commit():
        api.delete(f"/api/v1/users/{ANN}")
    stale_histories.mend()
    site.does(ANN, ("watch", "up"))
    assert UserProfile.objects.get(user_id=ANN).pk != old
    assert [one["item_id"] for one in api.get(f"/api/v1/users/{ANN}").json()["events"]] == ["up"]


def test_a_withdrawn_consent_holds_from_the_next_request_on(
    ann: None, api: Client, site: FilmSite, commit: Commit
) -> None:
    assert api.get(f"/api/v1/recommendations/{ANN}").json()["fallback"] is False
    with commit():
        assert put(api, ANN, {"consent": "withheld"}).json()["consent"] == "withheld"
    impressions.write_pending()
    stored = Event.objects.count(), Impression.objects.count(), DeadLetter.objects.count()
    assert api.get(f"/api/v1/recommendations/{ANN}").json()["fallback"] is True
    event = {"user_id": ANN, "item_id": "up", "event_type": "watch", "timestamp": timezone.now().isoformat()}
    refused = api.post("/api/v1/events", json.dumps(event), content_type="application/json")
    assert refused.json()["error"]["code"] == "consent_withheld"
    orphan = json.dumps({**event, "item_id": "not-there"})
    assert api.post("/api/v1/events", orphan, content_type="application/json").json()["rejected"] == 1
    impressions.write_pending()
    assert (Event.objects.count(), Impression.objects.count(), DeadLetter.objects.count()) == stored


@pytest.mark.parametrize("wish", ["DNT", "Sec-GPC"])
def test_the_api_heeds_a_browser_that_asks_not_to_be_tracked(ann: None, api: Client, wish: str) -> None:
    headers, before = {wish: "1"}, (Event.objects.count(), DeadLetter.objects.count(), UserProfile.objects.count())
    impressions.write_pending()
    shown = Impression.objects.count()
    for path in (f"recommendations/{ANN}?", f"similar/heat?user_id={ANN}&", f"pages/home?user_id={ANN}&"):
        plain = api.get(f"/api/v1/{path}consent=0").json()
        asked = api.get(f"/api/v1/{path}", headers=headers)
        assert asked.status_code == 200
        assert asked["Cache-Control"] == "private, no-cache"
        assert ids_of(asked.json()) == ids_of(plain) != []
    assert api.get(f"/api/v1/recommendations/{ANN}", headers=headers).json()["fallback"] is True
    event = {"user_id": ANN, "item_id": "up", "event_type": "watch"}
    orphan = {**event, "user_id": "somebody-new", "item_id": "not-there"}
    refused = api.post("/api/v1/events", json.dumps(event), content_type="application/json", headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "consent_withheld")
    batch = json.dumps({"events": [event, orphan, {}]})
    judged = api.post("/api/v1/events", batch, content_type="application/json", headers=headers).json()
    assert [one["code"] for one in judged["results"]] == ["consent_withheld", "consent_withheld", "field_required"]
    impressions.write_pending()
    assert (Event.objects.count(), DeadLetter.objects.count(), UserProfile.objects.count()) == before
    assert Impression.objects.count() == shown
    assert api.get(f"/api/v1/recommendations/{ANN}").json()["fallback"] is False
    assert api.post("/api/v1/events", json.dumps(event), content_type="application/json").status_code == 202


def ids_of(answer: dict[str, Any]) -> list[str]:
    lists = answer.get("carousels", [answer])
    return [item["item_id"] for one in lists for item in one["recommendations"]]


@pytest.mark.parametrize("wish", ["DNT", "Sec-GPC"])
def test_a_browser_that_asks_not_to_be_tracked_leaves_nothing(site: FilmSite, wish: str) -> None:
    client = Client(headers={wish: "1"})
    for path in ("/", "/items/heat/"):
        assert client.get(path).status_code == 200
    assert client.post("/act/watch/heat/").status_code == 302
    impressions.write_pending()
    assert not Event.objects.exists()
    assert not Impression.objects.exists()
    assert not UserProfile.objects.exists()
    assert set(client.cookies) <= {"messages", "sessionid", "csrftoken"}
    assert "visitor" not in str(dict(client.session))
