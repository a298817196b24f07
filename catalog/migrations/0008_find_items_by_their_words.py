"""Find items by any of their words, and by language and country: what visitors browse by."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# Titles and names also word by word as they are written: "It" and "Them" are no stop words there.
DOCUMENT = """
    setweight(to_tsvector('simple', {item}.title) || to_tsvector('english', {item}.title), 'A')
    || setweight(to_tsvector('simple', left(array_to_string({item}.creators, ' '), 20000)), 'B')
    || setweight(to_tsvector('english', {item}.category || ' ' || left(array_to_string({item}.tags, ' '), 20000)), 'B')
    || setweight(to_tsvector('english', left({item}.description, 20000)), 'D')
"""
WRITE = f"""
    CREATE FUNCTION write_texts_of_new_items() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO catalog_itemtext (item_id, document) SELECT added.id, {DOCUMENT.format(item="added")} FROM added
        ON CONFLICT (item_id) DO UPDATE SET document = excluded.document;
        RETURN NULL;
    END $$;
    CREATE FUNCTION write_text_of_item() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO catalog_itemtext (item_id, document) VALUES (NEW.id, {DOCUMENT.format(item="NEW")})
        ON CONFLICT (item_id) DO UPDATE SET document = excluded.document;
        RETURN NULL;
    END $$;
    CREATE TRIGGER catalog_item_text_added AFTER INSERT ON catalog_item
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION write_texts_of_new_items();
    CREATE TRIGGER catalog_item_text_changed AFTER UPDATE OF title, description, creators, tags, category ON catalog_item
        FOR EACH ROW WHEN (
            (OLD.title, OLD.description, OLD.creators, OLD.tags, OLD.category)
            IS DISTINCT FROM (NEW.title, NEW.description, NEW.creators, NEW.tags, NEW.category)
        ) EXECUTE FUNCTION write_text_of_item();
"""
WRITE_NO_MORE = """
    DROP TRIGGER catalog_item_text_changed ON catalog_item;
    DROP TRIGGER catalog_item_text_added ON catalog_item;
    DROP FUNCTION write_text_of_item;
    DROP FUNCTION write_texts_of_new_items;
"""
GO_WITH_THE_ITEM = """
    ALTER TABLE catalog_itemtext ADD FOREIGN KEY (item_id) REFERENCES catalog_item (id) ON DELETE CASCADE
"""
# After the triggers: what is written meanwhile is there already.
FILL = f"""
    INSERT INTO catalog_itemtext (item_id, document)
    SELECT item.id, {DOCUMENT.format(item="item")} FROM catalog_item item ON CONFLICT (item_id) DO NOTHING
"""


class Migration(migrations.Migration):
    # Items are written while the texts are filled in and the indexes built.
    atomic = False

    dependencies = [("catalog", "0007_find_titles_by_their_start")]

    operations = [
        migrations.CreateModel(
            name="ItemText",
            fields=[
                (
                    "item",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="catalog.item",
                    ),
                ),
                ("document", django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        migrations.RunSQL(GO_WITH_THE_ITEM, migrations.RunSQL.noop),
        migrations.RunSQL(WRITE, WRITE_NO_MORE),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="itemtext",
            index=django.contrib.postgres.indexes.GinIndex(fields=["document"], name="item_text"),
        ),
        AddIndexConcurrently(model_name="item", index=models.Index(fields=["language"], name="item_language")),
        AddIndexConcurrently(
            model_name="item",
            index=django.contrib.postgres.indexes.GinIndex(fields=["countries"], name="item_countries"),
        ),
    ]
