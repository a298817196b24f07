"""Everything recsite reads from the environment, each name with its default, in one place.

With `DATABASE_URL` unset the local services under `.local/` are used (`recsite.local_services`), so that a laptop
needs no configuration at all. README's configuration table lists the same names; a test compares the two.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environ import Env

BASE_DIRECTORY = Path(__file__).resolve().parent.parent
LOCAL_DIRECTORY = BASE_DIRECTORY / ".local"

env = Env()

DATABASE_URL: str = env.str("DATABASE_URL", default="")
TEST_DATABASE_NAME: str = env.str("TEST_DATABASE_NAME", default="test_recsite")
REPLICA_URLS: list[str] = env.list("REPLICA_URLS", default=[])
REPLICA_LAG_SECONDS: int = env.int("REPLICA_LAG_SECONDS", default=30)
REDIS_URL: str = env.str("REDIS_URL", default="")
CELERY_BROKER_URL: str = env.str("CELERY_BROKER_URL", default="")
SECRET_KEY: str = env.str("SECRET_KEY", default="")
DEBUG: bool = env.bool("DEBUG", default=False)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
MODEL_DIRECTORY: str = env.str("MODEL_DIRECTORY", default="")
EVENT_LOG: str = env.str("EVENT_LOG", default="postgres")
KAFKA_SERVERS: str = env.str("KAFKA_SERVERS", default="localhost:9092")
MODEL_STORE: str = env.str("MODEL_STORE", default="")
TRAINING_ENGINE: str = env.str("TRAINING_ENGINE", default="local")
SPARK_MASTER: str = env.str("SPARK_MASTER", default="local[*]")
SPARK_EVENT_FILES: str = env.str("SPARK_EVENT_FILES", default="")
MILVUS_URI: str = env.str("MILVUS_URI", default="")
MILVUS_TOKEN: str = env.str("MILVUS_TOKEN", default="")
CATALOGUE_DIRECTORY: str = env.str("CATALOGUE_DIRECTORY", default="")
REDIS_TIMEOUT_SECONDS: float = env.float("REDIS_TIMEOUT_SECONDS", default=0.2)
REDIS_KEY_PREFIX: str = env.str("REDIS_KEY_PREFIX", default="")
STATEMENT_TIMEOUT_MS: int = env.int("STATEMENT_TIMEOUT_MS", default=0)
WEB_THREADS: int = env.int("WEB_THREADS", default=8)
PREPARED_STATEMENTS: bool = env.bool("PREPARED_STATEMENTS", default=True)
DEMO_SITE: bool = env.bool("DEMO_SITE", default=not DATABASE_URL)
DRAIN_FILE: str = env.str("DRAIN_FILE", default="")
PARTITION_BY: str = env.str("PARTITION_BY", default="month")
RETENTION_DAYS: int = env.int("RETENTION_DAYS", default=0)
NUM_PROXIES: int = env.int("NUM_PROXIES", default=0)
RATE_LIMITS: dict[str, int] = env.dict("RATE_LIMITS", cast={"value": int}, default={})
METRICS_DIRECTORY: str = env.str("PROMETHEUS_MULTIPROC_DIR", default="")
if METRICS_DIRECTORY:
    # Without it prometheus_client lets no program of the site start, nor any command.
    Path(METRICS_DIRECTORY).mkdir(parents=True, exist_ok=True)
LOG_FORMAT: str = env.str("LOG_FORMAT", default="line" if DEMO_SITE else "json")

LOCAL = not DATABASE_URL
"""True when the embedded Postgres is used: development, tests and `make demo`."""


def refuse_insecure() -> None:
    """Raise for what must not be in production, so that it does not start.

    Raises
    ------
    ImproperlyConfigured
        A SECRET_KEY that is short, repetitive or made by `startproject`; DEBUG; ALLOWED_HOSTS with nobody or everybody.
    """
    if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or SECRET_KEY.startswith("django-insecure-"):
        raise ImproperlyConfigured("Set SECRET_KEY to at least 50 random characters (DATABASE_URL is set: production).")
    if DEBUG:
        raise ImproperlyConfigured("DEBUG shows settings and code to everybody: unset it (DATABASE_URL is set).")
    if not any(ALLOWED_HOSTS) or "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("Set ALLOWED_HOSTS to the names of this site, and never to *.")


def local_database_name() -> str:
    """Return the database that this copy last chose (`make demo DATA=…` gives each data set its own)."""
    chosen = LOCAL_DIRECTORY / "database"
    return chosen.read_text().strip() if chosen.exists() else "recsite"


def local_secret(name: str, characters: int = 64) -> str:
    """Return this copy's own secret `name`, made on first use and readable by its owner only."""
    LOCAL_DIRECTORY.mkdir(exist_ok=True)
    with os.fdopen(os.open(LOCAL_DIRECTORY / name, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        # Several processes may start at once on a new copy: the first writes, the others read what it wrote.
        fcntl.flock(file, fcntl.LOCK_EX)
        secret = file.read().strip()
        if not secret:
            secret = secrets.token_urlsafe(characters)[:characters]
            file.write(secret)
        return secret


def local_run_directory() -> Path:
    """Return the directory of the local services' sockets.

    A socket's path is limited to 107 bytes and appears in addresses, so a deeply nested project, or one with unusual
    characters in its path, gets one outside.
    """
    run = LOCAL_DIRECTORY / "run"
    if len(str(run)) <= 85 and re.fullmatch(r"[\w./-]+", str(run), re.ASCII):
        return run
    digest = hashlib.sha256(str(run).encode()).hexdigest()[:12]
    # Not the user's temporary directory: that differs between a terminal and a service, and both must meet here.
    return Path("/tmp") / f"recsite-{os.getuid()}-{digest}"  # noqa: S108
