"""Rebuilds can be asked for and planned in admin, by ML engineers at first."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

SCHEDULE = [
    "view_periodictask",
    "change_periodictask",
    *(f"{verb}_{kind}schedule" for verb in ("view", "add", "change") for kind in ("crontab", "interval")),
]


def let_engineers_rebuild(apps, schema_editor):
    # Permissions are otherwise made only when all migrations have run.
    from django.apps import apps as real_apps
    from django.contrib.auth.management import create_permissions

    for label in ("recommender", "django_celery_beat"):
        create_permissions(real_apps.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    rebuild = permission.objects.filter(content_type__app_label="recommender", codename="rebuild_models")
    plan = permission.objects.filter(content_type__app_label="django_celery_beat", codename__in=SCHEDULE)
    for engineers in group.objects.filter(name="ML engineers"):
        engineers.permissions.add(*rebuild, *plan)


class Migration(migrations.Migration):
    dependencies = [
        ("recommender", "0013_rules_tell_of_fatigue"),
        ("django_celery_beat", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="rebuildjob",
            options={"ordering": ["-fencing_token"], "permissions": [("rebuild_models", "Can ask for a rebuild")]},
        ),
        migrations.CreateModel(
            name="RebuildRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "publishes",
                    models.BooleanField(
                        default=True, help_text="No: what passes the gate is held back, to be tried first."
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        help_text="Empty: nobody has begun yet.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="recommender.rebuildjob",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(condition=models.Q(("job", None)), fields=["id"], name="rebuilds_waited_for")],
            },
        ),
        migrations.RunPython(let_engineers_rebuild, migrations.RunPython.noop),
    ]
