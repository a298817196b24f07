"""Count how often a measurement of rules has been begun, so that one that kills its worker ends."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recommender", "0017_pages_have_category_rows")]

    operations = [
        migrations.AddField(
            model_name="ruleimpact",
            name="attempts",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text="How often it was begun."),
        ),
    ]
