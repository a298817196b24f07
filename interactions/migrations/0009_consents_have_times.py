"""When a person decided about being recorded, and which text he was shown.

Both columns may be left out by writers that do not know them: code of the version before runs on.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("interactions", "0008_impressions_note_device_and_version")]

    operations = [
        migrations.AddField(
            model_name="userprofile",
            name="consent_at",
            field=models.DateTimeField(blank=True, help_text="When he last said so; empty: never asked.", null=True),
        ),
        migrations.AddField(
            model_name="userprofile",
            name="consent_version",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Of the text he was shown.", max_length=50
            ),
        ),
    ]
