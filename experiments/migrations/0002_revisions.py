"""Raise the experiments' revision with every committed change of one."""

from django.db import migrations

from catalog import revisions


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_initial"), ("catalog", "0002_revisions")]

    operations = [
        migrations.RunSQL(
            revisions.watch_sql("experiments_experiment", revisions.EXPERIMENTS)
            + revisions.watch_sql("experiments_variant", revisions.EXPERIMENTS),
            migrations.RunSQL.noop,
        ),
    ]
