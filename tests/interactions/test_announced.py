from __future__ import annotations

import pytest

from catalog.redis_store import client, key
from interactions import announced
from interactions.announced import Announced


def value() -> Announced[dict[str, int]]:
    return Announced("tested", dict[str, int], {})


def test_what_one_process_announces_another_reads() -> None:
    here, there = value(), value()
    here.announce({"a": 1})
    assert (here.current(), there.current()) == ({"a": 1}, {"a": 1})


def test_a_process_fetches_it_anew_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = value(), value()
    here.announce({"a": 1})
    assert there.current() == {"a": 1}
    here.announce({"a": 2})
    assert there.current() == {"a": 1}
    clock = announced.time.monotonic() + announced.HELD_SECONDS
    monkeypatch.setattr(announced.time, "monotonic", lambda: clock)
    assert there.current() == {"a": 2}


def test_it_stays_the_same_object_until_another_value_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made from it is kept for as long (`recommender.result_cache`)."""
    monkeypatch.setattr(announced, "HELD_SECONDS", 0.0)
    here, there = value(), value()
    here.announce({"a": 1})
    first = there.current()
    here.announce({"a": 1})
    assert there.current() is first
    here.announce({"a": 2})
    assert there.current() == {"a": 2}


def test_what_redis_has_lost_is_held_and_otherwise_empty() -> None:
    here, there = value(), value()
    here.announce({"a": 1})
    client().delete(key("tested"))
    assert (here.current(), there.current()) == ({"a": 1}, {})


def test_without_redis_a_process_knows_what_it_announced_itself(dead_redis: object) -> None:
    here, there = value(), value()
    here.announce({"a": 1})
    assert (here.current(), there.current()) == ({"a": 1}, {})
