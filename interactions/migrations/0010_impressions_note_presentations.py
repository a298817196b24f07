"""Note on an impression under which of several titles and pictures its item was shown, and how probable that was."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("interactions", "0009_consents_have_times")]

    operations = [
        # Without defaults: no row is written anew, and one without a choice is no longer than before.
        migrations.RunSQL(
            "ALTER TABLE interactions_impression ADD COLUMN presentation bigint, "
            "ADD COLUMN presentation_propensity real",
            "ALTER TABLE interactions_impression DROP COLUMN presentation, DROP COLUMN presentation_propensity",
        ),
        migrations.RunSQL(
            "CREATE INDEX interactions_impression_presented ON interactions_impression (shown_at) "
            "WHERE presentation IS NOT NULL",
            "DROP INDEX interactions_impression_presented",
        ),
    ]
