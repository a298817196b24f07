"""Beat looks for what waits every ten seconds (CELERY_BEAT_SCHEDULE): the rows that did it every minute go."""

from __future__ import annotations

from typing import Any

from django.db import migrations

REPLACED = ("resume-rebuild-every-minute", "measure-impacts-every-minute")


def remove(apps: Any, schema_editor: Any) -> None:
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=REPLACED).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("recsite", "0006_publishable_keys"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(remove, migrations.RunPython.noop)]
