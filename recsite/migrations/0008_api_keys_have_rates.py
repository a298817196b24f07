from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recsite", "0007_work_that_waits_is_found_sooner"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="rate",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="How many it may make, all processes together. Empty: what RATE_LIMITS says of its kind.",
                null=True,
                verbose_name="requests a minute",
            ),
        ),
    ]
