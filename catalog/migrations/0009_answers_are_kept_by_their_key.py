"""Keep the answers of requests that came with an `Idempotency-Key`, for a day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_find_items_by_their_words")]

    operations = [
        migrations.CreateModel(
            name="AnsweredRequest",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("asked", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("answer", models.TextField()),
                ("answered_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
        ),
    ]
