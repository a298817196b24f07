"""Note who tries versions beside the one that serves, and who asks for rebuilds."""

from django.db import migrations

TABLES = ["recommender_rebuildrequest", "recommender_shadow"]
WATCH = "".join(
    f"""
    CREATE TRIGGER {table}_audit AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW WHEN (current_setting('recsite.actor', true) <> '') EXECUTE FUNCTION note_admin_write();
    """
    for table in TABLES
)
FORGET = "".join(f"DROP TRIGGER {table}_audit ON {table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [
        ("recsite", "0004_roles"),
        ("recommender", "0015_versions_are_shadowed"),
    ]

    operations = [migrations.RunSQL(WATCH, FORGET)]
