"""A snapshot with a few items changed, added or gone: new arrays, and everything that is still true taken over."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from catalog.snapshot import Catalogue


def without(earlier: Catalogue, left: NDArray[np.bool_]) -> Catalogue:
    """Return the snapshot of those rows where `left` (items,) is True."""
    rows = np.flatnonzero(left)
    return replace(earlier, **{name: _take(values, rows) for name, values in _by_row(earlier).items()})


def applied(earlier: Catalogue, changed: Catalogue) -> Catalogue:
    """Return `earlier` with the items of `changed` in their places: as they are now, or new.

    Where no item is new the primary keys are the very same array: whoever has matched it need not do so again.
    """
    if not len(changed):
        return replace(earlier)
    changed = _with_categories_of(earlier, changed)
    rows = earlier.rows_of_pks(changed.pks)
    if (rows < 0).any():
        kept = np.ones(len(earlier), dtype=bool)
        kept[rows[rows >= 0]] = False
        together = _joined(without(earlier, kept) if not kept.all() else earlier, changed)
        # A transaction may commit a lower key after a higher one has been read.
        return together if (together.pks[:-1] < together.pks[1:]).all() else _sorted(together)
    written = {name: _written(values, rows, _by_row(changed)[name]) for name, values in _by_row(earlier).items()}
    now = replace(earlier, categories=changed.categories, **(written | {"pks": earlier.pks}))
    # Looked up by id in every request, and a second's work for a million items.
    if all(earlier.cards[row].item_id == card.item_id for row, card in zip(rows.tolist(), changed.cards, strict=True)):
        now.__dict__["row_of"] = earlier.row_of
    return now


def _by_row(catalogue: Catalogue) -> dict[str, Any]:
    """Return the fields that have one entry a row."""
    every = {one.name: getattr(catalogue, one.name) for one in fields(catalogue) if one.init}
    return {
        name: values
        for name, values in every.items()
        if isinstance(values, np.ndarray | list) and name != "categories" and len(values) == len(catalogue)
    }


def _with_categories_of(earlier: Catalogue, changed: Catalogue) -> Catalogue:
    """Return `changed` with its categories numbered as in `earlier`, new ones after them."""
    code_of = {name: code for code, name in enumerate(earlier.categories)}
    for name in changed.categories:
        code_of.setdefault(name, len(code_of))
    renumbered = np.array([code_of[name] for name in changed.categories], dtype=np.int32)
    return replace(changed, categories=list(code_of), category_codes=renumbered[changed.category_codes])


def _joined(one: Catalogue, other: Catalogue) -> Catalogue:
    of_other = _by_row(other)
    together: dict[str, Any] = {
        name: values + of_other[name] if isinstance(values, list) else np.concatenate([values, of_other[name]])
        for name, values in _by_row(one).items()
    }
    return replace(other, **together)


def _sorted(catalogue: Catalogue) -> Catalogue:
    order = np.argsort(catalogue.pks, kind="stable")
    return replace(catalogue, **{name: _take(values, order) for name, values in _by_row(catalogue).items()})


def _take(values: Any, rows: NDArray[np.int64]) -> Any:
    return [values[row] for row in rows.tolist()] if isinstance(values, list) else values[rows]


def _written(values: Any, rows: NDArray[np.int64], new: Any) -> Any:
    written = values.copy()
    if isinstance(written, list):
        for row, value in zip(rows.tolist(), new, strict=True):
            written[row] = value
    else:
        written[rows] = new
    return written
