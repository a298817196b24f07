"""`import_dataset` and `simulate_audience` as typed in a shell."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.importing import item_record, upsert_items
from catalog.models import Item
from interactions.models import Event, UserProfile

pytestmark = pytest.mark.django_db

ITEMS = "item_id,title\na,Alpha\nb,Beta\n"
EVENTS = "user_id,item_id,timestamp,value\nu,a,1705314600,4.5\nv,a,1705314600,\n"


def dataset(path: Path, events: str = EVENTS) -> Path:
    (path / "items.csv").write_text(ITEMS)
    (path / "events.csv").write_text(events)
    return path


def run(*arguments: object) -> tuple[list[list[str]], str]:
    """Run a command; return the cells of what it printed, and its complaints."""
    output, complaints = io.StringIO(), io.StringIO()
    call_command(*map(str, arguments), stdout=output, stderr=complaints)
    rows = [[cell.strip() for cell in line.strip().strip("│").split("│")] for line in output.getvalue().splitlines()]
    return rows, complaints.getvalue()


def test_a_table_tells_what_was_done(tmp_path: Path) -> None:
    rows, complaints = run("import_dataset", dataset(tmp_path))
    assert rows[0][0].startswith("Imported as csv in ")
    assert ["items", "2", "0", "0", "", ""] in rows
    assert ["events", "2", "", "", "0", "0"] in rows
    assert ["users", "2", "", "", "", ""] in rows
    assert rows[-1][0].endswith(" events a second")
    assert complaints == ""
    rows, _ = run("import_dataset", tmp_path, "--format", "csv")
    assert ["items", "0", "0", "2", "", ""] in rows
    assert ["events", "0", "", "", "2", "0"] in rows


def test_twenty_problems_are_printed_and_the_rest_counted(tmp_path: Path) -> None:
    dataset(tmp_path, "user_id,item_id,timestamp,value\n" + "u,nosuch,1,\n" + "u,a,1,x\n" * 22)
    with pytest.raises(CommandError) as caught:
        run("import_dataset", tmp_path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "events.csv row 3: value must be a number (got 'x')"
    assert lines[19:] == [
        "events.csv row 22: value must be a number (got 'x')",
        "… and 3 more",
        "23 problems; nothing was imported.",
    ]
    assert not Item.objects.exists()


def test_partial_imports_the_rest_and_says_so(tmp_path: Path) -> None:
    dataset(tmp_path, EVENTS + "u,a\n")
    rows, complaints = run("import_dataset", tmp_path, "--partial")
    assert ["events", "2", "", "", "0", "1"] in rows
    assert complaints == (
        "events.csv row 4: 2 columns, but the header has 4 (got 'u,a')\n1 problem; the rest is imported.\n"
    )


def test_the_report_lists_all_problems_harmlessly(tmp_path: Path) -> None:
    dataset(tmp_path, EVENTS + "=HYPERLINK(1),a,never,\n" + "u,=1+1,1,\n")
    with pytest.raises(CommandError):
        run("import_dataset", tmp_path, "--report", tmp_path / "problems.csv")
    with (tmp_path / "problems.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["file", "row", "column", "code", "message", "value"],
        [
            "events.csv",
            "4",
            "timestamp",
            "timestamp_invalid",
            "timestamp must be RFC 3339 with an offset (2026-01-01T00:00:00Z) or seconds since 1970",
            "never",
        ],
        ["events.csv", "5", "item_id", "item_unknown", "there is no item '=1+1'", "'=1+1"],
    ]


def test_a_wrong_path_or_format_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere does not exist$"):
        run("import_dataset", tmp_path / "nowhere")
    with pytest.raises(CommandError, match="invalid choice: 'xml'"):
        run("import_dataset", tmp_path, "--format", "xml")


def films() -> None:
    upsert_items(
        item_record(
            {
                "item_id": f"film-{number}",
                "title": f"Film number {number}",
                "category": "Comedy" if number % 2 else "Horror",
                "published_at": "2001-02-03",
            }
        )
        for number in range(12)
    )


def test_the_audience_is_stored_once_a_date() -> None:
    films()
    rows, _ = run("simulate_audience", "--users", 3, "--until", "2026-01-31")
    events = Event.objects.count()
    assert rows == [[f"3 new users; {events:,} new events, 0 already there."]]
    assert list(UserProfile.objects.order_by("user_id").values_list("user_id", flat=True)) == [
        "demo-user-001",
        "demo-user-002",
        "demo-user-003",
    ]
    assert all(len(country) == 2 for country in UserProfile.objects.values_list("country", flat=True))
    until = datetime(2026, 1, 31, tzinfo=UTC)
    assert not Event.objects.exclude(occurred_at__gte=until - timedelta(days=366), occurred_at__lt=until).exists()
    rows, _ = run("simulate_audience", "--users", 3, "--until", "2026-01-31T00:00:00Z")
    assert rows == [[f"0 new users; 0 new events, {events:,} already there."]]
    assert run("simulate_audience")[0] == [["The simulated audience is there already."]]
    assert Event.objects.count() == events


def test_an_audience_needs_people_and_a_catalogue() -> None:
    with pytest.raises(
        CommandError, match=r"^the catalogue has 0 items; an audience can be simulated for 10 to 5,000$"
    ):
        run("simulate_audience")
    with pytest.raises(CommandError, match="'soon' is not an ISO date such as 2026-01-31"):
        run("simulate_audience", "--until", "soon")
    with pytest.raises(CommandError, match="users must be at least 1, got 0"):
        run("simulate_audience", "--users", 0)
    assert not UserProfile.objects.exists()
