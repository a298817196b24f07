"""What stands in Citus' way is named, the usual schema's and whatever a later change brings back."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from interactions import shard_obstacles, sharding

pytestmark = pytest.mark.django_db

EVENTS = "interactions_event"
FAR_AWAY = "FOR VALUES FROM ('1950-01-01') TO ('1951-01-01')"


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def found() -> list[str]:
    return [str(obstacle) for obstacle in shard_obstacles.find()]


def test_the_usual_schema_has_two_keys_and_three_triggers_in_the_way() -> None:
    assert found() == [
        "interactions_event: interactions_event_deleted is a trigger",
        "interactions_event: interactions_event_emptied is a trigger",
        "interactions_event: interactions_event_pkey is unique without user_id",
        "interactions_event: interactions_event_updated is a trigger",
        "interactions_impression: interactions_impression_pkey is unique without user_id",
    ]


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        (
            f"CREATE UNIQUE INDEX later ON {EVENTS} (event_id, occurred_at)",
            "interactions_event: later is unique without user_id",
        ),
        (
            f"CREATE UNIQUE INDEX later ON {EVENTS} (event_id, occurred_at) INCLUDE (user_id)",
            "interactions_event: later is unique without user_id",
        ),
        (
            f"CREATE UNIQUE INDEX later ON {EVENTS}_default (request_id)",
            "interactions_event_default: later is unique without user_id",
        ),
        (
            "ALTER TABLE interactions_eventkey ADD CONSTRAINT later UNIQUE (fingerprint)",
            "interactions_eventkey: later is unique without event_id",
        ),
        (
            f"ALTER TABLE {EVENTS} ADD CONSTRAINT later FOREIGN KEY (user_id) REFERENCES interactions_userprofile",
            "interactions_event: later is a foreign key to interactions_userprofile, which lies elsewhere",
        ),
        (
            "CREATE TABLE note (event_id uuid CONSTRAINT later REFERENCES interactions_eventkey)",
            "note: later is a foreign key to interactions_eventkey, which lies elsewhere",
        ),
        (
            "CREATE TRIGGER later AFTER INSERT ON interactions_impression EXECUTE FUNCTION owe_item_scores()",
            "interactions_impression: later is a trigger",
        ),
        (
            "CREATE RULE later AS ON DELETE TO interactions_eventkey DO INSTEAD NOTHING",
            "interactions_eventkey: later is a rule",
        ),
        (
            f"CREATE TABLE later PARTITION OF {EVENTS} {FAR_AWAY} PARTITION BY HASH (user_id)",
            "interactions_event: later has partitions of its own",
        ),
    ],
)
def test_a_later_change_is_found(change: str, obstacle: str) -> None:
    sharding.apply()
    assert found() == []
    run(change)
    assert found() == [obstacle]


def test_the_command_says_what_it_does_and_fails_while_something_is_in_the_way() -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="5 obstacles"):
        call_command("shard_by_user", "--check", stdout=out)
    assert out.getvalue().splitlines() == found()
    script = StringIO()
    call_command("shard_by_user", "--sql", stdout=script)
    assert f"ALTER TABLE {EVENTS} DROP CONSTRAINT IF EXISTS {EVENTS}_pkey;" in script.getvalue().splitlines()
    assert len(found()) == 5
    call_command("shard_by_user", stdout=StringIO())
    for arguments in ([], ["--check"]):
        out = StringIO()
        call_command("shard_by_user", *arguments, stdout=out)
        assert out.getvalue() == ("Nothing is in the way: the statements of --citus may be run on a coordinator.\n")
    call_command("shard_by_user", "--citus", stdout=out)
    assert out.getvalue().splitlines()[1:] == [f"{statement};" for statement in sharding.citus_sql()]


def test_the_command_tells_who_keeps_it() -> None:
    run(f"ALTER TABLE {EVENTS} DROP CONSTRAINT {EVENTS}_pkey")
    twice = f"INSERT INTO {EVENTS} VALUES ('00000000-0000-0000-0000-000000000009', '1970-05-05', 1, 1, 1)"
    run(f"{twice}; {twice}")
    with pytest.raises(CommandError, match="interactions_event has rows twice under"):
        call_command("shard_by_user", stdout=StringIO())
