"""A benchmark's own place: database, Redis prefix, model directory and folder, all gone afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import connection
from django.test.utils import override_settings

from catalog.redis_store import client

Tell = Callable[[str, int, int], None]
"""Called with the step's name, how much is done and how much there is (0: not known)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """What a benchmark may use."""

    folder: Path
    """Empty; removed afterwards."""
    charts: Path
    """Where charts are written; stays."""
    tell: Tell

    def step(self, name: str) -> None:
        """Say what is done next, for a step without a count."""
        self.tell(name, 0, 0)


@contextmanager
def opened(name: str, charts: Path, tell: Tell, *, database: bool) -> Iterator[Workbench]:
    """Yield the workbench of the benchmark `name`, with a migrated, empty database when it asks for one.

    The name of the database is always the same, so that what a killed run left behind is cleared by the next.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix=f"recsite-bench-{name}-")))
        models = folder / "models"
        prefix = f"bench:{settings.DATABASES['default']['NAME']}:{name}"
        override = override_settings(
            REDIS_KEY_PREFIX=prefix,
            RECOMMENDER_MODEL_DIRECTORY=str(models),
            CATALOGUE_DIRECTORY=str(folder / "catalogue"),
        )
        stack.enter_context(override)
        stack.callback(_forget_keys, prefix)
        _forget_keys(prefix)
        if database:
            tell("preparing a database", 0, 0)
            stack.enter_context(_database())
        own = folder / "files"
        own.mkdir()
        yield Workbench(folder=own, charts=charts, tell=tell)


@contextmanager
def _database() -> Iterator[None]:
    real = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"bench_{real}"[:63]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(real, verbosity=0)


def _forget_keys(prefix: str) -> None:
    for key in client().scan_iter(f"{prefix}:*", count=1000):
        client().delete(key)
