"""The whole main job: import, rebuild, publish, ask, click, and read what the experiment says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from experiments import demo
from interactions import queries as interaction_queries
from recommender.registry import active, publishing
from recommender.tasks import write_impressions
from recsite import api_keys

GENRES = ("Western", "Musical", "Horror")
ITEMS = 30
USERS = 24
NOW = datetime.now(UTC).replace(microsecond=0)


def of_genre(genre: int) -> list[int]:
    return [number for number in range(ITEMS) if number % 3 == genre]


def watched_by(user: int) -> list[int]:
    own = of_genre(user % 3)
    return [(user + 1) % 3] + [own[(user // 3 + step) % 10] for step in range(8)]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Thirty films of three genres; each user watches one film of another genre, then eight of his own."""
    films = [
        {
            "item_id": f"film {number}",
            "title": f"Film {number} ✓",
            "category": GENRES[number % 3],
            "tags": [GENRES[number % 3].lower()],
            "published_at": "2020-01-01",
        }
        for number in range(ITEMS)
    ]
    events = []
    for user in range(USERS):
        events += [
            {
                "user_id": f"user-{user}",
                "item_id": f"film {number}",
                "event_type": "watch",
                "timestamp": (NOW - timedelta(days=30) + timedelta(minutes=step)).isoformat(),
            }
            for step, number in enumerate(watched_by(user))
        ]
    for name, rows in (("items", films), ("events", events)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_main_job(committing_database: None, dataset: Path, tmp_path: Path, settings: Any, client: Client) -> None:
    settings.RECOMMENDER_MODEL_DIRECTORY = str(tmp_path / "models")
    active.forget()

    call_command("import_dataset", str(dataset), verbosity=0)
    assert interaction_queries.event_counts().events == USERS * 9

    call_command("rebuild_models")
    pointer = publishing.pointer()
    assert pointer is not None
    assert pointer.version.name == "v1"
    assert (pointer.version.items, pointer.version.users, pointer.version.interactions) == (ITEMS, USERS, USERS * 9)
    assert set(pointer.version.metrics["final"]) >= {"ndcg", "recall", "coverage"}

    assert demo.create()
    key = api_keys.create("test", ["read", "events"])
    headers = {"Authorization": f"Api-Key {key}"}
    variants = set()
    for user in range(USERS):
        answer = client.get(f"/api/v1/recommendations/user-{user}?context=homepage&limit=2", headers=headers)
        assert answer.status_code == 200
        document = answer.json()
        variants.add(document["variant"])
        assert document["experiment_id"] == "homepage-recipe"
        assert document["placement"] == "homepage"
        assert document["fallback"] is False
        shown = [item["item_id"] for item in document["recommendations"]]
        # Each user has two films of his genre left, and nothing else goes as well with what he watched.
        left = set(of_genre(user % 3)) - set(watched_by(user))
        assert set(shown) == {f"film {number}" for number in left}
        assert all(item["model_version"] == "v1" for item in document["recommendations"])
        assert all(item["reason"].startswith("Because you watched Film ") for item in document["recommendations"])
        # Every third user follows the first recommendation.
        if user % 3 == 0:
            click = {
                "user_id": f"user-{user}",
                "item_id": shown[0],
                "event_type": "watch",
                "timestamp": (NOW + timedelta(seconds=1)).isoformat(),
                "request_id": document["request_id"],
            }
            accepted = client.post("/api/v1/events", click, content_type="application/json", headers=headers)
            assert accepted.status_code == 202
            assert accepted.json() == {
                "accepted": 1,
                "duplicate": 0,
                "rejected": 0,
                "results": [{"index": 0, "status": "accepted"}],
            }
            after = client.get(f"/api/v1/recommendations/user-{user}", headers=headers).json()
            assert shown[0] not in [item["item_id"] for item in after["recommendations"]]
    assert variants == {"control", "diverse"}

    assert write_impressions() > 0
    report = client.get("/api/v1/experiments/homepage-recipe/report", headers=headers).json()
    assert sum(arm["users"] for arm in report["arms"]) == USERS
    (primary,) = [metric for metric in report["metrics"] if metric["name"] == "watch-through"]
    converted = sum(round(arm["mean"] * arm["users"]) for arm in primary["arms"])
    assert converted == USERS / 3
