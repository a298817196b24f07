"""Keep what popularity and trending add up to, find what came in since, and note when all must be counted again."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# A block range index: next to nothing for writers, since rows come in the order in which they are received.
RECEIVED = """
    CREATE INDEX interactions_event_received ON interactions_event USING brin (received_at)
        WITH (pages_per_range = 16, autosummarize = on);
"""
OWED = """
    CREATE FUNCTION owe_item_scores() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO interactions_owedcount DEFAULT VALUES;
        RETURN NULL;
    END $$;
    CREATE FUNCTION owe_item_scores_if_any() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO interactions_owedcount (noted_at) SELECT now() WHERE EXISTS (SELECT FROM gone);
        RETURN NULL;
    END $$;
    CREATE TRIGGER interactions_event_updated AFTER UPDATE ON interactions_event
        REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION owe_item_scores_if_any();
    CREATE TRIGGER interactions_event_deleted AFTER DELETE ON interactions_event
        REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION owe_item_scores_if_any();
    CREATE TRIGGER interactions_event_emptied AFTER TRUNCATE ON interactions_event
        FOR EACH STATEMENT EXECUTE FUNCTION owe_item_scores();
    CREATE TRIGGER interactions_userprofile_moved AFTER UPDATE OF country ON interactions_userprofile
        FOR EACH ROW WHEN (OLD.country IS DISTINCT FROM NEW.country) EXECUTE FUNCTION owe_item_scores();
"""
NOT_OWED = """
    DROP TRIGGER interactions_userprofile_moved ON interactions_userprofile;
    DROP TRIGGER interactions_event_emptied ON interactions_event;
    DROP TRIGGER interactions_event_deleted ON interactions_event;
    DROP TRIGGER interactions_event_updated ON interactions_event;
    DROP FUNCTION owe_item_scores_if_any;
    DROP FUNCTION owe_item_scores;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0005_embedding_weights_0_or_more"),
        ("interactions", "0005_count_what_is_explored"),
    ]

    operations = [
        migrations.CreateModel(
            name="OwedCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("noted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="ScoreCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("received_until", models.DateTimeField(help_text="Events received before this are in ItemScore.")),
                ("landmark", models.DateTimeField(help_text="An event of this moment weighs what its type says.")),
                ("newest_at", models.DateTimeField(help_text="When the newest event happened.")),
                ("definition", models.TextField(help_text="Weights and half-lives it was counted with.")),
                ("counted_at", models.DateTimeField(help_text="When everything was counted last.")),
                ("count_seconds", models.FloatField(help_text="How long that took.")),
            ],
        ),
        migrations.CreateModel(
            name="ItemScore",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "item_id", "country", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("country", models.CharField(help_text="Two letters; empty: everywhere.", max_length=2)),
                ("popularity", models.FloatField(help_text="Users, forward-decayed from the landmark; 0 by country.")),
                ("trending", models.FloatField(help_text="The same with the shorter half-life.")),
                (
                    "item",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.item",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(RECEIVED, "DROP INDEX interactions_event_received"),
        migrations.RunSQL(OWED, NOT_OWED),
    ]
