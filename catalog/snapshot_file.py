"""The file in which the processes of a machine share the catalogue: one below CATALOGUE_DIRECTORY for each database.

Whoever finds none that is usable reads Postgres and writes it, while the others wait for him. The file is of one run of
one Postgres server, one database and one table on its disk, so that no other database, and no earlier state of this one
that a backup brings back, is ever taken for it: bringing one back takes a new server run, database or table. An
identity kept in a table would come back with the backup.

Without a directory, or where it cannot be written to, each process holds the catalogue in memory of its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import connection

from catalog import mapped_file
from catalog.cards import Cards
from catalog.catalogue import BY_ROW, Catalogue
from catalog.item_card import ItemCard
from catalog.packed_cards import PackedCards

logger = logging.getLogger(__name__)

FORMAT = 1
"""Raised with any change of what the arrays mean; the fields of a card count by themselves."""
SECONDS_TO_WAIT = 60.0
"""For another process that reads everything: a million items take 30 s."""
SECONDS_KEPT = 24 * 3600.0
"""How long a file stays that no process has begun with: another database's, or that of an earlier server run."""
SUFFIX = ".catalogue"

_PACKED = ("texts", "starts", "hashes", "hashed", "tag_starts", "tagged")


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """The file of one database."""

    path: Path
    identity: str

    def read(self) -> Catalogue | None:
        """Return the snapshot in the file, mapped; None when there is none or it is damaged or of another database."""
        try:
            arrays, meta = mapped_file.read(self.path)
            if meta["identity"] != self.identity:
                raise mapped_file.MappedFileError(f"{self.path.name}: is of another database.")
            with suppress(OSError):
                os.utime(self.path)
        except FileNotFoundError:
            return None
        except (mapped_file.MappedFileError, OSError) as error:
            _warn_once(f"the catalogue is read from Postgres: {error}")
            return None
        packed = PackedCards(pks=arrays["pks"], tags=meta["tags"], **{name: arrays[name] for name in _PACKED})
        return Catalogue(
            revision=0,
            cards=Cards(packed, packed.pks, {}),
            categories=meta["categories"],
            read_at=meta["read_at"],
            removals=meta["removals"],
            **{name: arrays[name] for name in BY_ROW},
        )

    def remove(self) -> None:
        """Remove the file if it can be; processes that have it mapped go on undisturbed."""
        with suppress(OSError):
            self.path.unlink()

    def written(self, catalogue: Catalogue) -> Catalogue:
        """Write a snapshot for all processes and return it mapped; as it is where that cannot be done.

        The caller holds the lock, and has no transaction open: nobody else knows of what is not committed.
        """
        packed = catalogue.cards.repacked()
        arrays = {name: getattr(packed, name) for name in _PACKED} | {name: getattr(catalogue, name) for name in BY_ROW}
        meta = {
            "identity": self.identity,
            "tags": list(packed.tags),
            "categories": catalogue.categories,
            "read_at": catalogue.read_at,
            "removals": catalogue.removals,
        }
        try:
            mapped_file.write(self.path, arrays, meta)
            _sweep(self.path)
        except OSError as error:
            _warn_not_shared(error)
            return catalogue
        return self.read() or catalogue

    @contextmanager
    def locked(self, seconds: float) -> Iterator[bool]:
        """Wait for at most `seconds` to be alone in writing; yield whether that is so."""
        try:
            descriptor = os.open(self.path.parent, os.O_RDONLY)
        except OSError as error:
            _warn_not_shared(error)
            yield False
            return
        try:
            # The kernel lets go of it when this process dies.
            yield _lock(descriptor, time.monotonic() + seconds)
        finally:
            os.close(descriptor)


def of_this_database() -> SnapshotFile | None:
    """Return the file of the database in use; None when CATALOGUE_DIRECTORY is empty or cannot be made.

    None as well within a transaction: it may have changed items, which nobody else knows of yet.
    """
    directory: str = getattr(settings, "CATALOGUE_DIRECTORY", "")
    if not directory or not connection.get_autocommit():
        return None
    path = Path(directory)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _warn_not_shared(error)
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM pg_postmaster_start_time())::text, pg_relation_filenode('catalog_item'), oid "
            "FROM pg_database WHERE datname = current_database()"
        )
        told = [FORMAT, ItemCard.__struct_fields__, settings.RECOMMENDER_ITEM_URL, *cursor.fetchone()]
    identity = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]
    return SnapshotFile(path / f"{identity}{SUFFIX}", identity)


def _lock(descriptor: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.05)
        else:
            return True


def _sweep(written: Path) -> None:
    """Remove what nobody begins with any more."""
    for path in written.parent.iterdir():
        is_ours = path.suffix == SUFFIX or path.name.startswith(mapped_file.WRITING)
        with suppress(OSError):
            if is_ours and path != written and time.time() - path.stat().st_mtime > SECONDS_KEPT:
                path.unlink()


def _warn_not_shared(error: OSError) -> None:
    # Its message may name a file that is another one each time.
    _warn_once(f"the catalogue is not shared by processes: {error.strerror}")


@lru_cache(maxsize=64)
def _warn_once(message: str) -> None:
    logger.warning("%s", message)
