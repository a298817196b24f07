"""Items out of the admin as CSV and back: previewed, checked row by row, whole or not at all."""

from __future__ import annotations

import csv
import html
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog import revisions, spreadsheets
from catalog.models import Item
from catalog.records import ITEM_FIELDS

ITEMS = "/admin/catalog/item/"
DANGEROUS = '=HYPERLINK("http://evil")'


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    return client


def upload(client: Client, text: str) -> Any:
    """Return the answer with the preview."""
    file = SimpleUploadedFile("items.csv", text.encode(), "text/csv")
    return client.post(f"{ITEMS}import/", {"import_file": file, "format": "0", "resource": "0"})


def confirm(client: Client, preview: Any) -> Any:
    initial = preview.context["confirm_form"].initial
    return client.post(f"{ITEMS}process_import/", initial, follow=True)


def export(client: Client, query: str = "") -> str:
    answer = client.post(f"{ITEMS}export/{query}", {"format": "0", "resource": "0"})
    assert answer["Content-Type"] == "text/csv"
    return answer.content.decode()


def stored() -> list[dict[str, Any]]:
    return list(Item.objects.order_by("item_id").values(*ITEM_FIELDS, "revision"))


@pytest.fixture
def full(db: None) -> Item:
    """An item with everything that is awkward in a table."""
    return Item.objects.create(
        item_id="-1",
        title=DANGEROUS,
        description='Two\r\nlines, "quoted"\n\tand é',
        category="'=x",
        tags=["a|b", "heist"],
        creators=["Mann, Michael", "+Pacino"],
        countries=["US"],
        language="en",
        duration_minutes=170,
        image_url="/heat.jpg",
        published_at=datetime(1995, 12, 15, 20, 30, 0, 5, tzinfo=UTC),
        available_from=datetime(2026, 1, 1, tzinfo=UTC),
        is_active=False,
        attributes={"rating": {"imdb": 8.3}, "=x": [1, None]},
    )


def test_what_is_exported_is_harmless_and_reads_back_as_it_was(staff: Client, full: Item) -> None:
    Item.objects.create(item_id="plain", title="Plain")
    before = stored()
    text = export(staff)
    for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))):
        assert not [cell for cell in row if cell.startswith(tuple("=+-@\t\r"))]
    Item.objects.all().delete()
    answer = confirm(staff, upload(staff, text))
    assert "Import finished: 2 new, 0 updated" in answer.text
    assert [{**row, "revision": 0} for row in stored()] == [{**row, "revision": 0} for row in before]


def test_importing_what_is_there_already_writes_nothing(staff: Client, full: Item) -> None:
    before, revision = stored(), revisions.from_database()[revisions.CATALOGUE]
    answer = confirm(staff, upload(staff, export(staff)))
    assert "0 new, 0 updated, 0 deleted and 1 skipped" in answer.text
    assert (stored(), revisions.from_database()[revisions.CATALOGUE]) == (before, revision)


def test_a_preview_writes_nothing_and_shows_what_would_change(staff: Client, full: Item) -> None:
    before = stored()
    preview = upload(staff, "item_id,title,tags\n'-1,Heat,heist\nup,Up,\n")
    assert [row.import_type for row in preview.context["result"].rows] == ["update", "new"]
    assert "Confirm import" in preview.text
    assert stored() == before
    confirm(staff, preview)
    full.refresh_from_db()
    # A column left out is as it was; an empty cell empties.
    assert (full.title, full.tags, full.category) == ("Heat", ["heist"], "'=x")
    assert Item.objects.get(item_id="up").tags == []


