"""Note on what a list was shown: a split that is broken on one device or in one version can be found there."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("interactions", "0007_daily_figures")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE interactions_impression ADD COLUMN device varchar(20) NOT NULL DEFAULT '', "
            "ADD COLUMN app_version varchar(20) NOT NULL DEFAULT ''",
            "ALTER TABLE interactions_impression DROP COLUMN device, DROP COLUMN app_version",
        ),
    ]
