"""Make the groups of people who work in admin; a site may change what they may."""

from django.db import migrations

RULE_PARTS = ["rule", "ruleitem", "ruleclause"]
SEEN_BY_ALL = [*RULE_PARTS, "placement", "rulesetversion", "modelversion", "rebuildjob", "activemodel", "activerules"]
GROUPS = {
    "Viewers": [f"view_{name}" for name in SEEN_BY_ALL],
    "Editors": [
        *(f"view_{name}" for name in SEEN_BY_ALL),
        *(f"{verb}_{name}" for verb in ("add", "change", "delete") for name in RULE_PARTS),
        "change_placement",
    ],
    "Reviewers": [
        *(f"view_{name}" for name in SEEN_BY_ALL),
        *(f"{verb}_{name}" for verb in ("add", "change", "delete") for name in RULE_PARTS),
        "change_placement",
        "publish_rules",
    ],
    "ML engineers": [*(f"view_{name}" for name in SEEN_BY_ALL), "change_modelversion"],
}


def make_groups(apps, schema_editor):
    # Permissions are otherwise made only when all migrations have run.
    from django.apps import apps as real_apps
    from django.contrib.auth.management import create_permissions

    for label in ("recommender", "catalog"):
        create_permissions(real_apps.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, codenames in GROUPS.items():
        made, _ = group.objects.get_or_create(name=name)
        wanted = permission.objects.filter(content_type__app_label="recommender", codename__in=codenames)
        items = permission.objects.filter(content_type__app_label="catalog", codename="view_item")
        made.permissions.add(*wanted, *items)


class Migration(migrations.Migration):
    dependencies = [
        ("recommender", "0009_rules_are_drafts"),
        ("catalog", "0006_items_know_their_revision"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
