"""Let the pointer remember what served before, so that a roll-back knows where to go and retention keeps it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recommender", "0002_revisions_and_placements")]

    operations = [
        migrations.AddField(
            model_name="activemodel",
            name="previous",
            field=models.ForeignKey(
                blank=True,
                help_text="What served before the last publication; a roll-back goes there.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="recommender.modelversion",
            ),
        ),
    ]
