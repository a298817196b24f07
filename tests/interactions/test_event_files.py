"""The events as Parquet: every row of everybody who consents, whole files or none, on a disk and on S3 (moto's)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import fsspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from moto.server import ThreadedMotoServer

from catalog.models import Item
from interactions import event_files, partitions
from interactions.models import Event, EventType, UserProfile

pytestmark = [pytest.mark.engines, pytest.mark.django_db]
BEGIN = datetime(2026, 9, 30, 23, 59, 59, 123456, tzinfo=UTC)
NASTY = ['new\nline, "quoted"', "NULL", "naïve 漢字", " space ", "\\N"]


@pytest.fixture(autouse=True)
def pyarrow() -> Any:
    return pytest.importorskip("pyarrow", reason="pyarrow is not installed: `make test-engines` installs it")


@pytest.fixture
def rows() -> list[tuple[Any, ...]]:
    """What the files must hold; somebody who withholds his consent has an event too."""
    items = [Item.objects.create(item_id=f"item {name}", title="t") for name in NASTY]
    people = [UserProfile.objects.create(user_id=name) for name in NASTY]
    withheld = UserProfile.objects.create(user_id="no", consent=UserProfile.Consent.WITHHELD)
    kind = EventType.objects.get(name="rating")
    partitions.ensure("interactions_event", BEGIN, BEGIN + timedelta(days=1))
    expected = []
    for number in range(1000):
        moment, value = BEGIN + timedelta(seconds=number), None if number % 3 else number / 7
        person, item = people[number % 5], items[number % 4]
        store(number, moment, person, item, kind, value)
        expected.append((person.user_id, item.item_id, "rating", moment, value))
    store(5000, BEGIN, withheld, items[0], kind, 1.0)
    return expected


def store(number: int, moment: datetime, person: UserProfile, item: Item, kind: EventType, value: float | None) -> None:
    Event.objects.create(
        event_id=UUID(int=number), occurred_at=moment, user=person, item=item, event_type=kind, value=value,
        received_at=moment,
    )  # fmt: skip


def read(folder: str) -> list[tuple[Any, ...]]:
    files, root = fsspec.core.url_to_fs(folder)
    tables = []
    for path in files.find(root):
        with files.open(path, "rb") as file:
            tables.append(import_module("pyarrow.parquet").read_table(file))
    found = [tuple(row.values()) for table in tables for row in table.to_pylist()]
    return sorted(found, key=lambda row: (row[3], row))


def test_every_event_of_who_consents_is_there_to_the_digit(rows: list[tuple[Any, ...]], tmp_path: Path) -> None:
    out = StringIO()
    call_command("export_events", str(tmp_path / "a" / "b"), stdout=out)
    assert "1,000 events in" in out.getvalue()
    assert "interactions_event_y2026m09: 1\n" in out.getvalue()
    assert read(str(tmp_path)) == rows
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [
        "interactions_event_y2026m09.parquet",
        "interactions_event_y2026m10.parquet",
    ]


def test_what_is_gone_from_the_table_goes_from_the_folder(rows: list[tuple[Any, ...]], tmp_path: Path) -> None:
    event_files.export(str(tmp_path))
    (tmp_path / "of others.parquet").write_bytes(b"")
    (tmp_path / "interactions_event_y1999.parquet").write_bytes(b"of a partition that was dropped")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM interactions_event WHERE occurred_at < '2026-10-01'")
        UserProfile.objects.filter(user_id="NULL").update(consent=UserProfile.Consent.WITHHELD)
    assert event_files.export(str(tmp_path)) == 799
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "interactions_event_y2026m10.parquet",
        "of others.parquet",
    ]


def test_a_file_that_is_cut_short_is_not_there_and_the_earlier_one_stays(
    rows: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_files.export(str(tmp_path))
    batches = event_files._batches

    def torn(pyarrow: Any, partition: str) -> Iterator[Any]:
        yield from batches(pyarrow, partition)
        if partition.endswith("m10"):
            raise OSError("No space left on device")

    monkeypatch.setattr(event_files, "_batches", torn)
    with pytest.raises(CommandError, match="cannot be written to: No space left on device"):
        call_command("export_events", str(tmp_path), stdout=StringIO())
    assert read(str(tmp_path)) == rows
    assert not list(tmp_path.glob(".*"))


def test_a_store_of_objects_is_written_to(
    rows: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "ENDPOINT_URL": f"http://{host}:{port}",
            "ACCESS_KEY_ID": "a",
            "SECRET_ACCESS_KEY": "b",
        }.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        fsspec.filesystem("s3").mkdir("bucket-of-events")
        assert event_files.export("s3://bucket-of-events/all") == 1000
        assert read("s3://bucket-of-events/all") == rows
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("folder", "told"), [("nowhere://x/y", "Protocol not known"), ("/dev/null/x", "cannot be written")]
)
def test_a_folder_that_cannot_be_is_told(rows: list[tuple[Any, ...]], folder: str, told: str) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("export_events", folder, stdout=StringIO())
