"""A role of Postgres for the web processes: it reads and writes rows and can change no table.

Tables stay the property of the role that migrates, and so does their upkeep: worker, beat and `migrate` use that one.
The record of what was done in admin can be read and added to by the web's role, and neither changed nor deleted; it
does not own the triggers that write it, so it cannot drop them.
"""

from __future__ import annotations

import re
import secrets

from django.db import connection, transaction
from psycopg import sql

ROWS = sql.SQL("SELECT, INSERT, UPDATE, DELETE")
APPEND_ONLY = ("recsite_auditentry",)
READ_ONLY = ("django_migrations",)
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def create(name: str) -> str | None:
    """Make the role and return its password; of one that is there, only renew what it may and return None.

    To be run by the role that migrates, once: tables that later migrations make are the web's role's to use as well.

    Raises
    ------
    ValueError
        The name is none that needs no quotes.
    django.db.ProgrammingError
        This role may make no roles.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"A role's name has lower-case letters, digits and _, at most 63: not {name!r}.")
    role, password = sql.Identifier(name), None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [name])
        if cursor.fetchone() is None:
            password = secrets.token_urlsafe(24)
            made = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD {}")
            cursor.execute(made.format(role, sql.Literal(password)))
        cursor.execute("SELECT current_database()")
        database = sql.Identifier(cursor.fetchone()[0])
        for statement in _grants(role, database):
            cursor.execute(statement)
    return password


def _grants(role: sql.Identifier, database: sql.Identifier) -> list[sql.Composed]:
    """Return what makes the role's rights these and no others."""
    known = {"role": role, "database": database, "rows": ROWS}
    statements = [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}",
        "GRANT USAGE ON SCHEMA public TO {role}",
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
        "GRANT {rows} ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rows} ON TABLES TO {role}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    ]
    composed = [sql.SQL(one).format(**known) for one in statements]
    for rights, tables in (("UPDATE, DELETE", APPEND_ONLY), ("INSERT, UPDATE, DELETE", READ_ONLY)):
        revoke = sql.SQL("REVOKE " + rights + " ON {} FROM {}")
        composed += [revoke.format(sql.Identifier(table), role) for table in tables]
    return composed
