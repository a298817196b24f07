"""Drop what rules were before they had parts. A rule that is being written serves nobody: it raises no revision."""

from django.db import migrations

from catalog import revisions


class Migration(migrations.Migration):
    dependencies = [("recommender", "0008_rules_are_published")]

    operations = [
        migrations.RunSQL(
            "DROP TRIGGER recommender_rule_revision ON recommender_rule;",
            revisions.watch_sql("recommender_rule", revisions.RULES),
        ),
        migrations.RemoveField(
            model_name="rule",
            name="category",
        ),
        migrations.RemoveField(
            model_name="rule",
            name="item",
        ),
        migrations.RemoveField(
            model_name="rule",
            name="placement",
        ),
        migrations.RemoveField(
            model_name="rule",
            name="tag",
        ),
    ]
