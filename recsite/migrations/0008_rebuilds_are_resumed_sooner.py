"""Beat looks for lost rebuilds every ten seconds (CELERY_BEAT_SCHEDULE): the row that did it every minute goes."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def remove(apps: Any, schema_editor: Any) -> None:
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name="resume-rebuild-every-minute").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("recsite", "0006_publishable_keys"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(remove, migrations.RunPython.noop)]
