"""Note every row that is changed in admin, and let nobody change or delete a note."""

from django.db import migrations, models

TABLES = [
    "auth_group",
    "auth_group_permissions",
    "auth_user",
    "auth_user_groups",
    "auth_user_user_permissions",
    "catalog_embeddingspace",
    "catalog_item",
    "experiments_experiment",
    "experiments_metric",
    "experiments_phase",
    "experiments_variant",
    "interactions_eventtype",
    "recommender_activemodel",
    "recommender_activerules",
    "recommender_modelversion",
    "recommender_placement",
    "recommender_rule",
    "recommender_rule_placements",
    "recommender_ruleclause",
    "recommender_ruleitem",
    "recommender_rulesetversion",
    "recsite_apikey",
]
SECRETS = "{password,sha256}"

NOTE = f"""
    CREATE FUNCTION note_admin_write() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - '{SECRETS}'::text[] END;
        is_now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - '{SECRETS}'::text[] END;
    BEGIN
        IF was IS DISTINCT FROM is_now THEN
            INSERT INTO recsite_auditentry (at, actor, "table", action, "row", before, after) VALUES (
                clock_timestamp(), left(current_setting('recsite.actor', true), 150), TG_TABLE_NAME, lower(TG_OP),
                left(coalesce(is_now ->> 'id', was ->> 'id', is_now ->> 'alias', was ->> 'alias', ''), 100), was, is_now
            );
        END IF;
        RETURN NULL;
    END $$;

    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit entries are never changed or deleted';
    END $$;

    CREATE TRIGGER recsite_auditentry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON recsite_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
"""
WATCH = "".join(
    f"""
    CREATE TRIGGER {table}_audit AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW WHEN (current_setting('recsite.actor', true) <> '') EXECUTE FUNCTION note_admin_write();
    """
    for table in TABLES
)
FORGET = "".join(f"DROP TRIGGER {table}_audit ON {table};" for table in TABLES) + (
    "DROP TRIGGER recsite_auditentry_stays ON recsite_auditentry;"
    "DROP FUNCTION refuse_audit_change(); DROP FUNCTION note_admin_write();"
)


class Migration(migrations.Migration):
    dependencies = [
        ("recsite", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0006_items_know_their_revision"),
        ("experiments", "0004_find_exposures_by_unit"),
        ("interactions", "0006_item_scores"),
        ("recommender", "0011_impacts_are_measured"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(help_text="Who was signed in.", max_length=150)),
                ("table", models.CharField(max_length=100)),
                (
                    "action",
                    models.CharField(
                        choices=[("insert", "added"), ("update", "changed"), ("delete", "deleted")], max_length=10
                    ),
                ),
                ("row", models.CharField(help_text="Primary key.", max_length=100)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["table", "row"], name="audit_of_a_row"),
                    models.Index(fields=["actor"], name="audit_of_somebody"),
                ],
            },
        ),
        migrations.RunSQL(NOTE + WATCH, FORGET),
    ]
