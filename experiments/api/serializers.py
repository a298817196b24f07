"""The shape of the report in the OpenAPI schema; the values come from `experiments.analysis.findings` as they are."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

Serializer = serializers.Serializer[Any]


class EffectSerializer(Serializer):
    """An estimate with its interval."""

    estimate = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    standard_error = serializers.FloatField()
    p = serializers.FloatField()
    message = serializers.CharField(help_text="Why there is no test; empty when there is one.")


class ComparisonSerializer(Serializer):
    """A variant against the control."""

    variant = serializers.CharField()
    relative = EffectSerializer(help_text="Share of the control's mean; fixed horizon.")
    absolute = EffectSerializer(help_text="In the metric's unit; fixed horizon.")
    relative_always = EffectSerializer(help_text="Valid at every look.")
    absolute_always = EffectSerializer(help_text="Valid at every look.")
    p_adjusted = serializers.FloatField()
    chance_to_win = serializers.FloatField()
    risk = serializers.FloatField(help_text="Lost on average by taking the variant should it be the lower one.")


class ArmValueSerializer(Serializer):
    """A variant's value of a metric."""

    variant = serializers.CharField()
    users = serializers.IntegerField()
    mean = serializers.FloatField()


class MetricResultSerializer(Serializer):
    """One metric over all variants."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["proportion", "mean", "ratio"])
    is_primary = serializers.BooleanField()
    higher_is_better = serializers.BooleanField()
    arms = ArmValueSerializer(many=True)
    comparisons = ComparisonSerializer(many=True)


class SampleRatioSerializer(Serializer):
    """Whether the arms have the sizes they were meant to have."""

    p = serializers.FloatField()
    is_broken = serializers.BooleanField()
    is_testable = serializers.BooleanField()


class ArmSerializer(Serializer):
    """A variant's part in the split."""

    variant = serializers.CharField()
    weight = serializers.FloatField()
    users = serializers.IntegerField()
    expected_users = serializers.FloatField()


class LookSerializer(Serializer):
    """What the primary metric said at the end of a day."""

    day = serializers.DateField()
    users = serializers.DictField(child=serializers.IntegerField())
    effects = serializers.DictField(child=EffectSerializer(), help_text="By variant; valid at every look.")


class SegmentSerializer(Serializer):
    """The primary metric in one country."""

    country = serializers.CharField(allow_blank=True)
    arms = ArmValueSerializer(many=True)
    comparisons = ComparisonSerializer(many=True)


class SplitOfSerializer(Serializer):
    """The split among the users with one value of a dimension."""

    dimension = serializers.ChoiceField(choices=["country", "device", "app_version"])
    value = serializers.CharField(allow_blank=True)
    users = serializers.DictField(child=serializers.IntegerField())
    p = serializers.FloatField()


class PreferenceSerializer(Serializer):
    """A variant against the control in lists that mix them."""

    variant = serializers.CharField()
    users_for_control = serializers.IntegerField()
    users_for_variant = serializers.IntegerField()
    ties = serializers.IntegerField()
    share = serializers.FloatField(help_text="Of the users with a preference.")
    lead = serializers.FloatField(help_text="Mean over users of (variant's - control's) / both places chosen.")
    low = serializers.FloatField(help_text="Interval of the lead, valid at every look.")
    high = serializers.FloatField()
    p_sign = serializers.FloatField(help_text="Exact sign test of one look.")
    p_t = serializers.FloatField(help_text="Paired t-test of one look.")


class ReportSerializer(Serializer):
    """The report of one phase."""

    experiment_id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["split", "interleaving"])
    status = serializers.ChoiceField(choices=["draft", "running", "stopped"])
    phase = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    generated_at = serializers.DateTimeField()
    alpha = serializers.FloatField()
    planned_users = serializers.IntegerField(allow_null=True)
    is_final = serializers.BooleanField()
    decision = serializers.ChoiceField(choices=["broken", "too_early", "no_difference", "better", "worse"])
    verdict = serializers.CharField()
    sample_ratio = SampleRatioSerializer()
    arms = ArmSerializer(many=True)
    multiple_users = serializers.IntegerField()
    warnings = serializers.ListField(child=serializers.CharField())
    metrics = MetricResultSerializer(many=True, help_text="Primary first; empty while the split is broken.")
    preferences = PreferenceSerializer(many=True, help_text="Of interleaved lists, which have no metrics.")
    users_needed = serializers.IntegerField(allow_null=True, help_text="A variant, to find the effect declared.")
    looks = LookSerializer(many=True, help_text="One a day.")
    segments = SegmentSerializer(many=True, help_text="The primary metric by country; decides nothing.")
    split_by = SplitOfSerializer(many=True, help_text="Where a broken split is broken.")
