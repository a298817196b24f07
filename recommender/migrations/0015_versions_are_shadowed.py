"""A version may be tried beside the one that serves, and what came of it is kept for a few days."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from catalog import revisions

# Not of the counters, which the trial itself writes.
WATCHED = "version_id, percent, stopped_at"


class Migration(migrations.Migration):
    dependencies = [
        ("recommender", "0014_rebuilds_are_asked_for"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Shadow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "percent",
                    models.PositiveSmallIntegerField(
                        help_text="So many users in a hundred; always the same ones.",
                        validators=[django.core.validators.MaxValueValidator(100)],
                    ),
                ),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("stopped_at", models.DateTimeField(blank=True, help_text="Empty: it runs.", null=True)),
                ("dropped", models.BigIntegerField(default=0, help_text="Lists not compared: too many waited.")),
                ("failed", models.BigIntegerField(default=0, help_text="Lists that could not be made.")),
                ("error", models.TextField(blank=True, default="", help_text="Why the last one could not.")),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shadows",
                        to="recommender.modelversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ShadowList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("request_id", models.UUIDField()),
                ("user_id", models.CharField(db_index=True, help_text="External user id.", max_length=200)),
                ("placement", models.CharField(max_length=100)),
                ("shown_at", models.DateTimeField(db_index=True)),
                (
                    "live_items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), help_text="Primary keys, best first.", size=None
                    ),
                ),
                (
                    "shadow_items",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                ("overlap", models.FloatField(help_text="Of the first ten, 0 to 1.")),
                ("rank_biased_overlap", models.FloatField()),
                ("live_fallback", models.BooleanField()),
                ("shadow_fallback", models.BooleanField()),
                ("live_ms", models.FloatField(help_text="Milliseconds it took to make.")),
                ("shadow_ms", models.FloatField()),
                (
                    "shadow",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lists",
                        to="recommender.shadow",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="shadow",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stopped_at", None)),
                fields=("stopped_at",),
                name="one_shadow",
                nulls_distinct=False,
            ),
        ),
        migrations.AddIndex(
            model_name="shadowlist",
            index=models.Index(fields=["shadow", "-id"], name="lists_of_a_shadow"),
        ),
        migrations.RunSQL(
            revisions.watch_sql("recommender_shadow", revisions.MODEL, WATCHED),
            "DROP TRIGGER recommender_shadow_revision ON recommender_shadow",
        ),
    ]
