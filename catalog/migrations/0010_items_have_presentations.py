"""Let items have other titles and pictures; who edits one raises their revision."""

import django.db.models.deletion
from django.db import migrations, models

from catalog import revisions


class Migration(migrations.Migration):
    dependencies = [("catalog", "0009_answers_are_kept_by_their_key")]

    operations = [
        migrations.CreateModel(
            name="ItemPresentation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "title",
                    models.CharField(blank=True, default="", help_text="Empty: the item's own.", max_length=500),
                ),
                (
                    "image_url",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="http(s)://… or /path. Empty: the item's own.",
                        max_length=1000,
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(default=True, help_text="Off: shown to nobody from the next request on."),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="presentations",
                        to="catalog.item",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("image_url", ""), ("title", ""), _negated=True),
                        name="presentation_differs",
                    )
                ],
            },
        ),
        migrations.RunSQL(revisions.watch_sql("catalog_itempresentation", "presentations"), migrations.RunSQL.noop),
    ]
