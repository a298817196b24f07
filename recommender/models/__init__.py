"""What editors steer (placements, rules) and what rebuilds leave behind (versions, jobs, shadows)."""

from recommender.models.placements import Placement
from recommender.models.rule_versions import ActiveRules, RuleEffect, RuleImpact, RuleSetVersion, ServedRules
from recommender.models.rules import Rule, RuleClause, RuleItem
from recommender.models.shadows import Shadow, ShadowList
from recommender.models.versions import ActiveModel, ModelVersion, RebuildJob, RebuildRequest

__all__ = [
    "ActiveModel",
    "ActiveRules",
    "ModelVersion",
    "Placement",
    "RebuildJob",
    "RebuildRequest",
    "Rule",
    "RuleClause",
    "RuleEffect",
    "RuleImpact",
    "RuleItem",
    "RuleSetVersion",
    "ServedRules",
    "Shadow",
    "ShadowList",
]
