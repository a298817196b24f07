"""Every metric that an alert or a panel names is counted, and every alert has a line of README."""

from __future__ import annotations

import re

import pytest
import yaml
from django.test import Client
from prometheus_client import REGISTRY

from interactions.event_log import kafka_consumer
from recsite.environment import BASE_DIRECTORY
from recsite.operations import dashboard

RULES = yaml.safe_load((BASE_DIRECTORY / "recsite/operations/alerts.yaml").read_text())["groups"][0]["rules"]
NAME = re.compile(r"\b((?:recsite|recommender|interactions)_\w+)")
ALERTED = {name for rule in RULES for name in NAME.findall(rule["expr"])}
SHOWN = {name for _, _, _, expression in dashboard.PANELS for name in NAME.findall(expression)}


def counted(db: None) -> set[str]:
    """Return the names under which samples are told, and those of families without one yet."""
    Client().get("/livez")
    told = Client().get("/metrics").text
    families = {metric.name: metric.type for metric in REGISTRY.collect()}
    # A process of its own tells these, on a port of its own.
    assert kafka_consumer.LAG in REGISTRY._collector_to_names
    names = {f"{name}_total" for name, kind in families.items() if kind == "counter"}
    for name, kind in families.items():
        if kind == "histogram":
            names |= {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
    return names | set(re.findall(r"^# TYPE (\w+) gauge", told, flags=re.MULTILINE))


@pytest.mark.django_db
def test_what_they_ask_for_is_counted(db: None) -> None:
    # A gauge without a model has no value: the age is told once there is one.
    assert counted(db) | {"recsite_model_age_seconds"} >= ALERTED | SHOWN


@pytest.mark.django_db
def test_whatever_is_counted_is_shown(db: None) -> None:
    ours = {name for name in counted(db) if NAME.fullmatch(name)}
    assert len(ours) >= 20
    # Of a histogram one of three is enough; when a counter began is of no use.
    assert {family(name) for name in ours} <= {family(name) for name in SHOWN}


def family(name: str) -> str:
    return re.sub("_(bucket|count|sum|created|total)$", "", name)


def test_each_alert_has_a_severity_a_sentence_and_a_line_of_readme() -> None:
    table = (BASE_DIRECTORY / "README.md").read_text().partition("| alert | do |")[2].partition("\n\n")[0]
    listed = re.findall(r"^\| (\w+) \| \S.{20,} \|$", table, flags=re.MULTILINE)
    assert sorted(listed) == sorted(rule["alert"] for rule in RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")


def test_the_board_is_as_it_is_made() -> None:
    assert dashboard.FILE.read_text() == dashboard.text(), "run python -m recsite.operations.dashboard"
    places = [tuple(panel["gridPos"].values()) for panel in dashboard.document()["panels"]]
    assert len(set(places)) == len(places)
