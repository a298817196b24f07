"""Rules out of the admin as CSV and back, with items and conditions: checked as the form checks, all or none."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Item
from recommender.models import Placement, Rule, RuleClause, RuleItem
from recommender.rules import draft
from recommender.rules.vocabulary import RuleSpec
from tests.recommender.rule_writing import written

RULES = "/admin/recommender/rule/"


@pytest.fixture
def editor(db: None) -> Client:
    user = User.objects.create_user("editor", is_staff=True)
    user.groups.set(Group.objects.filter(name="Editors"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def films(db: None) -> dict[str, int]:
    items = [Item.objects.create(item_id=item_id, title=item_id) for item_id in ("heat", "=up", "a|b")]
    return {item.item_id: item.pk for item in items}


def upload(client: Client, text: str) -> Any:
    file = SimpleUploadedFile("rules.csv", text.encode(), "text/csv")
    return client.post(f"{RULES}import/", {"import_file": file, "format": "0", "resource": "0"})


def confirm(client: Client, preview: Any) -> Any:
    return client.post(f"{RULES}process_import/", preview.context["confirm_form"].initial, follow=True)


def export(client: Client) -> str:
    return client.post(f"{RULES}export/", {"format": "0", "resource": "0"}).content.decode()


def stored() -> list[tuple[RuleSpec, bool, str]]:
    """Return all that a rule says, and how it is kept."""
    return [(draft.spec_of(rule), rule.is_active, rule.note) for rule in Rule.objects.order_by("pk")]


@pytest.fixture
def full(films: dict[str, int]) -> Rule:
    rule = written(
        "promote",
        items=["=up", "a|b", "heat"],
        placements=["homepage", "product_page"],
        where="category=Crime, true",
        name="=1+1",
        note="two\r\nlines",
        slots=2,
        priority=-3,
        countries=["FR", "DE"],
        languages=["pt-BR"],
        devices=["mobile"],
        active_from=datetime(2026, 3, 1, 8, tzinfo=UTC),
        active_until=datetime(2026, 4, 1, tzinfo=UTC),
        weekdays=[5, 6],
        opens=time(20),
        closes=time(2, 30),
        time_zone="Europe/Paris",
        holdout_percent=12.5,
        is_active=False,
    )
    RuleClause.objects.create(rule=rule, field="year", operator="at_least", values=["1990"])
    return rule


def test_what_is_exported_reads_back_as_it_was(editor: Client, full: Rule) -> None:
    written("cap", name="-cap", attribute="category", at_most=2, window=5)
    before, text = stored(), export(editor)
    assert "\r\n=" not in text
    assert ",=" not in text
    # Back onto the same rules, which have been changed in everything.
    Rule.objects.update(
        name="x", priority=0, slots=9, countries=[], languages=[], devices=[], active_from=None, active_until=None,
        weekdays=[], opens=None, closes=None, time_zone="UTC", holdout_percent=0, is_active=True, note="",
        action="hide", attribute="", at_most=None, window=None,
    )  # fmt: skip
    RuleItem.objects.all().delete()
    RuleClause.objects.all().delete()
    full.placements.clear()
    assert stored() != before
    answer = confirm(editor, upload(editor, text))
    assert "0 new, 2 updated" in answer.text
    assert stored() == before


def test_what_is_there_already_is_skipped(editor: Client, full: Rule) -> None:
    before, moment = stored(), full.updated_at
    assert "0 new, 0 updated, 0 deleted and 1 skipped" in confirm(editor, upload(editor, export(editor))).text
    full.refresh_from_db()
    assert (stored(), full.updated_at) == (before, moment)


def test_a_row_without_id_is_a_new_draft(editor: Client, films: dict[str, int]) -> None:
    preview = upload(
        editor, 'name,action,slots,item_ids,conditions,placements\nSpring,promote,3,heat|=up,,homepage\n'
        'Crime,hide,,,"[{""field"": ""category"", ""operator"": ""is"", ""values"": [""Crime""]}]",\n'
    )  # fmt: skip
    assert [row.import_type for row in preview.context["result"].rows] == ["new", "new"]
    assert not Rule.objects.exists()
    confirm(editor, preview)
    spring, crime = draft.read()
    assert (spring.name, spring.slots, spring.items) == ("Spring", 3, (films["heat"], films["=up"]))
    assert (spring.audience.placements, spring.multiplier) == (("homepage",), 1.0)
    assert (crime.name, crime.where[0].field, crime.where[0].values) == ("Crime", "category", ("Crime",))


def test_wrong_rows_are_told_by_number_and_nothing_is_saved(editor: Client, full: Rule) -> None:
    before = stored()
    text = (
        "id,name,action,slots,item_ids,placements,active_from,active_until,is_active,conditions,weekdays\n"
        ",Right,promote,1,heat,,,,true,,\n"
        f"{full.pk},Both ends,promote,1,heat,,2026-04-01,2026-03-01,true,,\n"
        ",No such item,promote,1,nothing,,,,true,,\n"
        ",No such place,promote,1,heat,nowhere,,,true,,\n"
        ",No action,shout,1,heat,,,,true,,\n"
        ",No items,promote,1,,,,,true,,\n"
        ",Perhaps,promote,1,heat,,,,perhaps,,\n"
        ",Not JSON,promote,1,heat,,,,true,category,\n"
        ",Eighth day,promote,1,heat,,,,true,,8\n"
        "999999,Gone,promote,1,heat,,,,true,,\n"
        "x,Letters,promote,1,heat,,,,true,,\n"
        f"{full.pk},Again,promote,1,heat,,,,true,,\n"
        ",,promote,1,heat,,,,true,,\n"
    )
    preview = upload(editor, text)
    found = {row.number: row.field_specific_errors for row in preview.context["result"].invalid_rows}
    names = ", ".join(Placement.objects.values_list("name", flat=True))
    assert found == {
        2: {"active_until": ["The end must come after the start."]},
        3: {"item_ids": ["item_ids has no item 'nothing' in the catalogue"]},
        4: {"placements": [f"placements has none called 'nowhere'; there are: {names}"]},
        5: {"action": ["Select a valid choice. shout is not one of the available choices."]},
        6: {"item_ids": ["Say which items: pick some, or give a condition."]},
        7: {"is_active": ["is_active must be true or false, got 'perhaps'"]},
        8: {"conditions": ['conditions must be like [{"field": "category", "operator": "is", "values": ["Crime"]}]']},
        9: {"weekdays": ["Select a valid choice. 8 is not one of the available choices."]},
        10: {"id": ["There is no rule '999999'; leave id empty to add one."]},
        11: {"id": ["There is no rule 'x'; leave id empty to add one."]},
        12: {"id": [f"Rule {full.pk} is in row 2 already."]},
        13: {"name": ["This field is required."]},
    }
    assert "confirm_form" not in preview.context
    assert stored() == before


@pytest.mark.parametrize(
    "conditions",
    [
        '[1]', '{}', '["x"]', '[{"field": "year"}]', '[{"field": "year", "operator": "eats", "values": ["1"]}]',
        '[{"field": "year", "operator": "is", "values": [1]}]', '[{"field": "year", "operator": "is", "values": "1"}]',
        '[{"field": 1, "operator": "is", "values": ["1"]}]', '7',
    ],
)  # fmt: skip
def test_conditions_of_another_shape_are_refused(editor: Client, films: dict[str, int], conditions: str) -> None:
    quoted = conditions.replace('"', '""')
    preview = upload(editor, f'name,action,conditions\nx,hide,"{quoted}"\n')
    (invalid,) = preview.context["result"].invalid_rows
    assert set(invalid.field_specific_errors) == {"conditions"}


def test_exporting_asks_no_more_for_more_rules(editor: Client, full: Rule) -> None:
    counts = []
    for more in (1, 10):
        for _ in range(more):
            written("hide", items=["heat"], placements=["homepage"], where="category=Crime")
        with CaptureQueriesContext(connection) as asked:
            export(editor)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_viewers_export_but_do_not_import(full: Rule) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    user.groups.set(Group.objects.filter(name="Viewers"))
    client = Client()
    client.force_login(user)
    assert client.get(f"{RULES}import/").status_code == 403
    assert "'=1+1" in export(client)
