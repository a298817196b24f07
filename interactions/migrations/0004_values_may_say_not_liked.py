"""Let a low rating count less than a high one; five-star ratings are liked from three stars on."""

from django.db import migrations, models


def rate_from_three(apps, schema_editor):
    apps.get_model("interactions", "EventType").objects.filter(name="rating").update(liked_from=3.0)


class Migration(migrations.Migration):
    dependencies = [("interactions", "0003_stale_histories")]

    operations = [
        migrations.AddField(
            model_name="eventtype",
            name="liked_from",
            field=models.FloatField(
                blank=True, help_text="An event with a lower value counts a fifth: taken, but not liked.", null=True
            ),
        ),
        migrations.RunPython(rate_from_three, migrations.RunPython.noop),
    ]
