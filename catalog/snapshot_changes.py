"""A snapshot with a few items changed, added or gone.

An array in which nothing has changed is the very same in both: whoever has made something of it need not do so again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.catalogue import BY_ROW, DERIVED, Catalogue

Columns = dict[str, Any]
"""Arrays by the name of their field."""


def without(earlier: Catalogue, left: NDArray[np.bool_]) -> Catalogue:
    """Return the snapshot of those rows where `left` (items,) is True."""
    if left.all():
        return earlier
    columns: Columns = {name: getattr(earlier, name)[left] for name in BY_ROW}
    return replace(earlier, cards=earlier.cards.without_others(columns["pks"]), **columns)


def applied(earlier: Catalogue, changed: Catalogue) -> Catalogue:
    """Return `earlier` with the items of `changed` in their places, as they are now, or new; numbered as `changed`."""
    of_changed = {name: getattr(changed, name) for name in BY_ROW}
    categories, of_changed["category_codes"] = _categories(earlier, changed)
    rows = earlier.rows_of_pks(changed.pks)
    columns = _merged(earlier, of_changed, rows) if (rows < 0).any() else _written(earlier, of_changed, rows)
    cards = dict(zip(changed.pks.tolist(), changed.cards, strict=True))
    now = replace(changed, categories=categories, cards=earlier.cards.with_changes(columns["pks"], cards), **columns)
    for name, sources in DERIVED.items():
        if name in earlier.__dict__ and all(getattr(now, one) is getattr(earlier, one) for one in sources):
            now.__dict__[name] = earlier.__dict__[name]
    return now


def _categories(earlier: Catalogue, changed: Catalogue) -> tuple[list[str], NDArray[np.int32]]:
    """Return all categories, numbered as in `earlier` with new ones after them, and the codes of `changed`."""
    code_of = {name: code for code, name in enumerate(earlier.categories)}
    for name in changed.categories:
        code_of.setdefault(name, len(code_of))
    renumbered = np.array([code_of[name] for name in changed.categories], dtype=np.int32)
    return list(code_of), renumbered[changed.category_codes]


def _written(earlier: Catalogue, changed: Columns, rows: NDArray[np.int64]) -> Columns:
    columns: Columns = {}
    for name, new in changed.items():
        columns[name] = held = getattr(earlier, name)
        if not np.array_equal(held[rows], new, equal_nan=held.dtype.kind == "f"):
            columns[name] = held.copy()
            columns[name][rows] = new
    return columns


def _merged(earlier: Catalogue, changed: Columns, rows: NDArray[np.int64]) -> Columns:
    kept = np.ones(len(earlier), dtype=bool)
    kept[rows[rows >= 0]] = False
    columns = {name: np.concatenate([getattr(earlier, name)[kept], new]) for name, new in changed.items()}
    if (np.diff(columns["pks"]) > 0).all():
        return columns
    # A changed item stands before the new ones, and a transaction may commit a lower key after a higher one was read.
    order = np.argsort(columns["pks"], kind="stable")
    return {name: values[order] for name, values in columns.items()}
