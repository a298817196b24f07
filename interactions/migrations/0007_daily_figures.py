"""Keep what each day's impressions came to, and find a day's impressions."""

from django.db import migrations, models

# A block range index: next to nothing for writers, since rows come in about the order in which they were shown.
SHOWN = """
    CREATE INDEX interactions_impression_shown ON interactions_impression USING brin (shown_at)
        WITH (pages_per_range = 16, autosummarize = on);
"""


class Migration(migrations.Migration):
    dependencies = [("interactions", "0006_item_scores")]

    operations = [
        migrations.CreateModel(
            name="DailyFigure",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "placement", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField(help_text="In UTC.")),
                ("placement", models.CharField(help_text="Empty: all of them.", max_length=100)),
                ("counted_at", models.DateTimeField()),
                ("impressions", models.BigIntegerField()),
                ("clicked", models.BigIntegerField()),
                ("by_rule", models.BigIntegerField()),
                ("of_new_items", models.BigIntegerField()),
                ("items", models.BigIntegerField(help_text="Different ones.")),
                ("items_in_week", models.BigIntegerField(null=True)),
                ("catalogue", models.BigIntegerField(null=True)),
                ("events", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.RunSQL(SHOWN, "DROP INDEX interactions_impression_shown"),
    ]
