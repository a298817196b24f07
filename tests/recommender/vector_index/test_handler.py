from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings

from recommender.exceptions import ConfigurationError
from recommender.vector_index import handler
from recommender.vector_index.annoy import AnnoyIndexBackend
from recommender.vector_index.brute_force import BruteForceBackend
from recommender.vector_index.checks import check_vector_indexes

ANNOY = "recommender.vector_index.annoy.AnnoyIndexBackend"
EXACT = "recommender.vector_index.brute_force.BruteForceBackend"
VECTORS = np.eye(4, dtype=np.float32)


def test_one_backend_a_process(settings: django_settings) -> None:
    settings.RECOMMENDER_VECTOR_INDEXES = {"default": {"BACKEND": EXACT}}
    first = handler.backend()
    assert isinstance(first, BruteForceBackend)
    assert handler.backend("default") is first


def test_a_changed_setting_makes_another_backend(settings: django_settings) -> None:
    settings.RECOMMENDER_VECTOR_INDEXES = {"default": {"BACKEND": ANNOY, "OPTIONS": {"n_trees": 3}}}
    first = handler.backend()
    assert isinstance(first, AnnoyIndexBackend)
    assert first.options["n_trees"] == 3
    settings.RECOMMENDER_VECTOR_INDEXES = {"default": {"BACKEND": EXACT}}
    assert isinstance(handler.backend(), BruteForceBackend)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"other": {"BACKEND": EXACT}}, "has no 'default'; it has: other"),
        ({"default": {"OPTIONS": {}}}, "it needs BACKEND"),
        ({"default": {"BACKEND": EXACT, "TREES": 1}}, "it needs BACKEND"),
        ({"default": {"BACKEND": "recommender.vector_index.none.None"}}, "No module named"),
        ({"default": {"BACKEND": "pathlib.Path"}}, "pathlib.Path is not a subclass of VectorIndexBackend"),
        ({"default": {"BACKEND": EXACT, "OPTIONS": {"n_trees": 1}}}, "unknown option 'n_trees'; options are: none"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    settings: django_settings, entries: dict[str, dict[str, Any]], message: str
) -> None:
    settings.RECOMMENDER_VECTOR_INDEXES = entries
    with pytest.raises(ConfigurationError, match=message):
        handler.backend()


def test_the_system_check_reports_each_unusable_entry(settings: django_settings) -> None:
    settings.RECOMMENDER_VECTOR_INDEXES = {
        "default": {"BACKEND": EXACT},
        "wrong": {"BACKEND": EXACT, "OPTIONS": {"n_trees": 1}},
    }
    (message,) = check_vector_indexes()
    assert message.id == "recommender.E001"
    assert "'wrong'" in message.msg


def test_the_system_check_accepts_the_default_setting() -> None:
    assert check_vector_indexes() == []


@pytest.mark.parametrize(
    "entries", [{"default": {"BACKEND": EXACT}}, {"other": {"BACKEND": ANNOY, "OPTIONS": {"exact_below": 0}}}]
)
def test_an_index_outlives_the_setting_it_was_built_by(
    settings: django_settings, tmp_path: Path, entries: dict[str, dict[str, Any]]
) -> None:
    settings.RECOMMENDER_VECTOR_INDEXES = {"default": {"BACKEND": ANNOY, "OPTIONS": {"exact_below": 0}}}
    handler.backend().build(VECTORS, "dot").save(tmp_path)
    assert handler.open_index(tmp_path).exact is False
    settings.RECOMMENDER_VECTOR_INDEXES = entries
    index = handler.open_index(tmp_path)
    assert index.exact is True
    assert index.search(VECTORS[2], 1)[0].tolist() == [2]
