"""Processes of one machine share one reading of the catalogue, never one of another database or another state."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction

from catalog import mapped_file, snapshot, snapshot_file
from catalog.models import Item
from catalog.snapshot import Catalogue

pytestmark = pytest.mark.usefixtures("committing_database")

PROCESS = """
import json, sys, time
import django
django.setup()
from catalog import revisions, snapshot
read, everything = [], snapshot._everything
def slowly():
    read.append("everything")
    time.sleep(1)
    return everything()
snapshot._everything = slowly
for line in sys.stdin:
    now = snapshot.current(revisions.from_database()[revisions.CATALOGUE])
    told = {card.item_id: bool(active) for card, active in zip(now.cards, now.is_active)}
    print(json.dumps([told, read]), flush=True)
"""


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, settings: django_settings) -> Path:
    settings.CATALOGUE_DIRECTORY = str(tmp_path / "catalogue")
    snapshot_file._warn_once.cache_clear()
    return tmp_path / "catalogue"


@pytest.fixture(autouse=True)
def films(directory: Path, committing_database: None) -> None:
    for title in ("Heat", "Ronin", "Alien"):
        Item.objects.create(item_id=title.lower(), title=title, tags=["film"])


@pytest.fixture
def read_in_full(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with every reading of all items."""
    read, everything = list[str](), snapshot._everything

    def noted() -> Catalogue:
        read.append("everything")
        return everything()

    monkeypatch.setattr(snapshot, "_everything", noted)
    return read


def titles(catalogue: Catalogue) -> list[str]:
    return [card.title for card in catalogue.cards]


def the_file(directory: Path) -> Path:
    (path,) = directory.iterdir()
    return path


def test_the_second_to_start_reads_only_what_has_changed(read_in_full: list[str]) -> None:
    first = snapshot.load(1)
    assert read_in_full == ["everything"]
    Item.objects.filter(item_id="ronin").update(title="Ronin (1998)", is_active=False)
    Item.objects.get(item_id="heat").delete()
    Item.objects.create(item_id="up", title="Up")
    second = snapshot.load(2)
    assert read_in_full == ["everything"]
    assert titles(first) == ["Heat", "Ronin", "Alien"]
    assert titles(second) == ["Ronin (1998)", "Alien", "Up"]
    assert second.is_active.tolist() == [False, True, True]
    assert dict(second.row_of) == {"ronin": 0, "alien": 1, "up": 2}
    assert second.rows_with_tag("film").tolist() == [0, 1]
    assert (second.revision, len(second.cards.changed)) == (2, 2)


def test_both_have_the_same_file_mapped(directory: Path) -> None:
    one, other = snapshot.load(1), snapshot.load(1)
    assert not one.pks.flags.writeable
    assert not other.pks.flags.writeable
    maps = Path("/proc/self/maps").read_text()
    assert maps.count(str(the_file(directory))) == 2


def test_popularity_is_that_of_the_start() -> None:
    snapshot.load(1)
    Item.objects.filter(item_id="ronin").update(popularity=3.5)
    assert snapshot.load(1).popularity.tolist() == [0.0, 3.5, 0.0]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    replace(path, bytes(content))


def cut_short(path: Path) -> None:
    replace(path, path.read_bytes()[:-1])


def give_another_layout(path: Path) -> None:
    replace(path, b"recsite0" + path.read_bytes()[8:])


def put_another_databases_in_its_place(path: Path) -> None:
    arrays, meta = mapped_file.read(path)
    mapped_file.write(path, arrays, meta | {"identity": "other"})


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [damage, cut_short, give_another_layout, put_another_databases_in_its_place])
def test_a_file_that_is_not_right_is_written_anew(
    directory: Path, read_in_full: list[str], caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None]
) -> None:
    snapshot.load(1)
    harm(the_file(directory))
    assert titles(snapshot.load(2)) == ["Heat", "Ronin", "Alien"]
    assert [message.split(":")[0] for message in caplog.messages] == ["the catalogue is read from Postgres"]
    snapshot.load(3)
    assert len(read_in_full) == 2


