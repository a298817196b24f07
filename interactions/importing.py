"""Importing a data set: everything is read and checked before anything is written.

1. The items are read (`catalog.datasets`), checked and spooled to a temporary file.
2. The events are read (`interactions.datasets`) straight into the staging table (`staging`).
3. A single problem refuses the whole data set, unless `partial`: then the broken rows are left out, those of events
   kept as dead letters.
4. Items are upserted, then events inserted; both part by part, and both the same however often they are repeated.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec
from django.db import connection

from catalog import revisions
from catalog.datasets.files import Dataset, DatasetFile, open_dataset
from catalog.datasets.formats import FORMATS, ITEM_READERS, detect
from catalog.datasets.problems import DatasetError, Problem, Problems
from catalog.importing import UpsertCounts, upsert_items
from catalog.records import InvalidItem, ItemRecord
from interactions import stale_histories
from interactions.datasets.fields import Fields
from interactions.datasets.formats import EVENT_READERS
from interactions.models import EventType
from interactions.refused_rows import RefusedRows
from interactions.staging import ANALYZE_ABOVE, StagedEvents, StoredCounts, staging

ReportProgress = Callable[[str, int, int], None]
"""Called with the step's name, how much is done and how much there is."""


class DatasetRefused(DatasetError):
    """Some rows cannot be stored, so nothing was. `problems` says which."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(f"{problems.counted()}; nothing was imported")
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What an import did. `refused`: broken rows (`partial`), and events of users who withhold their consent."""

    format: str
    items: UpsertCounts
    events: StoredCounts
    refused: int
    events_seconds: float
    """Reading, checking and storing the events."""
    problems: Problems

    @property
    def events_a_second(self) -> float:
        """Return events read and stored a second; 0 when there were none."""
        count = self.events.new + self.events.duplicate
        return count / self.events_seconds if count else 0.0


def import_dataset(
    path: Path,
    *,
    format: str = "",  # noqa: A002 -- the command's own word
    partial: bool = False,
    on_problem: Callable[[Problem], None] | None = None,
    progress: ReportProgress = lambda step, done, total: None,
) -> ImportResult:
    """Import a folder, a zip or a file; the format is told by the file names when not given.

    Raises
    ------
    DatasetError
        When the data set cannot be opened or is of no known format.
    DatasetRefused
        When rows are broken and `partial` is False; the database is as before.
    ImportRunning
        When another import is under way.
    """
    with open_dataset(path) as dataset, staging() as staged, tempfile.TemporaryFile() as spool:
        chosen = format or detect(dataset)
        if chosen not in FORMATS:
            raise DatasetError(f"there is no format {chosen!r}; allowed: {', '.join(FORMATS)}")
        refused = RefusedRows(on_problem)
        problems = refused.problems
        rows = _read_items(dataset, chosen, problems, spool, progress)
        items_broken = problems.total > 0
        events_file = EVENT_READERS[chosen].find(dataset)
        started = time.perf_counter()
        if events_file is not None:
            refused.keep_events_of(events_file.name if partial else "")
            _read_events(events_file, chosen, staged, problems, progress)
            staged.declare_items(rows)
            # Every event of a broken item would only repeat that it is broken.
            if partial or not items_broken:
                staged.refuse_unknown_items()
            staged.refuse_id_conflicts()
            refused.add_staged(events_file.name, staged.refusals())
        if not (rows or staged.count or problems.total):
            raise DatasetError(f"{dataset.name} holds neither items nor events of format {chosen}")
        if problems.total and not partial:
            raise DatasetRefused(problems)
        refused.write()
        staged.drop_refused()
        reading_seconds = time.perf_counter() - started
        items = _write_items(spool, len(rows), progress)
        started = time.perf_counter()
        count = staged.count
        events = staged.store(lambda done: progress("storing events", done, count))
        storing_seconds = time.perf_counter() - started
        refresh_statistics_and_caches(events.new)
    return ImportResult(
        format=chosen,
        items=items,
        events=events,
        refused=refused.events + events.withheld,
        events_seconds=reading_seconds + storing_seconds,
        problems=problems,
    )


def _read_items(
    dataset: Dataset, chosen: str, problems: Problems, spool: IO[bytes], progress: ReportProgress
) -> dict[str, tuple[str, int]]:
    """Spool the checked items; return item_id → (file, row), each id once."""
    rows: dict[str, tuple[str, int]] = {}
    encoder = msgspec.json.Encoder()
    for file, row, record in ITEM_READERS[chosen](dataset, problems):
        if record.item_id in rows:
            first = rows[record.item_id][1]
            error = InvalidItem(
                "id_duplicate", "item_id", f"item_id {record.item_id} is already in row {first}", record.item_id
            )
            problems.add_item(file, row, error)
            continue
        rows[record.item_id] = file, row
        spool.write(encoder.encode(record) + b"\n")
        if not len(rows) % 1_000:
            progress("reading items", len(rows), 0)
    return rows


def _read_events(
    file: DatasetFile, chosen: str, staged: StagedEvents, problems: Problems, progress: ReportProgress
) -> None:
    fields = Fields(EventType.objects.values_list("name", flat=True), datetime.now(UTC))
    step = f"reading {file.name}"
    staged.copy(
        EVENT_READERS[chosen].read(file, fields, problems, lambda bytes_read: progress(step, bytes_read, file.size))
    )
    progress(step, file.size, file.size)


def _write_items(spool: IO[bytes], total: int, progress: ReportProgress) -> UpsertCounts:
    def records() -> Iterator[ItemRecord]:
        spool.seek(0)
        decoder = msgspec.json.Decoder(ItemRecord)
        for done, line in enumerate(spool, start=1):
            yield decoder.decode(line)
            if not done % 1_000 or done == total:
                progress("storing items", done, total)

    counts = upsert_items(records())
    if counts.new + counts.changed > ANALYZE_ABOVE:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE catalog_item")
    return counts


def refresh_statistics_and_caches(new_events: int) -> None:
    """Tell the query planner, the announced revisions and the cached histories what bulk writing has changed."""
    if new_events > ANALYZE_ABOVE:
        with connection.cursor() as cursor:
            # Autovacuum never looks at a partitioned table itself, only at its partitions.
            cursor.execute("ANALYZE interactions_event")
    revisions.announce_all()
    while stale_histories.mend():
        pass
