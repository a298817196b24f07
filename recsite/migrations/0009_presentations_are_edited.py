"""Let who edits items give them other titles and pictures, and note who does."""

from django.db import migrations

WATCH = """
    CREATE TRIGGER catalog_itempresentation_audit AFTER INSERT OR UPDATE OR DELETE ON catalog_itempresentation
    FOR EACH ROW WHEN (current_setting('recsite.actor', true) <> '') EXECUTE FUNCTION note_admin_write();
"""
FORGET = "DROP TRIGGER catalog_itempresentation_audit ON catalog_itempresentation"
VERBS = {"Viewers": ["view"], "Editors": ["view", "add", "change", "delete"], "ML engineers": ["view"]}
VERBS["Reviewers"] = VERBS["Editors"]


def give(apps, schema_editor):
    # Permissions are otherwise made only when all migrations have run.
    from django.apps import apps as real_apps
    from django.contrib.auth.management import create_permissions

    create_permissions(real_apps.get_app_config("catalog"), verbosity=0, using=schema_editor.connection.alias)
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, verbs in VERBS.items():
        wanted = permission.objects.filter(
            content_type__app_label="catalog", codename__in=[f"{verb}_itempresentation" for verb in verbs]
        )
        # A site may have done without one of them.
        for one in group.objects.filter(name=name):
            one.permissions.add(*wanted)


class Migration(migrations.Migration):
    dependencies = [
        ("recsite", "0008_api_keys_have_rates"),
        ("catalog", "0010_items_have_presentations"),
    ]

    operations = [
        migrations.RunSQL(WATCH, FORGET),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
