import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def note_what_serves(apps, schema_editor):
    pointer = apps.get_model("recommender", "ActiveRules").objects.filter(alias="default").first()
    if pointer is not None and pointer.version is not None:
        version = pointer.version
        apps.get_model("recommender", "ServedRules").objects.create(
            version=version, since=version.published_at or version.submitted_at, by=version.published_by
        )


class Migration(migrations.Migration):
    dependencies = [
        ("recommender", "0015_versions_are_shadowed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RuleEffect",
            fields=[
                (
                    "rule_key",
                    models.PositiveBigIntegerField(
                        help_text="Of the rule; it may be gone from the draft.", primary_key=True, serialize=False
                    ),
                ),
                ("since", models.DateTimeField(help_text="From when on it has served unchanged.")),
                ("measured_at", models.DateTimeField(help_text="Empty: to be measured anew.", null=True)),
                ("result", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="ServedRules",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                (
                    "by",
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="served",
                        to="recommender.rulesetversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.RunPython(note_what_serves, migrations.RunPython.noop),
    ]
