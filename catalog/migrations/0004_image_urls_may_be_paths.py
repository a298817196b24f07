"""Let an image's address be a path of the site, as `catalog.records` does. The column stays as it is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_embedding_dimensions_64_to_1024")]

    operations = [
        migrations.AlterField(
            model_name="item",
            name="image_url",
            field=models.CharField(blank=True, default="", help_text="http(s)://… or /path.", max_length=1000),
        ),
        migrations.AlterField(
            model_name="item",
            name="url",
            field=models.CharField(
                blank=True,
                default="",
                help_text="http(s)://… or /path. Empty: the site's own item page.",
                max_length=1000,
            ),
        ),
    ]
