"""Note in whose hands placements are put, as every other write in admin."""

from django.db import migrations

TABLE = "recommender_placement_editors"


class Migration(migrations.Migration):
    dependencies = [
        ("recsite", "0002_admin_writes_are_noted"),
        ("recommender", "0012_placements_are_in_hands"),
    ]

    operations = [
        migrations.RunSQL(
            f"""
            CREATE TRIGGER {TABLE}_audit AFTER INSERT OR UPDATE OR DELETE ON {TABLE}
            FOR EACH ROW WHEN (current_setting('recsite.actor', true) <> '') EXECUTE FUNCTION note_admin_write();
            """,
            f"DROP TRIGGER {TABLE}_audit ON {TABLE};",
        )
    ]
