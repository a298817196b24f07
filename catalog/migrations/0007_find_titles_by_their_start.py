"""Find the items whose title begins with what an editor types, beside those of its words (the trigrams)."""

from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY: items are written while it is built, and it cannot be part of a transaction.
    atomic = False

    dependencies = [("catalog", "0006_items_know_their_revision")]

    operations = [
        AddIndexConcurrently(
            model_name="item",
            index=models.Index(OpClass(Upper("title"), name="text_pattern_ops"), name="item_title_start"),
        ),
    ]
