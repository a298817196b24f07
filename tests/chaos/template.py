"""The site that every fault finds, made once a run: sixty films, forty people, a model and a newer one in waiting."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.chaos.site import DATABASE, Site

GENRES = ("Western", "Musical", "Horror")
ITEMS = 60
USERS = 40
EVENTS_EACH = 9

PREPARE = """
import django; django.setup()
from django.core.management import call_command
from recsite import api_keys
call_command("import_dataset", {dataset!r}, verbosity=0)
call_command("rebuild_models", "--force")
call_command("rebuild_models", "--force")
call_command("rollback_model", "v1")
key = api_keys.create("chaos", ["read", "events", "users", "catalog"])
open({key!r}, "w").write(key)
"""


def make(folder: Path) -> None:
    """Make the site in `folder`; its servers are stopped afterwards."""
    site = Site(folder)
    try:
        site.start_server(site.postgres)
        site.start_server(site.valkey)
        site.postgres.ensure_database(DATABASE)
        site.manage("migrate", "--verbosity", "0")
        dataset = folder / "dataset"
        _write_dataset(dataset)
        site.python("-c", PREPARE.format(dataset=str(dataset), key=str(folder / "key")))
    finally:
        site.stop()


def copy(template: Path, folder: Path) -> Site:
    """Return a site of its own that is like the template."""
    for name in ("pg", "models", "key"):
        # With owners and modes: Postgres insists on its own.
        subprocess.run(["cp", "-a", template / name, folder / name], check=True)
    return Site(folder)


def _write_dataset(folder: Path) -> None:
    folder.mkdir()
    now = datetime.now(UTC).replace(microsecond=0)
    films = [
        {
            "item_id": f"film-{number}",
            "title": f"Film {number}",
            "category": GENRES[number % 3],
            "tags": [GENRES[number % 3].lower()],
            "published_at": "2020-01-01",
        }
        for number in range(ITEMS)
    ]
    events = [
        {
            "user_id": f"user-{user}",
            "item_id": f"film-{(user % 3) + 3 * ((user // 3 + step) % (ITEMS // 3))}",
            "event_type": "watch",
            "timestamp": (now - timedelta(days=30) + timedelta(minutes=step)).isoformat(),
        }
        for user in range(USERS)
        for step in range(EVENTS_EACH)
    ]
    for name, rows in (("items", films), ("events", events)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
