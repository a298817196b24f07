"""What the demo shows: its own films and audience, or a folder somebody names, each in a database of its own."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

import catalog
from recsite import environment

FILMS = Path(catalog.__file__).parent / "demo_data" / "films.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Where items and events come from."""

    path: Path
    """Absolute: a folder or a zip for `import_dataset`, or the demo films."""
    is_own: bool
    """True for the films of this project, whose audience is simulated."""

    @property
    def database(self) -> str:
        """The local database that holds it: two folders never share one, whatever their names."""
        if self.is_own:
            return "recsite"
        slug = re.sub(r"[^a-z0-9]+", "_", self.path.stem.lower()).strip("_")[:40]
        digest = hashlib.sha256(str(self.path).encode()).hexdigest()[:6]
        return f"recsite_{slug}_{digest}"

    def fingerprint(self) -> str:
        """Return what changes whenever a file of it does: names, sizes and times of the files."""
        files = sorted(self.path.rglob("*")) if self.path.is_dir() else [self.path]
        described = [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files if file.is_file()]
        return hashlib.sha256("\n".join(described).encode()).hexdigest()

    def is_imported(self) -> bool:
        """Return whether the present database was given exactly this, to the end."""
        marker = self._marker()
        return marker.exists() and marker.read_text() == self.fingerprint()

    def mark_imported(self) -> None:
        """Remember that the present database has it all."""
        marker = self._marker()
        marker.parent.mkdir(exist_ok=True)
        marker.write_text(self.fingerprint())

    def choose_database(self) -> bool:
        """Make its database this copy's choice; True when the settings in force are those of another one."""
        if not environment.LOCAL:
            return False
        (environment.LOCAL_DIRECTORY / "database").write_text(self.database)
        return bool(settings.DATABASES["default"]["NAME"] != self.database)

    def _marker(self) -> Path:
        return environment.LOCAL_DIRECTORY / "imported" / str(settings.DATABASES["default"]["NAME"])


def find(path: str) -> Dataset:
    """Return the dataset at `path`, the demo's own for "".

    Raises
    ------
    FileNotFoundError
        When there is nothing at `path`.
    """
    if not path:
        return Dataset(path=FILMS, is_own=True)
    found = Path(path).expanduser().resolve()
    if not found.exists():
        raise FileNotFoundError(f"There is no dataset at {found} (DATA={path}): name a folder or a zip file.")
    return Dataset(path=found, is_own=False)
