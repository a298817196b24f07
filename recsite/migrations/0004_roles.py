"""Give the groups what their work needs besides rules: editors the items, ML engineers what models are made of."""

from django.db import migrations

ITEMS = [("catalog", "add_item"), ("catalog", "change_item")]
EXPERIMENTS = [("experiments", f"view_{name}") for name in ("experiment", "variant", "phase", "metric")]
GROUPS = {
    "Viewers": EXPERIMENTS,
    "Editors": [*EXPERIMENTS, *ITEMS],
    "Reviewers": [*EXPERIMENTS, *ITEMS],
    "ML engineers": [
        *EXPERIMENTS,
        *(("catalog", f"{verb}_embeddingspace") for verb in ("view", "add", "change")),
        *(("interactions", f"view_{name}") for name in ("event", "impression", "eventtype", "deadletter")),
        ("interactions", "change_eventtype"),
        ("interactions", "change_deadletter"),
        ("django_celery_beat", "view_periodictask"),
        ("django_celery_beat", "change_periodictask"),
    ],
}


def give(apps, schema_editor):
    # Permissions are otherwise made only when all migrations have run.
    from django.apps import apps as real_apps
    from django.contrib.auth.management import create_permissions

    for label in ("catalog", "django_celery_beat", "experiments", "interactions"):
        create_permissions(real_apps.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, wanted in GROUPS.items():
        # A site may have done without one of them.
        for one in group.objects.filter(name=name):
            for label, codename in wanted:
                one.permissions.add(*permission.objects.filter(content_type__app_label=label, codename=codename))


class Migration(migrations.Migration):
    dependencies = [
        ("recsite", "0003_hands_of_placements_are_noted"),
        ("catalog", "0007_find_titles_by_their_start"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("experiments", "0004_find_exposures_by_unit"),
        ("interactions", "0007_daily_figures"),
        ("recommender", "0011_impacts_are_measured"),
    ]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
