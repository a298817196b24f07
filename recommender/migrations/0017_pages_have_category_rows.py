"""Give the home page rows of the categories somebody likes, and have the trending row say where it counts."""

from django.db import migrations, models


def begin(apps, schema_editor):
    placement = apps.get_model("recommender", "Placement")
    placement.objects.filter(name="trending", title="Trending now").update(title="Trending {place}")
    if not placement.objects.filter(name="categories").exists():
        placement.objects.create(
            name="categories", page="home", position=4, recipe="category", title="{category}", limit=20, minimum=4
        )


def end(apps, schema_editor):
    placement = apps.get_model("recommender", "Placement")
    placement.objects.filter(name="trending", title="Trending {place}").update(title="Trending now")
    placement.objects.filter(name="categories", recipe="category").delete()


class Migration(migrations.Migration):
    dependencies = [("recommender", "0016_rules_note_when_they_serve")]

    operations = [
        migrations.AlterField(
            model_name="placement",
            name="title",
            field=models.CharField(
                max_length=200,
                help_text="Above the row. {seed} stands for the title of the item that the row is about, {category} "
                "for its category, {place} for “in France” where the visitor's country is known and “now” elsewhere.",
            ),
        ),
        migrations.RunPython(begin, end),
    ]
