"""A data set goes in whole or not at all, exactly as written, and once however often it is imported."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from catalog import revisions
from catalog.datasets import lines
from catalog.datasets.problems import DatasetError
from catalog.importing import UpsertCounts
from catalog.models import Item
from interactions import features, staged_insert
from interactions.importing import DatasetRefused, ImportResult, import_dataset
from interactions.models import DeadLetter, Event, EventKey, UserProfile
from interactions.staging import ImportRunning, StoredCounts
from tests.interactions.content_ids import derive_event_id

pytestmark = pytest.mark.django_db

MOVIES = """movieId,title,genres
1,Toy Story (1995),Adventure|Animation|Children|Comedy|Fantasy
2571,"Matrix, The (1999)",Action|Sci-Fi|Thriller
29,"City of Lost Children, The (Cité des enfants perdus, La) (1995)",Adventure|Drama|Fantasy|Mystery|Sci-Fi
"""
RATINGS = """userId,movieId,rating,timestamp
1,1,4.0,1260759144
1,2571,4.5,1260759179
7,29,0.5,978300760
"""
TAGS = """userId,movieId,tag,timestamp
15,1,Pixar,1138537770
16,1,pixar,1138537771
15,2571,mine alone,1138537772
15,29,dreamlike ,1138537773
15,29,Dreamlike,1138537774
"""
LINKS = "movieId,imdbId,tmdbId\n1,0114709,862\n2571,0133093,\n"
MOVIELENS = {"movies.csv": MOVIES, "ratings.csv": RATINGS, "tags.csv": TAGS, "links.csv": LINKS}

ITEMS_CSV = "item_id,title,category,tags,published_at\na,Alpha,Drama,slow|long,1999-03-31\nb,Beta,,,\n"
EVENTS_CSV = (
    "user_id,item_id,timestamp,value,event_type,event_id\n"
    "u1,a,2024-01-15T10:30:00Z,4.5,,\n"
    "u1,b,2024-01-15T12:30:00+02:00,,,\n"
    "u2,a,1705314600.25,,click,11111111-1111-4111-8111-111111111111\n"
)


def folder(path: Path, files: dict[str, str | bytes]) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def archive(path: Path, files: dict[str, str], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as bundle:
        for name, text in files.items():
            bundle.writestr(name, text)
    return path


def stored_items() -> list[tuple[Any, ...]]:
    return list(Item.objects.order_by("item_id").values_list("item_id", "title", "category", "tags", "published_at"))


def stored_events() -> list[tuple[Any, ...]]:
    columns = ("user__user_id", "item__item_id", "event_type__name", "occurred_at", "value")
    return list(Event.objects.order_by("occurred_at", "item__item_id").values_list(*columns))


def everything() -> list[object]:
    tables = (Item, Event, UserProfile, EventKey, DeadLetter)
    return [list(table.objects.order_by("pk").values()) for table in tables] + [revisions.from_database()]


def refusal(path: Path, **options: Any) -> list[str]:
    """Import, expect a refusal that changes nothing, and return the problems."""
    before = everything()
    with pytest.raises(DatasetRefused) as caught:
        import_dataset(path, **options)
    assert everything() == before
    assert caught.value.problems.total == len(caught.value.problems.first)
    return [str(problem) for problem in caught.value.problems.first]


def year(number: int) -> datetime:
    return datetime(number, 1, 1, tzinfo=UTC)


MOVIELENS_ITEMS = [
    (
        "1",
        "Toy Story",
        "Animation",
        ["adventure", "animation", "children", "comedy", "fantasy", "pixar"],
        year(1995),
    ),
    ("2571", "The Matrix", "Science Fiction", ["action", "science fiction", "thriller"], year(1999)),
    (
        "29",
        "The City of Lost Children",
        "Science Fiction",
        ["adventure", "drama", "fantasy", "mystery", "science fiction", "dreamlike"],
        year(1995),
    ),
]
MOVIELENS_EVENTS = [
    ("7", "29", "rating", datetime(2000, 12, 31, 22, 12, 40, tzinfo=UTC), 0.5),
    ("1", "1", "rating", datetime(2009, 12, 14, 2, 52, 24, tzinfo=UTC), 4.0),
    ("1", "2571", "rating", datetime(2009, 12, 14, 2, 52, 59, tzinfo=UTC), 4.5),
]


def counts(result: ImportResult) -> tuple[UpsertCounts, StoredCounts, int]:
    return result.items, result.events, result.refused


def test_movielens_arrives_as_people_would_write_it(tmp_path: Path) -> None:
    result = import_dataset(folder(tmp_path, MOVIELENS))
    assert result.format == "movielens"
    assert counts(result) == (UpsertCounts(new=3), StoredCounts(users_new=2, new=3), 0)
    assert stored_items() == MOVIELENS_ITEMS
    assert stored_events() == MOVIELENS_EVENTS
    assert dict(Item.objects.values_list("item_id", "attributes")) == {
        "1": {"imdb_id": "tt0114709", "tmdb_id": "862", "published_precision": "year"},
        "2571": {"imdb_id": "tt0133093", "published_precision": "year"},
        "29": {"alternative_titles": ["La Cité des enfants perdus"], "published_precision": "year"},
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM interactions_event_default")
        assert cursor.fetchone() == (0,)


def test_the_second_import_changes_nothing(tmp_path: Path) -> None:
    import_dataset(folder(tmp_path, MOVIELENS))
    before = everything()
    result = import_dataset(tmp_path)
    assert counts(result) == (UpsertCounts(unchanged=3), StoredCounts(duplicate=3), 0)
    assert everything() == before


def test_only_what_is_new_is_added(tmp_path: Path) -> None:
    import_dataset(folder(tmp_path, MOVIELENS))
    changed = MOVIELENS | {
        "movies.csv": MOVIES.replace("Toy Story", "Toy Tale") + "5,New (2001),Drama\n",
        "ratings.csv": RATINGS + "8,5,3.0,1260759200\n8,5,3.0,1260759200\n",
    }
    result = import_dataset(folder(tmp_path, changed))
    assert counts(result) == (
        UpsertCounts(new=1, changed=1, unchanged=2),
        StoredCounts(users_new=1, new=1, duplicate=4),
        0,
    )


def test_event_ids_are_derived_from_the_content(tmp_path: Path) -> None:
    import_dataset(folder(tmp_path, MOVIELENS))
    derived = {
        derive_event_id(user_id, item_id, kind, moment, value)
        for user_id, item_id, kind, moment, value in MOVIELENS_EVENTS
    }
    assert set(Event.objects.values_list("event_id", flat=True)) == derived
    assert not EventKey.objects.exists()


@pytest.mark.parametrize("top", ["", "ml-20m/"])
def test_a_zip_is_read_without_unpacking(tmp_path: Path, top: str) -> None:
    files = {top + name: text for name, text in MOVIELENS.items()} | {top + "genome-scores.csv": "movieId,tagId\n"}
    import_dataset(archive(tmp_path / "ml.zip", files))
    assert (stored_items(), stored_events()) == (MOVIELENS_ITEMS, MOVIELENS_EVENTS)
    assert [path.name for path in tmp_path.iterdir()] == ["ml.zip"]


def test_a_folder_in_the_folder_is_found(tmp_path: Path) -> None:
    folder(tmp_path / "outer" / "ml-20m", MOVIELENS)
    import_dataset(tmp_path / "outer")
    assert stored_events() == MOVIELENS_EVENTS


def test_the_old_layout_is_read_in_latin_1(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "movies.dat": "29::City of Lost Children, The (Cité) (1995)::Animation|Children's\n".encode("latin-1"),
        "ratings.dat": "1::29::5::978300760\n",
        "users.dat": "1::F::1::10::48067\n",
    }
    import_dataset(folder(tmp_path, files))
    assert stored_items() == [("29", "The City of Lost Children", "Animation", ["animation", "children"], year(1995))]
    assert stored_events() == [("1", "29", "rating", datetime(2000, 12, 31, 22, 12, 40, tzinfo=UTC), 5.0)]
    assert Item.objects.get().attributes["alternative_titles"] == ["Cité"]


def test_csv_arrives_as_written(tmp_path: Path) -> None:
    result = import_dataset(folder(tmp_path, {"items.csv": ITEMS_CSV, "events.csv": EVENTS_CSV}))
    assert result.format == "csv"
    assert stored_items() == [
        ("a", "Alpha", "Drama", ["slow", "long"], datetime(1999, 3, 31, tzinfo=UTC)),
        ("b", "Beta", "", [], None),
    ]
    half_past_ten = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    assert stored_events() == [
        ("u1", "a", "rating", half_past_ten, 4.5),
        ("u1", "b", "watch", half_past_ten, None),
        ("u2", "a", "click", half_past_ten.replace(microsecond=250_000), None),
    ]
    key = EventKey.objects.get()
    assert key.event_id == UUID("11111111-1111-4111-8111-111111111111")
    assert key.fingerprint == derive_event_id("u2", "a", "click", half_past_ten.replace(microsecond=250_000), None)


def test_byte_order_marks_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    for name, text in (("items.csv", ITEMS_CSV), ("events.csv", EVENTS_CSV)):
        folder(tmp_path, {name: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()})
    assert import_dataset(tmp_path).events.new == 3
    assert [item[1] for item in stored_items()] == ["Alpha", "Beta"]


def test_single_csv_files_are_told_by_their_header(tmp_path: Path) -> None:
    folder(tmp_path, {"films.csv": ITEMS_CSV, "log.csv": EVENTS_CSV})
    assert import_dataset(tmp_path / "films.csv").items == UpsertCounts(new=2)
    assert import_dataset(tmp_path / "log.csv").events == StoredCounts(users_new=2, new=3)


def test_a_formula_is_stored_as_text(tmp_path: Path) -> None:
    formula = '=HYPERLINK(""http://example.org"",""x"")'
    import_dataset(folder(tmp_path, {"items.csv": f'item_id,title\na,"{formula}"\n'}))
    assert Item.objects.get().title == '=HYPERLINK("http://example.org","x")'


def test_columns_a_file_lacks_keep_what_editors_set(tmp_path: Path) -> None:
    import_dataset(folder(tmp_path, {"items.csv": ITEMS_CSV}))
    Item.objects.filter(item_id="a").update(is_active=False, description="By hand.")
    assert import_dataset(tmp_path).items == UpsertCounts(unchanged=2)
    item = Item.objects.get(item_id="a")
    assert (item.is_active, item.description) == (False, "By hand.")


def json_lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


ALPHA = {"item_id": "a", "title": "Alpha", "tags": ["slow"], "countries": ["US"], "duration_minutes": 90}
PLAYED = {
    "user_id": "u1",
    "item_id": "a",
    "event_type": "view",
    "timestamp": 1705314600,
    "value": 3,
    "context": {"source": "home\\page\t"},
    "request_id": "22222222-2222-4222-8222-222222222222",
}


@pytest.mark.parametrize("mixed", [True, False])
def test_json_lines_arrive_in_two_files_or_one(tmp_path: Path, mixed: bool) -> None:
    if mixed:
        path = folder(tmp_path, {"all.jsonl": json_lines(PLAYED, ALPHA)}) / "all.jsonl"
    else:
        path = folder(tmp_path, {"items.jsonl": json_lines(ALPHA), "events.jsonl": json_lines(PLAYED)})
    assert counts(import_dataset(path)) == (UpsertCounts(new=1), StoredCounts(users_new=1, new=1), 0)
    assert stored_items() == [("a", "Alpha", "", ["slow"], None)]
    event = Event.objects.get()
    assert (event.value, event.context) == (3.0, {"source": "home\\page\t"})
    assert event.request_id == UUID("22222222-2222-4222-8222-222222222222")
    assert import_dataset(path).events == StoredCounts(duplicate=1)


def test_odd_but_valid_ids_survive_the_copy(tmp_path: Path) -> None:
    odd = ["back\\slash", "\\N", "quote'\"", "percent%s", "ümläut 名", "tab?"]
    items = json_lines(*({"item_id": name, "title": name} for name in odd))
    events = json_lines(*(PLAYED | {"user_id": name, "item_id": name} for name in odd))
    import_dataset(folder(tmp_path, {"items.jsonl": items, "events.jsonl": events}))
    assert sorted(row[:2] for row in stored_events()) == sorted((name, name) for name in odd)


EVENTS_HEADER = "user_id,item_id,timestamp,value\n"
MOMENT = "must be RFC 3339 with an offset (2026-01-01T00:00:00Z) or seconds since 1970"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "user,item_id,timestamp\nu,a,1\n",
            "row 1: the header lacks user_id; expected user_id,item_id,timestamp[,value][,event_type][,event_id]",
        ),
        (
            "user_id,item_id,timestamp,rating\nu,a,1,2\n",
            (
                "row 1: the header has the unknown column rating; "
                "expected user_id,item_id,timestamp[,value][,event_type][,event_id]"
            ),
        ),
        (
            "user_id,item_id,timestamp,value,value\nu,a,1,2,3\n",
            "row 1: the header repeats value; expected user_id,item_id,timestamp[,value][,event_type][,event_id]",
        ),
        (EVENTS_HEADER + "u,a,1,1\n" * 5 + "u,a,1\n", "row 7: 3 columns, but the header has 4"),
        (EVENTS_HEADER + "u,a,yesterday,\n", f"row 2: timestamp {MOMENT}"),
        (EVENTS_HEADER + "u,a,2024-01-15T10:30:00,\n", f"row 2: timestamp {MOMENT}"),
        (EVENTS_HEADER + "u,a,2024-02-30T10:30:00Z,\n", f"row 2: timestamp {MOMENT}"),
        (EVENTS_HEADER + "u,a,,\n", f"row 2: timestamp {MOMENT}"),
        (EVENTS_HEADER + "u,a,9999-12-31T23:59:59Z,\n", "row 2: timestamp lies in the future"),
        (
            EVENTS_HEADER + "u,a,1705314600000,\n",
            "row 2: timestamp lies in the future; a number is seconds, not milliseconds",
        ),
        (EVENTS_HEADER + "u,a,1066-10-14T09:00:00Z,\n", "row 2: timestamp lies before 1900"),
        (EVENTS_HEADER + "u,a,1,nan\n", "row 2: value must be a number"),
        (EVENTS_HEADER + "u,a,1,1e999\n", "row 2: value must be a finite number"),
        (EVENTS_HEADER + "u,a,1,1_000\n", "row 2: value must be a number"),
        (EVENTS_HEADER + ",a,1,\n", "row 2: user_id is empty"),
        (EVENTS_HEADER + "u\0,a,1,\n", "row 2: user_id contains a NUL character"),
        (EVENTS_HEADER + "u\u202e,a,1,\n", "row 2: user_id contains the character U+202E"),
        (EVENTS_HEADER + f"{'u' * 201},a,1,\n", "row 2: user_id has 201 characters; at most 200"),
        (EVENTS_HEADER + "u,nosuch,1,\n", "row 2: there is no item 'nosuch'"),
        (EVENTS_HEADER + 'u,"a"b,1,\n', "row 2: broken quoting: ',' expected after '\"'"),
        (EVENTS_HEADER + 'u,"a,1,\n', "row 2: broken quoting: unexpected end of data"),
        (
            "user_id,item_id,timestamp,event_type\nu,a,1,danced\n",
            (
                "row 2: no event type danced; allowed: add_to_list, already_seen, click, impression, like, "
                "not_interested, purchase, rating, view, watch"
            ),
        ),
        ("user_id,item_id,timestamp,event_id\nu,a,1,7\n", "row 2: event_id must be a UUID of 36 characters"),
        (
            (
                "user_id,item_id,timestamp,event_id\n"
                "u,a,1,11111111-1111-4111-8111-111111111111\nu,a,1,11111111-1111-4111-8111-111111111111\n"
                "u,a,2,11111111-1111-4111-8111-111111111111\n"
            ),
            "row 4: event_id belongs to another event, of row 2",
        ),
        ("", "row 0: the header lacks user_id, item_id, timestamp; "),
    ],
)
def test_a_broken_row_of_events_refuses_everything(tmp_path: Path, text: str, problem: str) -> None:
    folder(tmp_path, {"items.csv": ITEMS_CSV, "events.csv": text})
    expected = f"events.csv {problem}".replace(" row 0:", ":")
    found = refusal(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(expected) if expected.endswith("; ") else found == [expected]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            "item_id,title\na,Amélie\n".encode("latin-1"),
            "row 2: byte 0xe9 is not UTF-8 (Latin-1 or Windows-1252?); save it as UTF-8",
        ),
        ("item_id,title\na,Amélie\n".encode("utf-16"), "row 1: the file is UTF-16; save it as UTF-8"),
        (b"item_id,titel\na,x\n", "row 1: the header lacks title; expected item_id,title[,description][,category]"),
        (b"item_id,title\na,x\nb,y\na,z\n", "row 4: item_id a is already in row 2"),
        (b"item_id,title\na,x\0y\n", "row 2: title contains a NUL character"),
        (b"item_id,title\na,\n", "row 2: title is empty"),
        (b'item_id,title\na,"two\nlines"\nb\n', "row 4: 1 columns, but the header has 2"),
        (b"item_id,title,published_at\na,x,1999\n", "row 2: published_at must be a date or RFC 3339 with an offset"),
        (b"item_id,title,duration_minutes\na,x,long\n", "row 2: duration_minutes must be a whole number"),
        (b"item_id,title,is_active\na,x,maybe\n", "row 2: is_active must be true or false"),
        (b"item_id,title,attributes\na,x,{\n", "row 2: attributes is not JSON: Input data was truncated"),
    ],
)
def test_a_broken_item_refuses_everything(tmp_path: Path, data: bytes, problem: str) -> None:
    folder(tmp_path, {"items.csv": data, "events.csv": EVENTS_HEADER + "u,nosuch,1,\n"})
    (found,) = refusal(tmp_path)
    assert found.startswith(f"items.csv {problem}")


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ("{", "not JSON: Input data was truncated"),
        ("[1]", "expected a JSON object, got [1]"),
        (json.dumps(PLAYED | {"user_id": 7}), "user_id must be text, got a number"),
        (json.dumps(PLAYED | {"value": "4"}), "value must be a number"),
        (json.dumps(PLAYED | {"value": True}), "value must be a number"),
        (
            json.dumps(PLAYED | {"extra": 1}),
            "'extra' is not a field of an event; allowed: user_id, item_id, event_type",
        ),
        (json.dumps(PLAYED | {"event_type": None}), "event_type is missing"),
        (json.dumps(PLAYED | {"context": {"a": ["\0"]}}), "context.a[0] contains a NUL character"),
        (json.dumps(PLAYED | {"context": "home"}), "context must be an object"),
        (json.dumps(PLAYED | {"timestamp": 1e300}), "timestamp lies in the future"),
    ],
)
def test_a_broken_json_event_refuses_everything(tmp_path: Path, event: str, problem: str) -> None:
    folder(tmp_path, {"items.jsonl": json_lines(ALPHA), "events.jsonl": json_lines(PLAYED) + event + "\n"})
    (found,) = refusal(tmp_path)
    assert found.startswith(f"events.jsonl row 2: {problem}")


def test_an_id_that_stands_for_another_event_is_refused(tmp_path: Path) -> None:
    given = {"event_id": "11111111-1111-4111-8111-111111111111"}
    import_dataset(folder(tmp_path, {"items.jsonl": json_lines(ALPHA), "events.jsonl": json_lines(PLAYED | given)}))
    folder(tmp_path, {"events.jsonl": json_lines(PLAYED | given | {"value": 5})})
    assert refusal(tmp_path) == ["events.jsonl row 1: event_id belongs to another event, recorded earlier"]


def test_a_repeated_row_is_a_duplicate_with_or_without_an_id(tmp_path: Path) -> None:
    given = {"event_id": "11111111-1111-4111-8111-111111111111"}
    events = json_lines(PLAYED, PLAYED, PLAYED | given, PLAYED | given)
    result = import_dataset(folder(tmp_path, {"items.jsonl": json_lines(ALPHA), "events.jsonl": events}))
    assert result.events == StoredCounts(users_new=1, new=2, duplicate=2)
    assert (Event.objects.count(), EventKey.objects.count()) == (2, 1)


def test_an_import_that_died_between_parts_is_completed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(Exception):
        pass

    def die(step: str, done: int, total: int) -> None:
        if step == "storing events" and done >= 1_000:
            raise Died

    events = EVENTS_HEADER + "".join(f"u{number},a,{number},\n" for number in range(3_000))
    folder(tmp_path, {"items.csv": ITEMS_CSV, "events.csv": events})
    monkeypatch.setattr(staged_insert, "PART_ROWS", 1_000)
    with pytest.raises(Died):
        import_dataset(tmp_path, progress=die)
    stored = Event.objects.count()
    assert 0 < stored < 3_000
    assert import_dataset(tmp_path).events == StoredCounts(new=3_000 - stored, duplicate=stored)


def test_a_second_import_at_the_same_time_is_refused(tmp_path: Path) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('interactions.staging'))")
        with pytest.raises(ImportRunning, match="another import is running in this database"):
            import_dataset(folder(tmp_path, MOVIELENS))
    finally:
        # Not left to the closing: a backend gives up what it holds when it gets round to ending.
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        other.close()
    assert not Item.objects.exists()
    assert import_dataset(tmp_path).events.new == 3


def test_a_line_without_end_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 100)
    text = "item_id,title\n" + "a" * 1000 + ",x\nb,fine\nc\n"
    found = refusal(folder(tmp_path, {"items.csv": text}))
    assert found == [
        "items.csv row 2: the line is longer than 100 bytes",
        "items.csv row 4: 1 columns, but the header has 2",
    ]


def test_all_problems_are_counted_and_twenty_kept(tmp_path: Path) -> None:
    folder(tmp_path, {"items.csv": ITEMS_CSV, "events.csv": EVENTS_HEADER + "u,a,never,\n" * 30 + "u,a,1,\n"})
    seen = []
    with pytest.raises(DatasetRefused, match=r"^30 problems; nothing was imported$") as caught:
        import_dataset(tmp_path, on_problem=seen.append)
    assert [problem.row for problem in caught.value.problems.first] == list(range(2, 22))
    assert [problem.row for problem in seen] == list(range(2, 32))
    assert not Item.objects.exists()


def test_partial_keeps_the_good_rows_and_notes_the_bad(tmp_path: Path) -> None:
    text = EVENTS_HEADER + "u,a,1,\nu,a,never,\nu,late,5,2\nu,a\nv,b,7,\n"
    folder(tmp_path, {"items.csv": ITEMS_CSV + "c\n", "events.csv": text})
    result = import_dataset(tmp_path, partial=True)
    assert counts(result) == (UpsertCounts(new=2), StoredCounts(users_new=2, new=2), 3)
    assert result.problems.total == 4
    letters = list(DeadLetter.objects.order_by("message").values_list("code", "message", "item_id", "source"))
    assert letters == [
        ("timestamp_invalid", f"events.csv row 3: timestamp {MOMENT}", "a", "import"),
        ("item_unknown", "events.csv row 4: there is no item 'late'", "late", "import"),
        ("row_invalid", "events.csv row 5: 2 columns, but the header has 4", "", "import"),
    ]
    assert json.loads(DeadLetter.objects.get(item_id="late").payload) == {
        "user_id": "u",
        "item_id": "late",
        "event_type": "rating",
        "timestamp": "1970-01-01T00:00:05+00:00",
        "value": 2.0,
    }
    again = import_dataset(tmp_path, partial=True)
    assert counts(again) == (UpsertCounts(unchanged=2), StoredCounts(duplicate=2), 3)
    assert DeadLetter.objects.count() == 3


def test_nothing_is_stored_of_who_withholds_consent(tmp_path: Path) -> None:
    UserProfile.objects.create(user_id="u", consent=UserProfile.Consent.WITHHELD)
    text = EVENTS_HEADER + "u,a,1,\nu,nosuch,1,\nu,a,never,\nv,a,1,\n"
    folder(tmp_path, {"items.csv": ITEMS_CSV, "events.csv": text})
    result = import_dataset(tmp_path, partial=True)
    assert counts(result)[1:] == (StoredCounts(users_new=1, new=1, withheld=1), 3)
    assert [event[0] for event in stored_events()] == ["v"]
    assert not DeadLetter.objects.exists()


def test_an_imported_event_counts_on_the_next_request(tmp_path: Path) -> None:
    import_dataset(folder(tmp_path, {"items.csv": ITEMS_CSV, "events.csv": EVENTS_HEADER + "u,a,1,\n"}))
    pks = dict(Item.objects.values_list("item_id", "id"))
    assert features.load("u")[0].item_pks.tolist() == [pks["a"]]
    import_dataset(folder(tmp_path, {"events.csv": EVENTS_HEADER + "u,b,2,\n"}))
    assert features.load("u")[0].item_pks.tolist() == [pks["b"], pks["a"]]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"../movies.csv": MOVIES}, "holds '../movies.csv', which points outside the archive"),
        ({"/movies.csv": MOVIES}, "holds '/movies.csv', which points outside the archive"),
        ({"movies.csv": "0" * 20_000_000}, "unpacks .* bytes to 20,000,000: more than 200:1 is taken for a zip bomb"),
        ({"a/b/movies.csv": MOVIES}, "is no known data set: it holds no files"),
        ({"readme.txt": "x"}, "is no known data set: it holds readme.txt"),
    ],
)
def test_an_unsafe_or_foreign_archive_is_refused(tmp_path: Path, members: dict[str, str], message: str) -> None:
    before = everything()
    with pytest.raises(DatasetError, match=message):
        import_dataset(archive(tmp_path / "set.zip", members))
    assert everything() == before


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "set.zip", MOVIELENS, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"Toy Story", b"Toy Stori"))
    with pytest.raises(DatasetError, match=r"set.zip is a damaged or unsupported zip: Bad CRC-32"):
        import_dataset(path)
    assert not Item.objects.exists()


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("movies.csv")
    member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as bundle:
        bundle.writestr(member, "/etc/passwd")
    with pytest.raises(DatasetError, match=r"holds the symbolic link 'movies.csv'"):
        import_dataset(tmp_path / "set.zip")


def test_what_does_not_exist_or_is_unknown_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere does not exist"):
        import_dataset(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="there is no format 'xml'; allowed: movielens, jsonl, csv"):
        import_dataset(folder(tmp_path, MOVIELENS), format="xml")
    with pytest.raises(DatasetError, match="holds neither items nor events of format csv"):
        import_dataset(folder(tmp_path / "empty", {"readme.txt": "x"}), format="csv")


def _real_data() -> Path:
    beside = Path(__file__).resolve().parents[3] / "shared" / "data" / "ml-latest-small"
    return Path(os.environ.get("RECSITE_TEST_DATA", beside))


@pytest.mark.skipif(not (_real_data() / "ratings.csv").exists(), reason="set RECSITE_TEST_DATA to ml-latest-small")
def test_ml_latest_small_goes_in_once() -> None:
    result = import_dataset(_real_data())
    assert counts(result) == (UpsertCounts(new=9125), StoredCounts(users_new=671, new=100_004), 0)
    assert result.problems.total == 0
    assert (Item.objects.count(), Event.objects.count(), UserProfile.objects.count()) == (9125, 100_004, 671)
    again = import_dataset(_real_data())
    assert counts(again) == (UpsertCounts(unchanged=9125), StoredCounts(duplicate=100_004), 0)
    assert Event.objects.count() == 100_004
