"""Create the partitioned tables, their default and first partitions, and the usual event types."""

from django.db import migrations

from catalog import revisions
from interactions import partitions

TABLES = """
    CREATE TABLE interactions_event (
        event_id uuid NOT NULL,
        occurred_at timestamptz NOT NULL,
        user_id bigint NOT NULL,
        item_id bigint NOT NULL,
        event_type_id bigint NOT NULL,
        value double precision,
        context jsonb,
        request_id uuid,
        received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (event_id, occurred_at)
    ) PARTITION BY RANGE (occurred_at);
    CREATE INDEX interactions_event_user ON interactions_event (user_id, occurred_at DESC);
    CREATE INDEX interactions_event_request ON interactions_event (request_id) WHERE request_id IS NOT NULL;
    CREATE TABLE interactions_event_default PARTITION OF interactions_event DEFAULT;

    CREATE TABLE interactions_impression (
        impression_id uuid NOT NULL DEFAULT gen_random_uuid(),
        shown_at timestamptz NOT NULL,
        request_id uuid NOT NULL,
        user_id varchar(200) NOT NULL,
        item_id bigint NOT NULL,
        placement varchar(100) NOT NULL,
        position smallint NOT NULL,
        source varchar(50) NOT NULL,
        model_version varchar(50) NOT NULL,
        rules_version bigint NOT NULL,
        experiment_id varchar(100) NOT NULL DEFAULT '',
        phase integer,
        variant varchar(100) NOT NULL DEFAULT '',
        propensity double precision NOT NULL DEFAULT 1,
        PRIMARY KEY (request_id, position, shown_at)
    ) PARTITION BY RANGE (shown_at);
    CREATE INDEX interactions_impression_user ON interactions_impression (user_id, shown_at DESC);
    CREATE INDEX interactions_impression_experiment ON interactions_impression (experiment_id, phase, shown_at)
        WHERE experiment_id <> '';
    CREATE TABLE interactions_impression_default PARTITION OF interactions_impression DEFAULT;
"""

EVENT_TYPES = [
    # name, weight, marks_seen
    ("impression", 0.0, False),
    ("view", 0.3, False),
    ("click", 0.2, False),
    ("watch", 1.0, True),
    ("rating", 1.0, True),
    ("like", 1.2, True),
    ("purchase", 1.5, True),
    ("add_to_list", 0.7, False),
    ("already_seen", 0.5, True),
    ("not_interested", -1.0, True),
]


def create_event_types(apps, schema_editor):
    event_type = apps.get_model("interactions", "EventType")
    for name, weight, marks_seen in EVENT_TYPES:
        event_type.objects.create(name=name, weight=weight, marks_seen=marks_seen)


def create_partitions(apps, schema_editor):
    partitions.premake(connection=schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("interactions", "0001_initial"), ("catalog", "0002_revisions")]

    operations = [
        migrations.RunSQL(TABLES, "DROP TABLE interactions_event, interactions_impression"),
        migrations.RunPython(create_partitions, migrations.RunPython.noop),
        migrations.RunSQL(revisions.watch_sql("interactions_eventtype", revisions.EVENT_TYPES), migrations.RunSQL.noop),
        migrations.RunPython(create_event_types, migrations.RunPython.noop),
    ]
