"""Let placements state a fallback, freshness, a dedupe group, how long lists are kept, and in whose hands they are."""

import django.core.validators
from django.db import migrations, models

MAY = {
    "Reviewers": ["edit_every_placement", "add_placement"],
    "ML engineers": ["edit_every_placement", "add_placement", "change_placement"],
}


def grant_permissions(apps, schema_editor):
    # Permissions are otherwise made only when all migrations have run.
    from django.apps import apps as real_apps
    from django.contrib.auth.management import create_permissions

    create_permissions(real_apps.get_app_config("recommender"), verbosity=0, using=schema_editor.connection.alias)
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, codenames in MAY.items():
        # A site may have done away with the group.
        for found in group.objects.filter(name=name):
            found.permissions.add(
                *permission.objects.filter(content_type__app_label="recommender", codename__in=codenames)
            )


class Migration(migrations.Migration):
    dependencies = [("recommender", "0011_impacts_are_measured"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.AlterModelOptions(
            name="placement",
            options={
                "ordering": ["page", "position", "name"],
                "permissions": [("edit_every_placement", "Can edit placements in the hands of any group")],
            },
        ),
        migrations.AddField(
            model_name="placement",
            name="cache_seconds",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="How long a list may be shown again to the same person while nothing changes. 0: made anew each time. Empty: as RECOMMENDER_RESULT_CACHE says.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(86400)],
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="dedupe_group",
            field=models.SlugField(
                blank=True,
                default="",
                help_text="Rows of one page with the same word here repeat none of each other's items. Empty: all rows of the page that are empty here.",
                max_length=100,
                verbose_name="repeat no item of",
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="editors",
            field=models.ManyToManyField(
                blank=True,
                help_text="Only members of these groups may change it, and rules that are for it. None: everybody whose role allows it.",
                related_name="+",
                to="auth.group",
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="fallback",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Answers when the recipe above cannot, and fills the row up when it finds fewer than the minimum. Empty: the recipe's own fallback answers when nothing is found, and nothing is filled up.",
                max_length=100,
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="freshness",
            field=models.FloatField(
                blank=True,
                help_text="0: age does not matter. 1: an item counts half after a month. Empty: as the recipe has it.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)],
            ),
        ),
        migrations.AlterField(
            model_name="placement",
            name="is_active",
            field=models.BooleanField(default=True, help_text="Off: it is shown nowhere."),
        ),
        migrations.AlterField(
            model_name="placement",
            name="limit",
            field=models.PositiveSmallIntegerField(
                default=20,
                help_text="1 to 100.",
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)],
                verbose_name="number of items",
            ),
        ),
        migrations.AlterField(
            model_name="placement",
            name="minimum",
            field=models.PositiveSmallIntegerField(
                default=4, help_text="With fewer items a page does not show the row."
            ),
        ),
        migrations.AlterField(
            model_name="placement",
            name="name",
            field=models.SlugField(
                help_text="What templates and the API call it. It cannot be changed later.", max_length=100, unique=True
            ),
        ),
        migrations.AlterField(
            model_name="placement",
            name="page",
            field=models.SlugField(default="home", help_text="The page on which it stands.", max_length=100),
        ),
        migrations.AlterField(
            model_name="placement",
            name="position",
            field=models.PositiveSmallIntegerField(default=0, help_text="Order on the page, 0 is first."),
        ),
        migrations.AlterField(
            model_name="placement",
            name="recipe",
            field=models.CharField(help_text="How its items are found: a key of RECOMMENDER_RECIPES.", max_length=100),
        ),
        migrations.AlterField(
            model_name="placement",
            name="title",
            field=models.CharField(
                help_text="Above the row. {seed} stands for the title of the item that the row is about.",
                max_length=200,
            ),
        ),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop),
    ]
