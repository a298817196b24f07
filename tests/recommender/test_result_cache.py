from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

import pytest

from recommender.result_cache import ResultCache


class Maker:
    """Makes 1, 2, 3, …"""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> tuple[int, float]:
        self.made += 1
        return self.made, 60


MODEL, RULES = object(), object()


@pytest.fixture
def make() -> Maker:
    return Maker()


def test_what_was_made_is_found_again(make: Maker) -> None:
    cache = ResultCache[int](10)
    assert [cache.get_or_make("ann", (MODEL,), RULES, now, make) for now in (0, 59.9)] == [1, 1]
    assert cache.get_or_make("bob", (MODEL,), RULES, 0, make) == 2


def test_another_object_in_the_place_of_an_equal_one_makes_it_anew(make: Maker) -> None:
    cache = ResultCache[int](10)
    assert cache.get_or_make("ann", ([1],), RULES, 0, make) == 1
    assert cache.get_or_make("ann", ([1],), RULES, 0, make) == 2
    assert cache.get_or_make("ann", (MODEL,), RULES, 0, make) == 3
    assert cache.get_or_make("ann", (MODEL, MODEL), RULES, 0, make) == 4
    assert cache.get_or_make("ann", (MODEL, MODEL), [1], 0, make) == 5
    assert cache.get_or_make("ann", (MODEL, MODEL), [1], 0, make) == 6


class Model:
    """Something that is large."""


def test_what_has_been_replaced_is_not_kept_in_memory(make: Maker) -> None:
    cache, old = ResultCache[int](10), Model()
    forgotten = weakref.ref(old)
    for user in ("ann", "bob"):
        cache.get_or_make(user, (old,), RULES, 0, make)
    assert len(cache) == 2
    cache.get_or_make("cid", (MODEL,), RULES, 0, make)
    del old
    assert (len(cache), forgotten()) == (1, None)


def test_what_was_made_of_something_replaced_meanwhile_is_for_this_request_only() -> None:
    cache, old = ResultCache[int](10), Model()

    def make_slowly() -> tuple[int, float]:
        cache.get_or_make("bob", (MODEL,), RULES, 0, lambda: (2, 60))
        return 1, 60

    assert cache.get_or_make("ann", (old,), RULES, 0, make_slowly) == 1
    assert len(cache) == 1
    assert cache.get_or_make("bob", (MODEL,), RULES, 0, lambda: (3, 60)) == 2


def test_it_counts_until_its_moment_and_not_at_it(make: Maker) -> None:
    cache = ResultCache[int](10)
    assert [cache.get_or_make("ann", (MODEL,), RULES, now, make) for now in (0, 60)] == [1, 2]


def test_what_counts_for_one_request_only_is_not_kept() -> None:
    cache = ResultCache[int](10)
    assert [cache.get_or_make("ann", (MODEL,), RULES, 5, lambda: (7, 5)), len(cache)] == [7, 0]


def test_the_one_used_least_lately_makes_room(make: Maker) -> None:
    cache = ResultCache[int](2)
    for key in ("ann", "bob", "ann", "cid"):
        cache.get_or_make(key, (MODEL,), RULES, 0, make)
    assert (len(cache), make.made) == (2, 3)
    assert cache.get_or_make("ann", (MODEL,), RULES, 0, make) == 1
    assert cache.get_or_make("bob", (MODEL,), RULES, 0, make) == 4


def test_a_cache_of_nothing_keeps_nothing(make: Maker) -> None:
    cache = ResultCache[int](0)
    assert [cache.get_or_make("ann", (MODEL,), RULES, 0, make) for _ in range(2)] == [1, 2]
    assert len(cache) == 0


def test_what_fails_is_not_kept_and_keeps_nobody_waiting(make: Maker) -> None:
    cache = ResultCache[int](2)

    def fail() -> tuple[int, float]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.get_or_make("ann", (MODEL,), RULES, 0, fail)
    assert cache.get_or_make("ann", (MODEL,), RULES, 0, make) == 1


def test_those_who_ask_at_once_share_one_making() -> None:
    cache, begun, go_on = ResultCache[int](2), threading.Event(), threading.Event()
    made: list[int] = []
    got: list[int] = []

    def slowly() -> tuple[int, float]:
        begun.set()
        assert go_on.wait(10)
        made.append(7)
        return 7, 60

    def ask(make: Callable[[], tuple[int, float]]) -> None:
        got.append(cache.get_or_make("toy story", (MODEL,), RULES, 0, make))

    threads = [threading.Thread(target=ask, args=[slowly]) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    # Another list does not wait for it.
    assert cache.get_or_make("heat", (MODEL,), RULES, 0, lambda: (8, 60)) == 8
    go_on.set()
    for thread in threads:
        thread.join()
    assert (made, got) == ([7], [7] * 8)
