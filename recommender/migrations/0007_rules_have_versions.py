"""Rules in parts, and versions of all of them; what they are today is carried over by the next migration."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from catalog import revisions


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_items_know_their_revision"),
        ("recommender", "0006_rebuilds_note_their_course"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="rule",
            name="at_most",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="Cap: at most so many of one value…", null=True
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="attribute",
            field=models.CharField(
                blank=True,
                default="",
                help_text="category, tag, creator, country, language or attribute.NAME.",
                max_length=100,
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="closes",
            field=models.TimeField(
                blank=True, help_text="… to this one; an earlier one is on the next day.", null=True
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="countries",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=2),
                blank=True,
                default=list,
                help_text="Two letters. Empty: all.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="devices",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=20), blank=True, default=list, help_text="Empty: all.", size=None
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="holdout_percent",
            field=models.FloatField(
                default=0.0, help_text="So many users in a hundred do not get it, so that what it does can be measured."
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="languages",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=16), blank=True, default=list, help_text="Empty: all.", size=None
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="note",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="rule",
            name="opens",
            field=models.TimeField(blank=True, help_text="From this time of day …", null=True),
        ),
        migrations.AddField(
            model_name="rule",
            name="placements",
            field=models.ManyToManyField(blank=True, help_text="Empty: all.", to="recommender.placement"),
        ),
        migrations.AddField(
            model_name="rule",
            name="segments",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=50),
                blank=True,
                default=list,
                help_text="Empty: everybody.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="share_percent",
            field=models.FloatField(
                blank=True, help_text="Promote, or keep for scores: so much of a list, 0 to 100.", null=True
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="slots",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="Promote: so many places of a list.", null=True
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="time_zone",
            field=models.CharField(default="UTC", help_text="Of weekdays and hours: Europe/Paris.", max_length=50),
        ),
        migrations.AddField(
            model_name="rule",
            name="weekdays",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveSmallIntegerField(),
                blank=True,
                default=list,
                help_text="1 Monday … 7 Sunday.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="window",
            field=models.PositiveSmallIntegerField(blank=True, help_text="… in so many places in a row.", null=True),
        ),
        migrations.AlterField(
            model_name="rule",
            name="action",
            field=models.CharField(
                choices=[
                    ("pin", "pin to a position"),
                    ("soft_pin", "pin to a position or before it"),
                    ("promote", "promote: give it places of the list"),
                    ("boost", "boost"),
                    ("bury", "bury"),
                    ("hide", "hide"),
                    ("exclude", "exclude, unless pinned or promoted"),
                    ("include_only", "include only"),
                    ("cap", "cap: at most so many of one value"),
                    ("same_as_seed", "only what shares a value with the item looked at"),
                    ("different_from_seed", "only what shares none with it"),
                    ("organic_share", "keep a share of the list for scores alone"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="rule",
            name="is_active",
            field=models.BooleanField(default=True, help_text="Off: not in the next version."),
        ),
        migrations.AlterField(
            model_name="rule",
            name="multiplier",
            field=models.FloatField(default=1.0, help_text="Boost: above 1. Bury: below 1."),
        ),
        migrations.AlterField(
            model_name="rule",
            name="position",
            field=models.PositiveSmallIntegerField(blank=True, help_text="Pins; 1 is first.", null=True),
        ),
        migrations.AlterField(
            model_name="rule",
            name="priority",
            field=models.IntegerField(default=0, help_text="The higher wins; of equals the older rule."),
        ),
        migrations.CreateModel(
            name="RuleClause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "field",
                    models.CharField(
                        help_text="category, tag, creator, country, language, title, year, age_days, …", max_length=100
                    ),
                ),
                (
                    "operator",
                    models.CharField(
                        choices=[
                            ("is", "is"),
                            ("is_not", "is not"),
                            ("contains", "contains"),
                            ("at_least", "is at least"),
                            ("at_most", "is at most"),
                        ],
                        default="is",
                        max_length=10,
                    ),
                ),
                (
                    "values",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=500),
                        help_text="Any of these, separated by commas.",
                        size=None,
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="clauses", to="recommender.rule"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RuleSetVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rules", models.JSONField(help_text="A list of `rules.vocabulary.RuleSpec`.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("submitted", "waits for a review"),
                            ("rejected", "rejected"),
                            ("published", "has been published"),
                        ],
                        default="submitted",
                        max_length=10,
                    ),
                ),
                ("note", models.TextField(blank=True, default="", help_text="Why.")),
                ("submitted_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("review", models.TextField(blank=True, default="")),
                ("published_at", models.DateTimeField(null=True)),
                (
                    "published_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("publish_rules", "Can publish rules and roll them back")],
            },
        ),
        migrations.CreateModel(
            name="ActiveRules",
            fields=[
                ("alias", models.CharField(default="default", max_length=20, primary_key=True, serialize=False)),
                (
                    "previous",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="recommender.rulesetversion",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="recommender.rulesetversion",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RuleItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("order", models.PositiveSmallIntegerField(default=0)),
                (
                    "item",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="catalog.item"),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="picked", to="recommender.rule"
                    ),
                ),
            ],
            options={
                "ordering": ["order", "id"],
                "constraints": [models.UniqueConstraint(fields=("rule", "item"), name="an_item_once_a_rule")],
            },
        ),
        migrations.RunSQL(
            revisions.watch_sql("recommender_activerules", revisions.RULES),
            "DROP TRIGGER recommender_activerules_revision ON recommender_activerules;",
        ),
    ]
