"""Whom an experiment is for, as editors write it: words between commas, none of which means everybody."""

from __future__ import annotations

from collections.abc import Collection


def words(text: str) -> frozenset[str]:
    """Return the words of "a, b,c"; none of an empty text."""
    return frozenset(filter(None, (word.strip() for word in text.split(","))))


def overlap(one: Collection[str], other: Collection[str]) -> bool:
    """Return whether something can be wanted by both; nothing wanted in particular means everything."""
    return not one or not other or not set(one).isdisjoint(other)