def test_a_preview_is_short_and_strikes_out_what_goes(
    staff: Client, full: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_SHOWN", 2)
    preview = upload(staff, "item_id,title,category\n'-1,<b>Heat</b>,''=x\nup,Up,\nalien,Alien,\n")
    result = preview.context["result"]
    shown = [dict(zip(result.diff_headers, row.diff, strict=True)) for row in result.valid_rows()]
    assert [row["item_id"] for row in shown] == ["-1", "up"]
    assert shown[0]["title"] == f"<del>{html.escape(DANGEROUS)}</del> → &lt;b&gt;Heat&lt;/b&gt;"
    assert (shown[0]["category"], shown[0]["tags"]) == ("&#x27;=x", "[&quot;a|b&quot;, &quot;heist&quot;]")
    assert (shown[1]["title"], shown[1]["is_active"]) == ("Up", "true")
    assert "The file has 3 rows; the first 2 are shown." in preview.text
    assert "3 rows" not in confirm(staff, preview).text
    assert Item.objects.count() == 3
    refused = upload(staff, "item_id,title\na,\nb,\nc,\n")
    assert [row.number for row in refused.context["result"].invalid_rows] == [1, 2]


def test_the_title_may_be_left_out_of_known_items_only(staff: Client, full: Item) -> None:
    preview = upload(staff, "item_id,category\n'-1,Crime\nup,Animation\n")
    (invalid,) = preview.context["result"].invalid_rows
    assert (invalid.number, invalid.field_specific_errors) == (2, {"title": ["title is missing"]})


def test_wrong_rows_are_told_by_number_and_nothing_is_saved(staff: Client, full: Item) -> None:
    before = stored()
    text = (
        "item_id,title,url,tags,duration_minutes,is_active,available_from,available_until,attributes\n"
        "heat,Heat,/heat,heist,170,true,,,\n"
        "a,A,javascript:alert(1),,,,,,\n"
        f"b,B,,{'x' * 101},,true,,,\n"
        "c,C,,,long,true,,,\n"
        "d,D,,,,maybe,,,\n"
        "e,E,,,,true,2026-02-01,2026-01-01,\n"
        "f,F,,,,true,,,{\n"
        ",No id,,,,true,,,\n"
        "heat,Heat again,,,,true,,,\n"
    )
    preview = upload(staff, text)
    found = {row.number: row.field_specific_errors for row in preview.context["result"].invalid_rows}
    assert found == {
        2: {"is_active": ["is_active must be true or false, got ''"]},
        3: {"tags": ["tags[0] has 101 characters; at most 100"]},
        4: {"duration_minutes": ["duration_minutes must be a whole number, got text"]},
        5: {"is_active": ["is_active must be true or false, got 'maybe'"]},
        6: {"available_until": ["available_until is not after available_from"]},
        7: {"attributes": ["attributes is not JSON: '{'"]},
        8: {"item_id": ["item_id is empty"]},
        9: {"item_id": ["item_id 'heat' is in row 1 already"]},
    }
    assert "confirm_form" not in preview.context
    assert stored() == before


def test_nothing_is_saved_when_a_row_has_become_wrong_after_the_preview(staff: Client, full: Item) -> None:
    preview = upload(staff, "item_id,category\n'-1,Crime\n")
    Item.objects.all().delete()
    Item.objects.create(item_id="other", title="Other")
    before = stored()
    answer = confirm(staff, preview)
    assert "nothing was imported" in answer.text
    assert stored() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item_id,title,colour\nheat,Heat,red\n", "There is no column &#x27;colour&#x27;; there are: item_id, title,"),
        ("item_id,title,title\nheat,Heat,Heat\n", "The column &#x27;title&#x27; is there twice."),
        ("title\nHeat\n", "not present in the file headers: item_id"),
        ("item_id,title\n" + "".join(f"{n},x\n" for n in range(4)), "The file has 4 rows; at most 3"),
        ("item_id,title\nhe\0at,Heat\n", "encountered while trying to read file"),
        ("item_id,title\nheat,Heat,170\n", "encountered while trying to read file"),
        ("", "The submitted file is empty."),
        ("item_id,title\n" + "x" * 2_000, "The file has 2,014 bytes; at most 1,000"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_as_a_whole(
    staff: Client, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.setattr(spreadsheets.CheckedResource, "most_rows", 3)
    monkeypatch.setattr(spreadsheets, "MAX_BYTES", 1_000)
    answer = upload(staff, text)
    assert message in answer.text
    assert "confirm_form" not in answer.context
    assert not Item.objects.exists()


def test_a_preview_cannot_be_confirmed_twice(staff: Client) -> None:
    preview = upload(staff, "item_id,title\nheat,Heat\n")
    confirm(staff, preview)
    Item.objects.all().delete()
    assert "The file is gone: choose it again." in confirm(staff, preview).text
    assert not Item.objects.exists()


def test_only_what_is_filtered_is_exported_and_never_too_much(
    staff: Client, full: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    Item.objects.create(item_id="heat", title="Heat", category="Crime")
    Item.objects.create(item_id="up", title="Up")
    assert [line.split(",")[0] for line in export(staff, "?category=Crime").splitlines()[1:]] == ["heat"]
    monkeypatch.setattr(spreadsheets, "MAX_ROWS", 2)
    answer = staff.post(f"{ITEMS}export/", {"format": "0", "resource": "0"})
    assert "That is more than 2 rows." in answer.text


def test_importing_needs_leave_to_add_and_change(db: None) -> None:
    client, user = Client(), User.objects.create_user("viewer", is_staff=True)
    client.force_login(user)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_item", "change_item"]))
    assert client.get(f"{ITEMS}import/").status_code == 403
    assert client.post(f"{ITEMS}process_import/", {}).status_code == 403
    assert client.get(f"{ITEMS}export/").status_code == 200
    user.user_permissions.set(Permission.objects.filter(codename="view_eventtype"))
    assert client.get(f"{ITEMS}export/").status_code == 403
