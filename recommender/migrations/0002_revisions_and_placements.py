"""Raise the revisions of rules and of the model pointer, and make the placements every site starts with."""

from django.db import migrations

from catalog import revisions

PLACEMENTS = [
    # name, page, position, recipe, title, limit, minimum
    ("homepage", "home", 0, "personalized", "For you", 20, 4),
    ("because_you_watched", "home", 1, "because_you_watched", "Because you watched {seed}", 20, 4),
    ("trending", "home", 2, "trending", "Trending now", 20, 4),
    ("new", "home", 3, "new", "New for you", 20, 4),
    ("product_page", "item", 0, "similar", "Similar to {seed}", 20, 4),
]


def create_placements(apps, schema_editor):
    placement = apps.get_model("recommender", "Placement")
    for name, page, position, recipe, title, limit, minimum in PLACEMENTS:
        placement.objects.create(
            name=name, page=page, position=position, recipe=recipe, title=title, limit=limit, minimum=minimum
        )


class Migration(migrations.Migration):
    dependencies = [("recommender", "0001_initial"), ("catalog", "0002_revisions")]

    operations = [
        migrations.RunSQL(
            revisions.watch_sql("recommender_rule", revisions.RULES)
            + revisions.watch_sql("recommender_placement", revisions.RULES)
            + revisions.watch_sql("recommender_activemodel", revisions.MODEL),
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(create_placements, migrations.RunPython.noop),
    ]
