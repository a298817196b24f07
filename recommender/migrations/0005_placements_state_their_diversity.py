import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recommender", "0004_placements_may_explore"),
    ]

    operations = [
        migrations.AddField(
            model_name="placement",
            name="diversity",
            field=models.FloatField(
                blank=True,
                help_text="0: only the best-scored items. 1: nothing but variety. Empty: as the recipe has it.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)],
            ),
        ),
    ]
