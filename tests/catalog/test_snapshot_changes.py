"""A snapshot that follows the changes is the one that would be read anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import snapshot
from catalog.catalogue import BY_ROW
from catalog.models import Item
from catalog.snapshot import Catalogue


def told(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return what it says of each item, whatever numbers its categories have."""
    arrays = {name: getattr(catalogue, name) for name in (*BY_ROW, "cards")}
    assert {len(values) for values in arrays.values()} == {len(catalogue)}
    rows = [{name: values[row] for name, values in arrays.items()} for row in range(len(catalogue))]
    return [row | {"category_codes": catalogue.categories[row["category_codes"]]} for row in rows]


def assert_same(followed: Catalogue, read: Catalogue) -> None:
    for one, other in zip(told(followed), told(read), strict=True):
        assert {name: str(value) for name, value in one.items()} == {name: str(value) for name, value in other.items()}
    assert followed.row_of == read.row_of
    assert (followed.read_at, followed.removals) == (read.read_at, read.removals)
    assert followed.available(1e9).tolist() == read.available(1e9).tolist()
    assert followed.by_popularity.tolist() == read.by_popularity.tolist()


@pytest.fixture
def films(db: None) -> Catalogue:
    for number, title in enumerate(("Heat", "Ronin", "Alien")):
        Item.objects.create(item_id=title.lower(), title=title, category="crime" if number < 2 else "scifi")
    return snapshot.load(1)


def change(films: Catalogue) -> None:
    Item.objects.filter(item_id="ronin").update(title="Ronin (1998)", category="thriller")


def hide(films: Catalogue) -> None:
    Item.objects.filter(item_id="heat").update(is_active=False)


def rename(films: Catalogue) -> None:
    Item.objects.filter(item_id="heat").update(item_id="heat-1995")


def add(films: Catalogue) -> None:
    Item.objects.create(item_id="up", title="Up", category="family")


def add_below(films: Catalogue) -> None:
    """Commit a lower key later, as a slow transaction does."""
    Item.objects.create(id=int(films.pks[0]) - 1, item_id="early", title="Early")


def remove(films: Catalogue) -> None:
    Item.objects.get(item_id="ronin").delete()


def remove_past_django(films: Catalogue) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM catalog_item WHERE item_id = 'heat'")


def everything_at_once(films: Catalogue) -> None:
    for step in (change, hide, add, add_below, remove):
        step(films)


def nothing(films: Catalogue) -> None:
    pass


@pytest.mark.parametrize(
    "step", [change, hide, rename, add, add_below, remove, remove_past_django, everything_at_once, nothing]
)
@pytest.mark.parametrize("most_on_top", [0, 2000])
def test_following_a_change_is_like_reading_anew(
    films: Catalogue, step: Callable[[Catalogue], None], most_on_top: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.cards.SHARE_ON_TOP", 0.0)
    monkeypatch.setattr("catalog.cards.AT_LEAST_ON_TOP", most_on_top)
    assert len(films.row_of) == 3
    before = told(films)
    step(films)
    assert_same(snapshot.load(2, films), snapshot.load(2))
    assert str(told(films)) == str(before), "the earlier snapshot is still being read by others"


def test_only_what_has_changed_is_read(films: Catalogue) -> None:
    read: list[str] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        read.append(sql)
        return execute(sql, parameters, many, context)

    change(films)
    with connection.execute_wrapper(note):
        now = snapshot.load(2, films)
    assert ["revision" in sql for sql in read] == [True, True]
    assert now.pks is films.pks
    assert now.cards.packed is films.cards.packed
    assert list(now.cards.changed) == [films.pks[1]]
    others = [name for name in BY_ROW if getattr(now, name) is not getattr(films, name)]
    assert others == ["category_codes", "item_revisions"]


def test_what_somebody_commits_after_the_snapshot_was_read_is_in_the_next(films: Catalogue) -> None:
    hide(films)
    followed = snapshot.load(2, films)
    change(films)
    assert_same(snapshot.load(3, followed), snapshot.load(3))


def test_a_database_that_has_gone_back_is_read_in_full(films: Catalogue) -> None:
    hide(films)
    ahead = snapshot.load(2, films)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_revision SET value = %s WHERE name = 'catalogue'", [films.read_at])
        cursor.execute("ALTER TABLE catalog_item DISABLE TRIGGER USER")
        cursor.execute("UPDATE catalog_item SET is_active = true")
        cursor.execute("ALTER TABLE catalog_item ENABLE TRIGGER USER")
    assert snapshot.load(1, ahead).is_active.all()


def test_an_item_saved_from_an_old_copy_gets_a_revision_of_its_own(films: Catalogue) -> None:
    old = Item.objects.get(item_id="heat")
    change(films)
    followed = snapshot.load(2, films)
    old.title = "Heat (1995)"
    old.save()
    assert snapshot.load(3, followed).cards[0].title == "Heat (1995)"


def test_popularity_raises_no_revision(films: Catalogue) -> None:
    Item.objects.update(popularity=3.0)
    assert snapshot.load(2, films).read_at == films.read_at


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([change, hide, add, add_below, remove, rename]), max_size=4, unique=True))
@pytest.mark.django_db
def test_any_sequence_of_changes_is_followed(steps: list[Callable[[Catalogue], None]]) -> None:
    from django.db import transaction

    with transaction.atomic():
        for title in ("Heat", "Ronin", "Alien"):
            Item.objects.create(item_id=title.lower(), title=title)
        followed = first = snapshot.load(1)
        for number, step in enumerate(steps):
            if step is not remove or Item.objects.filter(item_id="ronin").exists():
                step(first)
            followed = snapshot.load(number + 2, followed)
        assert_same(followed, snapshot.load(len(steps) + 1))
        transaction.set_rollback(True)
