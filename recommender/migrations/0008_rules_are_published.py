"""Carry over what editors had written, and publish it: what served before serves on."""

from django.db import migrations


def carry_over(apps, schema_editor):
    rule_model = apps.get_model("recommender", "Rule")
    published = []
    for rule in rule_model.objects.order_by("pk").select_related("placement"):
        if rule.item_id is not None:
            apps.get_model("recommender", "RuleItem").objects.create(rule=rule, item_id=rule.item_id)
        clauses = [(field, value) for field, value in (("category", rule.category), ("tag", rule.tag)) if value]
        for field, value in clauses:
            apps.get_model("recommender", "RuleClause").objects.create(rule=rule, field=field, values=[value])
        if rule.placement is not None:
            rule.placements.add(rule.placement)
        if rule.is_active:
            published.append(as_data(rule, clauses))
    if published:
        versions = apps.get_model("recommender", "RuleSetVersion").objects
        version = versions.create(rules=published, state="published", note="Carried over from an earlier recsite.")
        apps.get_model("recommender", "ActiveRules").objects.create(alias="default", version=version)


def as_data(rule, clauses):
    schedule = {"since": rule.active_from, "until": rule.active_until}
    return {
        "pk": rule.pk,
        "action": rule.action,
        "name": rule.name,
        "priority": rule.priority,
        "items": [] if rule.item_id is None else [rule.item_id],
        "where": [{"field": field, "operator": "is", "values": [value]} for field, value in clauses],
        "position": rule.position or 0,
        "multiplier": rule.multiplier,
        "audience": {"placements": [rule.placement.name] if rule.placement is not None else []},
        "schedule": {name: moment.timestamp() for name, moment in schedule.items() if moment is not None},
    }


class Migration(migrations.Migration):
    dependencies = [("recommender", "0007_rules_have_versions")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
