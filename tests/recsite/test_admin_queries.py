"""The pages of the admin ask no more of a site ten times the size, and count no table that grows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalog.models import EmbeddingSpace, Item, ItemEmbedding
from experiments.models import Experiment, Metric, Variant
from interactions import daily_figures
from interactions.models import DeadLetter, EventType, UserProfile
from recommender.models import ModelVersion, Placement, RebuildJob, Rule, RuleClause, RuleItem
from recommender.rules import versions
from recsite.models import ApiKey, AuditEntry

COUNTED_TABLES = ("catalog_item", "interactions_event", "interactions_impression", "interactions_userprofile")
PAGES = {
    "index",
    "catalog_item_pick",
    "catalog_item_import",
    "catalog_item_export",
    "recommender_rule_calendar_page",
    "recommender_rule_import",
    "recommender_rule_export",
}
"""Pages besides each model's list, form and empty form."""
FEW, MANY = 3, 30


class Site:
    """Grows by as many of everything as asked."""

    def __init__(self) -> None:
        self.boss = User.objects.create_superuser("boss")
        self._number = 0

    def grow(self, size: int) -> None:
        for _ in range(size):
            self._number += 1
            self._one_more(f"n{self._number}")
        # One rule, version and item that has as many parts.
        rule, item = Rule.objects.earliest("pk"), Item.objects.earliest("pk")
        picked = set(rule.picked.values_list("item_id", flat=True))  # type: ignore[attr-defined]
        RuleItem.objects.bulk_create(
            RuleItem(rule=rule, item=one) for one in Item.objects.exclude(pk__in=picked)[:size]
        )
        for number in range(size):
            RuleClause.objects.create(rule=rule, field="year", operator="is", values=[str(1900 + number)])
            space = EmbeddingSpace.objects.create(name=f"space-{self._number}-{number}", dimension=64)
            ItemEmbedding.objects.create(item=item, space=space, vector=b"\0" * 256)
        versions.publish_draft(self.boss)
        daily_figures.refresh()

    def _one_more(self, name: str) -> None:
        moment = datetime.now(UTC) - timedelta(minutes=self._number)
        item = Item.objects.create(item_id=name, title=name, category=name)
        user = UserProfile.objects.create(user_id=name, account=User.objects.create_user(name))
        with connection.cursor() as cursor:
            kind = EventType.objects.get(name="click").pk
            cursor.execute(
                "INSERT INTO interactions_event (event_id, occurred_at, user_id, item_id, event_type_id, received_at)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [uuid.uuid4(), moment, user.pk, item.pk, kind, moment],
            )
            cursor.execute(
                "INSERT INTO interactions_impression"
                " (shown_at, request_id, user_id, item_id, placement, position, source, model_version, rules_version)"
                " VALUES (%s, %s, %s, %s, 'homepage', 0, 'content', 'v1', 1)",
                [moment, uuid.uuid4(), name, item.pk],
            )
        DeadLetter.objects.create(code="item_unknown", message=name, payload="{}")
        rule = Rule.objects.create(name=name, action="hide", active_from=moment)
        RuleItem.objects.create(rule=rule, item=item)
        rule.placements.set(Placement.objects.all()[:2])
        version = ModelVersion.objects.create(name=name, state="ready", directory=name, manifest_sha256="0")
        RebuildJob.objects.create(leased_until=timezone.now(), version=version, state="done", finished_at=moment)
        metric = Metric.objects.create(name=name, event_type="click")
        experiment = Experiment.objects.create(experiment_id=name, name=name, primary_metric=metric)
        Variant.objects.create(experiment=experiment, name="a", weight=1)
        EventType.objects.create(name=name)
        Placement.objects.create(name=name, recipe="home", title=name)
        ApiKey.objects.create(name=name, prefix=name, sha256=name, scopes=["read"])
        AuditEntry.objects.create(at=moment, actor="boss", table="recommender_rule", action="update", row=name)


@pytest.fixture
def site(db: None) -> Site:
    return Site()


def pages() -> Iterator[str]:
    for name in sorted(PAGES):
        yield reverse(f"admin:{name}")
    for model in admin.site._registry:
        start = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{start}_changelist")
        yield reverse(f"{start}_add")
        first = _first(model)
        if first is not None:
            yield reverse(f"{start}_change", args=[first])


def _first(model: type[models.Model]) -> object:
    return model._default_manager.order_by("pk").values_list("pk", flat=True).first()


def asked(client: Client, page: str) -> list[str]:
    client.get(page)  # what a process reads once
    with CaptureQueriesContext(connection) as queries:
        status = client.get(page).status_code
    assert status in (200, 403), page
    return [query["sql"] for query in queries]


def test_no_page_asks_more_of_a_larger_site(site: Site) -> None:
    client = Client()
    client.force_login(site.boss)
    site.grow(FEW)
    small = {page: asked(client, page) for page in pages()}
    site.grow(MANY - FEW)
    grown = {page: asked(client, page) for page in small}
    assert {page: len(found) for page, found in grown.items()} == {page: len(found) for page, found in small.items()}
    counting = [
        (page, query)
        for page, found in grown.items()
        for query in found
        if "COUNT(*)" in query and "LIMIT" not in query and any(f'FROM "{table}"' in query for table in COUNTED_TABLES)
    ]
    assert counting == []
