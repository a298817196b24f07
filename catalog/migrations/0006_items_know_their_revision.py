"""Note with each item the catalogue's revision that changed it, so that a snapshot reads only what is new."""

from django.db import migrations, models

from catalog import revisions

# As in 0002. Not `popularity`: it is refreshed every minute and read with the model, not with the catalogue.
COLUMNS = (
    "item_id, title, description, category, tags, creators, language, countries, image_url, url, duration_minutes, "
    "published_at, available_from, available_until, is_active, attributes"
)

NOTE = f"""
    INSERT INTO catalog_revision (name, value) VALUES ('{revisions.REMOVALS}', 1) ON CONFLICT DO NOTHING;

    -- Before the statement: whoever changes items waits here for the one before him to commit, so that an item's revision
    -- is never below one that a reader may have seen already.
    CREATE FUNCTION begin_item_revision() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE current bigint;
    BEGIN
        IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
            UPDATE catalog_revision SET value = value + 1 WHERE name = '{revisions.REMOVALS}';
        END IF;
        UPDATE catalog_revision SET value = value + 1 WHERE name = '{revisions.CATALOGUE}' RETURNING value INTO current;
        PERFORM set_config('catalog.revision', current::text, true);
        RETURN NULL;
    END $$;

    CREATE FUNCTION note_item_revision() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.revision := current_setting('catalog.revision')::bigint;
        RETURN NEW;
    END $$;

    DROP TRIGGER catalog_item_revision ON catalog_item;
    CREATE TRIGGER catalog_item_revision BEFORE INSERT OR DELETE OR TRUNCATE OR UPDATE OF {COLUMNS} ON catalog_item
    FOR EACH STATEMENT EXECUTE FUNCTION begin_item_revision();
    CREATE TRIGGER catalog_item_revision_of_row BEFORE INSERT OR UPDATE OF {COLUMNS} ON catalog_item
    FOR EACH ROW EXECUTE FUNCTION note_item_revision();
"""
FORGET = f"""
    DROP TRIGGER catalog_item_revision_of_row ON catalog_item;
    DROP TRIGGER catalog_item_revision ON catalog_item;
    DROP FUNCTION note_item_revision();
    DROP FUNCTION begin_item_revision();
    DELETE FROM catalog_revision WHERE name = '{revisions.REMOVALS}';
""" + revisions.watch_sql("catalog_item", revisions.CATALOGUE, COLUMNS)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_embedding_weights_0_or_more")]

    operations = [
        migrations.AddField(
            model_name="item",
            name="revision",
            field=models.BigIntegerField(db_default=0, db_index=True, editable=False),
        ),
        migrations.RunSQL(NOTE, FORGET),
    ]
