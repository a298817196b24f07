"""Index the impressions that exploration made, so that its budget is counted without reading the others."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("interactions", "0004_values_may_say_not_liked")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX interactions_impression_explored ON interactions_impression (shown_at) INCLUDE (item_id) "
            "WHERE source = 'exploration'",
            "DROP INDEX interactions_impression_explored",
        ),
    ]
