"""Nothing that is loaded can run: no pickle and no relative of it, in this code or in what it sends about."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings

from catalog import embedding_files
from catalog.datasets.problems import DatasetError, Problems
from recsite.celery import app
from tests.security.source import imported, modules, roots

RUNS_WHAT_IT_READS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "torch"}


def test_no_module_unpickles() -> None:
    for path, tree in modules():
        assert not roots(imported(tree)) & RUNS_WHAT_IT_READS, path
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            assert given.get("allow_pickle", "False") == "False", f"{path}:{call.lineno}"
            assert "allow_pickle" in given or name not in ("np.load", "numpy.load"), f"{path}:{call.lineno}"
            assert name not in ("yaml.load", "eval", "exec"), f"{path}:{call.lineno}"


def test_tasks_and_sessions_are_json() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == app.conf.result_serializer == "json"
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
    assert set(settings.CACHES) == {"default"}
    assert settings.CACHES["default"]["BACKEND"].endswith("LocMemCache")  # of this process: nobody else writes it


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


def test_an_array_of_objects_is_refused_and_does_not_run(tmp_path: Path) -> None:
    marker, file = tmp_path / "ran", tmp_path / "evil.npz"
    np.savez(file, item_ids=np.array([Evil(marker)], dtype=object), vectors=np.zeros((1, 64), np.float32))
    with pytest.raises(DatasetError, match="cannot be read"):
        list(embedding_files.read(file, Problems()))
    assert not marker.exists()
    # The file is what it seems: it does run where pickles are let in.
    np.load(file, allow_pickle=True)["item_ids"]
    assert marker.exists()