def test_a_file_that_is_ahead_of_the_database_is_never_used_again(directory: Path, read_in_full: list[str]) -> None:
    ahead = snapshot.load(1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_item DISABLE TRIGGER USER")
        Item.objects.filter(item_id="heat").update(title="Before")
        cursor.execute("ALTER TABLE catalog_item ENABLE TRIGGER USER")
        cursor.execute("UPDATE catalog_revision SET value = value - 1 WHERE name = 'catalogue'")
    assert titles(snapshot.load(0)) == ["Before", "Ronin", "Alien"]
    Item.objects.filter(item_id="alien").update(title="Aliens")
    assert snapshot.load(1).read_at == ahead.read_at
    assert titles(snapshot.load(1)) == ["Before", "Ronin", "Aliens"]
    assert len(read_in_full) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda settings, patch: setattr(settings, "RECOMMENDER_ITEM_URL", "/film/{item_id}"),
        lambda settings, patch: patch.setattr(snapshot_file, "FORMAT", 0),
        lambda settings, patch: connection.cursor().execute("VACUUM FULL catalog_item"),
    ],
    ids=["address of items", "format", "table"],
)
def test_what_the_file_depends_on_gives_another_file(
    directory: Path, read_in_full: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    snapshot.load(1)
    change(settings, monkeypatch)
    snapshot.load(1)
    assert (len(read_in_full), len(list(directory.iterdir()))) == (2, 2)


def test_within_a_transaction_nothing_is_shared(directory: Path, read_in_full: list[str]) -> None:
    with transaction.atomic():
        Item.objects.filter(item_id="heat").update(title="Nobody else's")
        assert titles(snapshot.load(1)) == ["Nobody else's", "Ronin", "Alien"]
        transaction.set_rollback(True)
    assert not directory.exists()
    assert titles(snapshot.load(1)) == ["Heat", "Ronin", "Alien"]


def test_without_a_directory_it_is_read_into_memory(settings: Any, read_in_full: list[str]) -> None:
    settings.CATALOGUE_DIRECTORY = ""
    assert [titles(snapshot.load(1)), titles(snapshot.load(1))] == [["Heat", "Ronin", "Alien"]] * 2
    assert len(read_in_full) == 2


def test_a_directory_that_cannot_be_made_is_told_once(
    directory: Path, read_in_full: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    directory.write_text("a file")
    assert [titles(snapshot.load(1)), titles(snapshot.load(1))] == [["Heat", "Ronin", "Alien"]] * 2
    assert caplog.messages == ["the catalogue is not shared by processes: File exists"]


def test_a_disk_that_cannot_be_written_to_is_told_once(
    directory: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*arguments: Any, **named: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(directory / f".writing-{time.monotonic()}"))

    monkeypatch.setattr(mapped_file, "write", read_only)
    assert [titles(snapshot.load(1)), titles(snapshot.load(1))] == [["Heat", "Ronin", "Alien"]] * 2
    assert caplog.messages == ["the catalogue is not shared by processes: Read-only file system"]
    assert list(directory.iterdir()) == []


def test_who_does_not_get_to_write_in_time_reads_for_himself(
    directory: Path, read_in_full: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_file, "SECONDS_TO_WAIT", 0.0)
    file = snapshot_file.of_this_database()
    assert file is not None
    with file.locked(0) as alone:
        assert alone
        assert titles(snapshot.load(1)) == ["Heat", "Ronin", "Alien"]
        assert list(directory.iterdir()) == []
    snapshot.load(1)
    assert (len(read_in_full), len(list(directory.iterdir()))) == (2, 1)


def test_files_that_nobody_begins_with_are_swept(directory: Path) -> None:
    directory.mkdir()
    names = ("old.catalogue", ".writing-old", "new.catalogue", ".writing-new", "old.txt")
    for name in names:
        (directory / name).write_text("")
        if "old" in name:
            long_ago = time.time() - snapshot_file.SECONDS_KEPT - 60
            os.utime(directory / name, (long_ago, long_ago))
    snapshot.load(1)
    assert {path.name for path in directory.iterdir()} & set(names) == {"new.catalogue", ".writing-new", "old.txt"}


def test_many_changes_have_the_file_written_anew(
    directory: Path, read_in_full: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "CHANGES_AT_LEAST", 1)
    earlier = snapshot.load(1)
    Item.objects.filter(item_id="ronin").update(title="Ronin (1998)")
    assert not snapshot.is_worn(snapshot.load(2, earlier))
    before = the_file(directory).stat().st_ino
    assert snapshot.renewed() is not None
    assert the_file(directory).stat().st_ino == before
    Item.objects.filter(item_id="heat").update(title="Heat (1995)")
    Item.objects.create(item_id="up", title="Up", tags=["film"])
    assert snapshot.is_worn(snapshot.load(3, earlier))
    now = snapshot.renewed()
    assert now is not None
    assert (now.cards.changed, titles(now)) == ({}, ["Heat (1995)", "Ronin (1998)", "Alien", "Up"])
    assert now.rows_with_tag("film").tolist() == [0, 1, 2, 3]
    assert titles(earlier) == ["Heat", "Ronin", "Alien"]
    assert titles(snapshot.load(4)) == titles(now)
    assert len(read_in_full) == 1


def test_while_another_process_writes_nothing_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "CHANGES_AT_LEAST", 0)
    snapshot.load(1)
    Item.objects.filter(item_id="ronin").update(title="Ronin (1998)")
    file = snapshot_file.of_this_database()
    assert file is not None
    with file.locked(0):
        assert snapshot.renewed() is None


@contextmanager
def processes(directory: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.web_settings",
        "STARTER_DATABASE": connection.settings_dict["NAME"],
        "STARTER_SETTINGS": json.dumps({"CATALOGUE_DIRECTORY": str(directory)}),
    }
    command = [sys.executable, "-c", PROCESS]
    started = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    try:
        yield started
    finally:
        for one in started:
            one.communicate(timeout=60)


def ask(asked: list[subprocess.Popen[str]]) -> list[tuple[dict[str, bool], list[str]]]:
    """Have all of them load at once; return what each says of the items, and how often it has read all of them."""
    for one in asked:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    return [json.loads(one.stdout.readline()) for one in asked if one.stdout is not None]


def test_of_processes_that_start_at_once_one_reads_and_each_sees_what_is_hidden_then(directory: Path) -> None:
    with processes(directory, 3) as started:
        answers = ask(started)
        assert [told for told, _ in answers] == [{"heat": True, "ronin": True, "alien": True}] * 3
        assert sum(len(read) for _, read in answers) == 1
        Item.objects.filter(item_id="ronin").update(is_active=False)
        Item.objects.get(item_id="heat").delete()
        answers = ask(started)
        assert [told for told, _ in answers] == [{"ronin": False, "alien": True}] * 3
        assert sum(len(read) for _, read in answers) == 1
