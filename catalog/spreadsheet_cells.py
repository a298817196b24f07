"""Values as cells of a CSV file that people open in a spreadsheet, and back: what is exported reads back as it was.

A cell that a spreadsheet would run as a formula is written with an apostrophe before it, which is taken off again.
https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
SEPARATOR = "|"


def escaped(cell: str) -> str:
    """Return the cell as a spreadsheet may have it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescaped(cell: str) -> str:
    """Return what `escaped` was given."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def cell(value: Any) -> str:
    """Return a value as text: lists as texts between bars or as JSON, moments in ISO 8601, None as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return _list(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, datetime | time):
        return value.isoformat()
    return str(value)


def texts(text: str) -> list[str]:
    """Return the entries of a list's cell.

    Raises
    ------
    ValueError
        It begins like JSON and is none, or no list of texts.
    """
    if not text.startswith("["):
        return [entry for entry in text.split(SEPARATOR) if entry]
    entries = tree(text)
    if not all(isinstance(entry, str) for entry in entries):
        raise ValueError("is not a list of texts")
    return list(entries)


def tree(text: str) -> Any:
    """Return the JSON value in a cell; ValueError when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"is not JSON: {text[:100]!r}") from None


def flag(text: str) -> bool:
    """Return yes or no; ValueError when it is neither."""
    known = _FLAGS.get(text.strip().lower())
    if known is None:
        raise ValueError(f"must be true or false, got {text[:100]!r}")
    return known


def _list(values: Sequence[Any]) -> str:
    entries = [str(value) for value in values]
    needs_json = any(SEPARATOR in entry or not entry for entry in entries) or "".join(entries[:1]).startswith("[")
    return json.dumps(entries, ensure_ascii=False) if needs_json else SEPARATOR.join(entries)


def unknown(columns: Iterable[str], known: Iterable[str]) -> str:
    """Return what is wrong with a file's columns, "" when nothing."""
    names, allowed = list(columns), list(known)
    strange = [name for name in names if name not in allowed]
    if strange:
        return f"There is no column {', '.join(map(repr, strange))}; there are: {', '.join(allowed)}."
    twice = {name for name in names if names.count(name) > 1}
    return f"The column {sorted(twice)[0]!r} is there twice." if twice else ""
