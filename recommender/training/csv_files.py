"""The CSV files of `manage.py evaluate`: interactions and items, checked row by row."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from catalog.snapshot import ItemCard
from recommender.exceptions import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of an interactions file."""

    user_id: str
    item_id: str
    occurred_at: float
    """POSIX seconds; nan when there is none."""
    value: float
    """nan when there is none."""


def read_interactions(path: Path) -> list[Row]:
    """Read `user_id,item_id,timestamp[,value]`, timestamps as epoch seconds or RFC 3339.

    Raises
    ------
    DataError
        Naming the file, the line and what is wrong with it.
    """
    rows = []
    for line, record in _records(path, ("user_id", "item_id")):
        user_id, item_id = record["user_id"].strip(), record["item_id"].strip()
        if not user_id or not item_id:
            raise DataError(f"{path.name}, line {line}: user_id and item_id must not be empty.")
        rows.append(
            Row(
                user_id=user_id,
                item_id=item_id,
                occurred_at=_timestamp(path, line, record["timestamp"]) if record.get("timestamp") else math.nan,
                value=_value(path, line, record.get("value") or "nan"),
            )
        )
    return rows


def read_items(path: Path) -> list[tuple[ItemCard, datetime | None]]:
    """Read `item_id,title,category,tags,published_at` (tags `|`-separated; all but item_id may be empty)."""
    items = []
    for line, record in _records(path, ("item_id",)):
        item_id = record["item_id"].strip()
        if not item_id:
            raise DataError(f"{path.name}, line {line}: item_id must not be empty.")
        published = record.get("published_at") or ""
        moment = _moment(path, line, published) if published else None
        card = ItemCard(
            item_id=item_id,
            title=record.get("title") or item_id,
            description=record.get("description") or "",
            category=record.get("category") or "",
            tags=tuple(tag.strip() for tag in (record.get("tags") or "").split("|") if tag.strip()),
            creators=tuple(name.strip() for name in (record.get("creators") or "").split("|") if name.strip()),
            year=moment.year if moment else None,
        )
        items.append((card, moment))
    return items


def _records(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            try:
                yield from _checked(path, reader, required)
            except csv.Error as error:
                # The outer reader's own line_num stands still until a row is complete.
                raise DataError(f"{path.name}, line {reader.reader.line_num}: {error}.") from error
    except OSError as error:
        raise DataError(f"{path.name}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}, line {_first_line_not_utf8(path)}: is not UTF-8: {error.reason}.") from error


def _first_line_not_utf8(path: Path) -> int:
    with path.open("rb") as file:
        for line, content in enumerate(file, start=1):
            try:
                content.decode()
            except UnicodeDecodeError:
                return line
    return 0


def _checked(
    path: Path, reader: csv.DictReader[str], required: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str]]]:
    if reader.fieldnames is None:
        raise DataError(f"{path.name}: is empty; a header with {', '.join(required)} is needed.")
    missing = [name for name in required if name not in reader.fieldnames]
    if missing:
        found = ", ".join(reader.fieldnames)
        raise DataError(f"{path.name}: the header lacks {', '.join(missing)}; it has {found}.")
    for record in reader:
        if None in record or None in record.values():
            columns = len(reader.fieldnames)
            raise DataError(f"{path.name}, line {reader.line_num}: {columns} columns are needed.")
        yield reader.line_num, record


def _timestamp(path: Path, line: int, text: str) -> float:
    try:
        moment = float(text)
    except ValueError:
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError:
            message = f"{path.name}, line {line}: {text!r} is no epoch second and no ISO 8601 time."
            raise DataError(message) from None
        moment = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(moment):
        raise DataError(f"{path.name}, line {line}: {text!r} is no time.")
    return moment


def _moment(path: Path, line: int, text: str) -> datetime:
    try:
        return datetime.fromtimestamp(_timestamp(path, line, text), UTC)
    except (ValueError, OverflowError):
        message = (
            f"{path.name}, line {line}: {text!r} lies beyond the year 9999 (epoch seconds are meant, not milliseconds)."
        )
        raise DataError(message) from None


def _value(path: Path, line: int, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{path.name}, line {line}: value {text!r} is no number.") from None
