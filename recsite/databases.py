"""DATABASES: the primary, and what may be read in its place."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from recsite import environment
from recsite.environment import LOCAL, env


def configured() -> dict[str, dict[str, Any]]:
    """Return the primary as `default`, and `replica1`, `replica2` … in the order of REPLICA_URLS."""
    databases = {"default": _local() if LOCAL else _at(environment.DATABASE_URL)}
    for number, url in enumerate(environment.REPLICA_URLS, start=1):
        databases[f"replica{number}"] = _at(url)
    for alias, database in databases.items():
        _complete(database, may_write=alias == "default")
    databases["default"]["TEST"] = {"NAME": environment.TEST_DATABASE_NAME}
    return databases


def _local() -> dict[str, Any]:
    return {
        "NAME": environment.local_database_name(),
        "USER": "postgres",
        "HOST": str(environment.local_run_directory()),
        # Names the socket; PGPORT in somebody's shell must not.
        "PORT": "5432",
    }


def _at(url: str) -> dict[str, Any]:
    database: dict[str, Any] = env.db_url_config(url)
    # libpq writes a socket's directory percent-encoded in the host's place.
    database["HOST"] = unquote(database["HOST"])
    return database


def _complete(database: dict[str, Any], *, may_write: bool) -> None:
    # Somebody waits for a web process; a lock that is not had soon would only end as a statement that took too long.
    lock_timeout_ms = environment.STATEMENT_TIMEOUT_MS * 3 // 4 or 5000
    server_settings = f"-c timezone=UTC -c lock_timeout={lock_timeout_ms} -c idle_in_transaction_session_timeout=60000"
    # A statement that nobody waits for any more holds neither its locks nor its connection.
    server_settings += " -c client_connection_check_interval=500"
    if not may_write:
        server_settings += " -c default_transaction_read_only=on"
        database["TEST"] = {"MIRROR": "default"}
    options = database.setdefault("OPTIONS", {})
    if environment.STATEMENT_TIMEOUT_MS:
        server_settings += f" -c statement_timeout={environment.STATEMENT_TIMEOUT_MS}"
        # The server ends its statements by itself, unless it hangs.
        options.setdefault("patience_seconds", environment.STATEMENT_TIMEOUT_MS / 1000 + 0.5)
    options.setdefault("options", server_settings)
    options.setdefault("connect_timeout", 3)
    # Django binds values itself and prepares nothing; `interactions.event_rows` does.
    options.setdefault("prepare_threshold", 5 if environment.PREPARED_STATEMENTS else None)
    database["ENGINE"] = "catalog.postgres"
    database.setdefault("CONN_MAX_AGE", 600)
    database.setdefault("CONN_HEALTH_CHECKS", True)
