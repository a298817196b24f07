"""What editors can say: one rule as data, independent of the database; a published version is a list of these.

| action | does | needs |
|---|---|---|
| pin | puts the item at a place | `position`, one of `items` |
| soft_pin | puts it there or earlier | `position`, one of `items` |
| promote | gives places of the list to items, spread evenly | `slots` or `share`; `items` in order, or `where` |
| boost, bury | multiplies scores | `multiplier`; `items` or `where` |
| hide | never shows them, not even pinned | `items` or `where` |
| exclude | does not recommend them; a pin or promotion still may | `items` or `where` |
| include_only | recommends nothing else | `items` or `where` |
| cap | at most so many of one value in any places in a row | `attribute`, `at_most`, `window` |
| fatigue | drops what he was shown so often within some days and did nothing with; a pin stays | `at_most`, `window` |
| same_as_seed, different_from_seed | recommends what shares a value with the seed, or what does not | `attribute` |
| organic_share | at least that share of a list stands there for its score | `share` |
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from recommender.rules.schedule import Schedule


class Action(StrEnum):
    """What a rule does."""

    PIN = "pin"
    SOFT_PIN = "soft_pin"
    PROMOTE = "promote"
    BOOST = "boost"
    BURY = "bury"
    HIDE = "hide"
    EXCLUDE = "exclude"
    INCLUDE_ONLY = "include_only"
    CAP = "cap"
    SAME_AS_SEED = "same_as_seed"
    DIFFERENT_FROM_SEED = "different_from_seed"
    ORGANIC_SHARE = "organic_share"
    FATIGUE = "fatigue"


class Operator(StrEnum):
    """How a clause compares."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


LIST_FIELDS = ("tag", "creator", "country")
TEXT_FIELDS = ("item_id", "title", "description", "category", "language")
NUMBER_FIELDS = ("year", "age_days", "popularity")
ATTRIBUTE = "attribute."
"""Before the name of one of the item's own `attributes`."""
COUNTED = ("category", "tag", "creator", "country", "language")
"""Fields, beside attributes, that a cap counts and a seed is compared by."""


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One condition on an item. Texts are compared without regard to case; of a list any entry may meet it."""

    field: str
    operator: Operator
    values: tuple[str, ...]
    """Any of these; `at_least` and `at_most` take one number."""


class Audience(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whose lists a rule is for; what is empty does not matter."""

    placements: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    """Two letters, capital."""
    languages: tuple[str, ...] = ()
    """As in `Accept-Language`; "pt" is any Portuguese."""
    devices: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


class RuleSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One rule."""

    pk: int
    action: Action
    name: str = ""
    priority: int = 0
    """The higher wins; of equals the older rule."""
    items: tuple[int, ...] = ()
    """Primary keys, hand-picked, in order. With `where` as well: both."""
    where: tuple[Clause, ...] = ()
    """All must hold."""
    position: int = 0
    """1 is first."""
    multiplier: float = 1.0
    slots: int = 0
    share: float = 0.0
    """0..1 of a list."""
    attribute: str = ""
    at_most: int = 0
    """Items of one value, or times that one is shown."""
    window: int = 0
    """Places in a row, or days."""
    audience: Audience = Audience()
    schedule: Schedule = Schedule()
    holdout: float = 0.0
    """0..0.9 of the users that the rule leaves out, so that what it does can be told."""
