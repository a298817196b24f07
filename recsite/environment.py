"""Everything recsite reads from the environment, each name with its default, in one place.

With `DATABASE_URL` unset the local services under `.local/` are used (`recsite.local_services`), so that a laptop
needs no configuration at all. README's configuration table lists the same names; a test compares the two.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from environ import Env

BASE_DIRECTORY = Path(__file__).resolve().parent.parent
LOCAL_DIRECTORY = BASE_DIRECTORY / ".local"

env = Env()

DATABASE_URL: str = env.str("DATABASE_URL", default="")
REDIS_URL: str = env.str("REDIS_URL", default="")
CELERY_BROKER_URL: str = env.str("CELERY_BROKER_URL", default="")
SECRET_KEY: str = env.str("SECRET_KEY", default="")
DEBUG: bool = env.bool("DEBUG", default=False)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
MODEL_DIRECTORY: str = env.str("MODEL_DIRECTORY", default="")
REDIS_TIMEOUT_SECONDS: float = env.float("REDIS_TIMEOUT_SECONDS", default=0.2)
REDIS_KEY_PREFIX: str = env.str("REDIS_KEY_PREFIX", default="")
STATEMENT_TIMEOUT_MS: int = env.int("STATEMENT_TIMEOUT_MS", default=0)
DEMO_SITE: bool = env.bool("DEMO_SITE", default=not DATABASE_URL)

LOCAL = not DATABASE_URL
"""True when the embedded Postgres is used: development, tests and `make demo`."""


def local_database_name() -> str:
    """Return the database that this copy last chose (`make demo DATA=…` gives each data set its own)."""
    chosen = LOCAL_DIRECTORY / "database"
    return chosen.read_text().strip() if chosen.exists() else "recsite"


def local_secret_key() -> str:
    """Return this copy's own secret, made on first use and readable by its owner only."""
    path = LOCAL_DIRECTORY / "secret_key"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


def local_run_directory() -> Path:
    """Return the directory of the local services' sockets.

    A socket's path is limited to 107 bytes, so a deeply nested project gets one under the temporary directory.
    """
    run = LOCAL_DIRECTORY / "run"
    if len(str(run)) <= 85:
        return run
    digest = hashlib.sha256(str(run).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"recsite-{os.getuid()}-{digest}"
