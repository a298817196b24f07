"""A newer version is opened beside the one that serves, in a thread with a connection of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from recommender.models import ModelVersion
from recommender.registry import active, storage
from recommender.registry.artifacts import Bundle


def name_of(bundle: Bundle | None) -> str | None:
    return bundle and bundle.name


def test_requests_go_on_with_the_old_version_while_a_newer_one_is_opened(
    committed: None, publish: Callable[[], ModelVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "IN_BACKGROUND", True)
    opening, may_open = threading.Event(), threading.Event()
    load = storage.load

    def slowly(directory: str, manifest_sha256: str) -> Bundle:
        if threading.current_thread().name == "model swap":
            opening.set()
            assert may_open.wait(60)
        return load(directory, manifest_sha256)

    monkeypatch.setattr(storage, "load", slowly)
    publish()
    assert name_of(active.current(1)) == "v1"
    publish()
    assert [name_of(active.current(2)) for _ in range(3)] == ["v1"] * 3
    assert opening.wait(60)
    assert name_of(active.current(2)) == "v1"
    may_open.set()
    deadline = time.time() + 60
    while name_of(active.current(2)) == "v1":
        assert time.time() < deadline
    assert name_of(active.current(2)) == "v2"
