"""Which items a rule means: hand-picked ones, and those that meet all of its clauses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from catalog.snapshot import Catalogue, ItemCard
from recommender.arrays import BoolArray, RowArray
from recommender.rules.vocabulary import ATTRIBUTE, COUNTED, LIST_FIELDS, NUMBER_FIELDS, Clause, Operator, RuleSpec

SECONDS_A_DAY = 86_400


def rows_of(spec: RuleSpec, catalogue: Catalogue, now: float) -> RowArray:
    """Return the rows that the rule means: hand-picked ones in their order, others ascending.

    Parameters
    ----------
    now
        POSIX seconds, from which `age_days` counts.
    """
    met = None
    for clause in spec.where:
        mask = meeting(clause, catalogue, now)
        met = mask if met is None else met & mask
    if not spec.items:
        return np.empty(0, dtype=np.int64) if met is None else np.flatnonzero(met)
    picked = catalogue.rows_of_pks(np.array(spec.items, dtype=np.int64))
    picked = picked[picked >= 0]
    return picked if met is None else picked[met[picked]]


def meeting(clause: Clause, catalogue: Catalogue, now: float) -> BoolArray:
    """Return (items,) True where the clause holds."""
    if clause.operator == Operator.IS_NOT:
        return ~meeting(Clause(clause.field, Operator.IS, clause.values), catalogue, now)
    wanted = [value.casefold() for value in clause.values]
    if clause.field in NUMBER_FIELDS:
        return _compared(_numbers(clause.field, catalogue, now), clause)
    if clause.field == "category":
        codes = [code for code, name in enumerate(catalogue.categories) if _holds([name.casefold()], clause, wanted)]
        return np.isin(catalogue.category_codes, codes)
    if clause.field == "tag" and clause.operator == Operator.IS:
        return _mask(catalogue, (catalogue.rows_with_folded_tag(tag) for tag in wanted))
    if clause.field == "item_id" and clause.operator == Operator.IS:
        found = (catalogue.row_of.get(item_id, -1) for item_id in clause.values)
        return _mask(catalogue, ([row] for row in found if row >= 0))
    holds = (_holds(texts_of(card, clause.field), clause, wanted) for card in catalogue.cards)
    return np.fromiter(holds, dtype=bool, count=len(catalogue))


def values_of(catalogue: Catalogue, field: str) -> Callable[[int], Iterable[int]]:
    """Return what gives the values of `field` that an item has, by its row, as numbers: equal where they are equal."""
    if field == "category":
        codes = catalogue.category_codes
        nothing = catalogue.categories.index("") if "" in catalogue.categories else -1
        return lambda row: () if codes[row] == nothing else (int(codes[row]),)
    numbers: dict[str, int] = {}
    held: dict[int, tuple[int, ...]] = {}

    def values(row: int) -> tuple[int, ...]:
        if row not in held:
            texts = texts_of(catalogue.cards[row], field)
            held[row] = tuple(numbers.setdefault(text, len(numbers)) for text in texts)
        return held[row]

    return values


def texts_of(card: ItemCard, field: str) -> list[str]:
    """Return what an item says in a field, in case-folded texts; [] when nothing."""
    if field.startswith(ATTRIBUTE):
        found: Any = card.attributes.get(field.removeprefix(ATTRIBUTE))
        entries = found if isinstance(found, list) else [] if found is None else [found]
        return [_text(entry) for entry in entries]
    if field in LIST_FIELDS:
        listed: tuple[str, ...] = getattr(card, {"tag": "tags", "creator": "creators", "country": "countries"}[field])
        return [entry.casefold() for entry in listed]
    text: str = getattr(card, field)
    return [text.casefold()] if text else []


def is_counted(field: str) -> bool:
    """Return whether a cap may count a field's values."""
    return field in COUNTED or (field.startswith(ATTRIBUTE) and len(field) > len(ATTRIBUTE))


def _text(entry: Any) -> str:
    if isinstance(entry, bool):
        return "true" if entry else "false"
    return f"{entry:g}" if isinstance(entry, float) else str(entry).casefold()


def _holds(texts: list[str], clause: Clause, wanted: list[str]) -> bool:
    match clause.operator:
        case Operator.CONTAINS:
            return any(part in text for text in texts for part in wanted)
        case Operator.AT_LEAST | Operator.AT_MOST:
            return any(_as_number(text, clause) for text in texts)
        case _:
            return any(text in wanted for text in texts)


def _as_number(text: str, clause: Clause) -> bool:
    try:
        return bool(_compared(np.array([float(text)]), clause)[0])
    except ValueError:
        return False


def _numbers(field: str, catalogue: Catalogue, now: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    if field == "popularity":
        return catalogue.popularity.astype(np.float64)
    if field == "age_days":
        return (now - catalogue.published_at) / SECONDS_A_DAY
    known = np.isfinite(catalogue.published_at)
    years = (
        np.where(known, catalogue.published_at, 0).astype("datetime64[s]").astype("datetime64[Y]").astype(np.float64)
    )
    return np.where(known, years + 1970, np.nan)


def _compared(numbers: np.ndarray[Any, np.dtype[np.float64]], clause: Clause) -> BoolArray:
    bounds = [float(value) for value in clause.values]
    match clause.operator:
        case Operator.AT_LEAST:
            return np.asarray(numbers >= bounds[0])
        case Operator.AT_MOST:
            return np.asarray(numbers <= bounds[0])
        case _:
            return np.isin(numbers, bounds)


def _mask(catalogue: Catalogue, parts: Iterable[Any]) -> BoolArray:
    mask = np.zeros(len(catalogue), dtype=bool)
    for rows in parts:
        mask[rows] = True
    return mask
