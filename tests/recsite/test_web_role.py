"""The web's role, as Postgres has it: connected as it, and as the one that migrates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import errors, sql

NAME = "recsite_test_web"


@pytest.fixture
def web(committing_database: None, capsys: pytest.CaptureFixture[str]) -> Iterator[psycopg.Connection[Any]]:
    _drop()
    call_command("create_web_role", NAME)
    password = capsys.readouterr().out.strip()
    at = connection.get_connection_params()
    with psycopg.connect(
        host=at["host"], port=at["port"], dbname=at["dbname"], user=NAME, password=password, autocommit=True
    ) as connected:
        yield connected
    _drop()


def _drop() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [NAME])
        if cursor.fetchone():
            for statement in ("DROP OWNED BY {}", "DROP ROLE {}"):
                cursor.execute(sql.SQL(statement).format(sql.Identifier(NAME)))


def test_it_reads_and_writes_rows(web: psycopg.Connection[Any]) -> None:
    web.execute("INSERT INTO interactions_stalehistory (user_id, noted_at) VALUES ('ann', now())")
    web.execute("UPDATE interactions_stalehistory SET noted_at = now()")
    assert web.execute("DELETE FROM interactions_stalehistory").rowcount == 1
    assert web.execute("SELECT count(*) FROM interactions_event_default").fetchone() == (0,)
    web.execute("CREATE TEMP TABLE incoming (id bigint)")
    web.execute("TRUNCATE incoming")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE evil (id bigint)",
        "DROP TABLE catalog_item",
        "ALTER TABLE catalog_item ADD COLUMN evil text",
        "ALTER TABLE recsite_auditentry DISABLE TRIGGER ALL",
        "DROP TRIGGER catalog_item_audit ON catalog_item",
        "DROP FUNCTION note_admin_write() CASCADE",
        "TRUNCATE interactions_event",
        "TRUNCATE recsite_auditentry",
        "DELETE FROM recsite_auditentry",
        "UPDATE recsite_auditentry SET actor = 'somebody else'",
        "DELETE FROM django_migrations",
        "SET session_replication_role = replica",
        "CREATE ROLE another SUPERUSER",
        "COPY catalog_item TO PROGRAM 'cat'",
    ],
)
def test_it_changes_no_table_and_no_record(web: psycopg.Connection[Any], statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        web.execute(statement)


def test_what_it_does_in_admin_is_noted_and_stays(web: psycopg.Connection[Any]) -> None:
    with web.transaction():
        web.execute("SELECT set_config('recsite.actor', 'eve', true)")
        web.execute("INSERT INTO auth_group (name) VALUES ('mine')")
        web.execute("DELETE FROM auth_group WHERE name = 'mine'")
    noted = web.execute("SELECT actor, action FROM recsite_auditentry ORDER BY id").fetchall()
    assert noted == [("eve", "insert"), ("eve", "delete")]


def test_tables_of_later_migrations_are_its_to_use(web: psycopg.Connection[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE of_a_later_migration (id bigserial, name text)")
    try:
        web.execute("INSERT INTO of_a_later_migration (name) VALUES ('x')")
        with pytest.raises(errors.InsufficientPrivilege):
            web.execute("TRUNCATE of_a_later_migration")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE of_a_later_migration")


def test_again_it_only_renews_what_the_role_may(
    web: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT UPDATE ON recsite_auditentry TO {NAME}")
    call_command("create_web_role", NAME)
    assert capsys.readouterr().out == ""
    with pytest.raises(errors.InsufficientPrivilege):
        web.execute("UPDATE recsite_auditentry SET actor = 'x'")


def test_a_name_that_would_need_quotes_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="A role's name has lower-case letters"):
        call_command("create_web_role", 'x"; DROP TABLE y')


def test_a_role_that_may_make_none_is_told_so(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE recsite_test_owner")
        cursor.execute("SET LOCAL ROLE recsite_test_owner")
    with pytest.raises(CommandError, match=r"(?s)permission denied to create role.*ALTER ROLE \w+ CREATEROLE\."):
        call_command("create_web_role", "recsite_test_other")
