"""`manage.py rebuild_models` tells what it is at and what came of it."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from catalog.models import Item


@pytest.mark.django_db
def test_a_log_gets_a_line_a_stage_with_the_memory_until_then(tmp_path: Path, settings: Settings) -> None:
    settings.RECOMMENDER_MODEL_DIRECTORY = str(tmp_path)
    Item.objects.create(item_id="heat", title="Heat")
    out, told = StringIO(), StringIO()
    call_command("rebuild_models", stdout=out, stderr=told, no_color=True)
    stages = ["reading", "popularity", "content", "vector indexes", "measuring indexes", "writing", "publishing"]
    assert re.sub(r"[\d,]+ MB", "n MB", told.getvalue()).splitlines() == [f"{stage} (n MB)" for stage in stages]
    assert re.search(r"0 interactions of 0 users with 1 items, [\d.]+ s, at most [\d,]+ MB\n", out.getvalue())
    assert out.getvalue().endswith("published v1\n")
