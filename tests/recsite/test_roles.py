"""Who may open which page of the admin: all pages and all roles, so that a new page is missed until it stands here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

ROLES = ("Viewers", "Editors", "Reviewers", "ML engineers")
ALL = set(ROLES)
WRITERS = {"Editors", "Reviewers"}
ENGINEERS = {"ML engineers"}
NOBODY: set[str] = set()
"""Superusers only."""

MAY: dict[str, dict[str, set[str]]] = {
    "auth.group": {},
    "auth.user": {},
    "catalog.embeddingspace": {"view": ENGINEERS, "add": ENGINEERS},
    "catalog.item": {"view": ALL, "add": WRITERS},
    "django_celery_beat.clockedschedule": {},
    "django_celery_beat.crontabschedule": {"view": ENGINEERS, "add": ENGINEERS},
    "django_celery_beat.intervalschedule": {"view": ENGINEERS, "add": ENGINEERS},
    "django_celery_beat.periodictask": {"view": ENGINEERS},
    "django_celery_beat.solarschedule": {},
    "experiments.experiment": {"view": ALL},
    "experiments.exposure": {},
    "experiments.metric": {"view": ALL},
    "interactions.deadletter": {"view": ENGINEERS},
    "interactions.event": {"view": ENGINEERS},
    "interactions.eventtype": {"view": ENGINEERS},
    "interactions.impression": {"view": ENGINEERS},
    "interactions.userprofile": {},
    "recommender.modelversion": {"view": ALL},
    "recommender.placement": {"view": ALL, "add": {"Reviewers", *ENGINEERS}},
    "recommender.rebuildjob": {"view": ALL},
    "recommender.rule": {"view": ALL, "add": WRITERS, "delete": WRITERS},
    "recommender.rulesetversion": {"view": ALL},
    "recsite.apikey": {},
    "recsite.auditentry": {},
}
"""Model → what → the roles that may; what is left out, nobody may."""
PAGES = {
    "index": ALL,
    "search": ALL,
    "jsi18n": ALL,
    "password_change": ALL,
    "password_change_done": ALL,
    "catalog_item_pick": ALL,
    "catalog_item_export": ALL,
    "catalog_item_import": WRITERS,
    "recommender_placement_exploration_page": ALL,
    "recommender_rule_calendar_page": ALL,
    "recommender_rule_export": ALL,
    "recommender_rule_inspector_page": ALL,
    "recommender_rule_import": WRITERS,
    "recommender_rule_preview_page": WRITERS,
    "recommender_rule_publish_page": WRITERS,
}
"""Other pages, by the name of their address."""
ELSEWHERE = {
    "login", "logout", "autocomplete", "view_on_site", "app_list",  # Django's own
    "catalog_item_process_import", "recommender_rule_process_import",  # POST only: tests of the spreadsheets
    "auth_user_password_change",  # superusers only, and it needs an account
    # Of one experiment: tests.experiments.test_admin
    "experiments_experiment_report_page", "experiments_experiment_start_page", "experiments_experiment_stop_page",
    "experiments_experiment_weights_page", "experiments_experiment_coverage_page",
    "experiments_experiment_forecast_page",
    # Of one version, and of a rebuild: tests.recommender.test_version_admin and the like
    "recommender_modelversion_promote", "recommender_modelversion_roll_back", "recommender_modelversion_shadow",
    "recommender_rebuildjob_rebuild",
}  # fmt: skip
"""Addresses that are tested in other places, or need no test of ours."""
ACTIONS = {"changelist": "view", "add": "add", "change": "view", "delete": "delete"}
"""Name of a model's page → what one must be allowed to."""


def of_role(role: str) -> Client:
    user = User.objects.create_user(role, is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(user)
    return client


def names() -> Iterator[str]:
    resolver = next(one for one in get_resolver().url_patterns if getattr(one, "namespace", None) == "admin")
    stack: list[Any] = list(resolver.url_patterns)  # type: ignore[union-attr]
    while stack:
        one = stack.pop()
        if isinstance(one, URLPattern):
            if one.name:
                yield one.name
        else:
            stack += one.url_patterns


def model_pages() -> dict[str, tuple[str, str]]:
    """Return name of the address → model, what one must be allowed to."""
    return {
        f"{model._meta.app_label}_{model._meta.model_name}_{page}": (model._meta.label_lower, what)
        for model in admin.site._registry
        for page, what in ACTIONS.items()
    }


def test_every_page_stands_here() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(MAY)
    # A history looks for the row first, and then asks as the page of the row does.
    found = {name for name in names() if not name.endswith("_history")}
    assert found == set(model_pages()) | set(PAGES) | ELSEWHERE


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_its_pages_and_no_others(role: str, db: None) -> None:
    client = of_role(role)
    opened, expected = {}, {}
    for name, (model, what) in model_pages().items():
        # Of a row that is not there one is sent away politely, unless one may not even ask.
        is_of_row = name.endswith(("_change", "_delete"))
        status = client.get(reverse(f"admin:{name}", args=["0"] if is_of_row else [])).status_code
        opened[name] = status == (302 if is_of_row else 200)
        assert status in (200, 302, 403)
        expected[name] = role in MAY[model].get(what, NOBODY)
    for name, roles in PAGES.items():
        opened[name] = client.get(reverse(f"admin:{name}")).status_code == 200
        expected[name] = role in roles
    assert {name for name in opened if opened[name]} == {name for name in expected if expected[name]}


@pytest.mark.parametrize("role", ROLES)
def test_the_sidebar_shows_what_one_may_open(role: str, db: None) -> None:
    client = of_role(role)
    shown = {
        str(item["link"])
        for group in client.get("/admin/").context["sidebar_navigation"]
        for item in group["items"]
        if item["has_permission"]
    }
    assert len(shown) > 5
    assert {link: client.get(link).status_code for link in shown} == dict.fromkeys(shown, 200)


def test_who_is_not_signed_in_is_sent_to_the_door_and_on(db: None) -> None:
    User.objects.create_superuser("boss", password="boss")
    client = Client()
    assert client.get("/admin/recommender/rule/").headers["Location"].startswith("/admin/login/")
    answer = client.post("/admin/login/", {"username": "boss", "password": "boss"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
