"""Raise the catalogue's revision with every committed change that a list could show."""

from django.db import migrations

from catalog import revisions

# Not `popularity`: it is refreshed every minute and read with the model, not with the catalogue.
COLUMNS = (
    "item_id, title, description, category, tags, creators, language, countries, image_url, url, duration_minutes, "
    "published_at, available_from, available_until, is_active, attributes"
)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.RunSQL(revisions.RAISE_REVISION_SQL, "DROP FUNCTION raise_revision() CASCADE"),
        migrations.RunSQL(revisions.watch_sql("catalog_item", revisions.CATALOGUE, COLUMNS), migrations.RunSQL.noop),
    ]
