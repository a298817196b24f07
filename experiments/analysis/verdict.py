"""One or two sentences a product manager can act on."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.analysis.findings import Arm, Comparison, Decision, MetricResult, Report, SampleRatio
from experiments.analysis.sample import Effect

MINIMUM_USERS = 150
"""Users an arm below which nothing is concluded: the normal approximation is not to be trusted (GrowthBook's)."""


def tell(
    *, arms: Sequence[Arm], ratio: SampleRatio, metrics: Sequence[MetricResult], alpha: float, is_final: bool
) -> tuple[Decision, str]:
    """Return the decision and its sentence, from the split and the primary metric (the first of `metrics`).

    `is_final`: the sentence gives the fixed-horizon interval; else the always-valid one.
    """
    if ratio.is_broken:
        return "broken", (
            f"Do not use these results: {_sizes(arms)} do not fit the weights (p = {ratio.p:.2g}), "
            "so users of one variant are lost or counted twice. Find out why, then begin a new phase."
        )
    smallest = min(arm.users for arm in arms if arm.weight > 0)
    if smallest < MINIMUM_USERS:
        return "too_early", f"Too early to say: {_sizes(arms)}; each variant needs {MINIMUM_USERS} at least."
    primary = metrics[0]
    significant = [comparison for comparison in primary.comparisons if comparison.p_adjusted < alpha]
    if not significant:
        return "no_difference", _undecided(primary)
    gains = [comparison for comparison in significant if _is_gain(comparison, primary)]
    chosen = max(gains or significant, key=lambda comparison: abs(comparison.absolute.estimate))
    decision: Decision = "better" if gains else "worse"
    control = next(arm.variant for arm in arms if arm.weight > 0)
    return decision, (
        f"{chosen.variant} is {decision} than {control} in {primary.name}: "
        f"{_effect(primary, control, chosen, is_final)} "
        f"({1 - alpha:.0%} interval {_interval(primary, chosen, is_final)})."
        + _harmed_guardrails(metrics[1:], chosen.variant, alpha)
    )


def tell_preference(report: Report, *, higher_is_better: bool) -> tuple[Decision, str]:
    """Return the decision and its sentence of lists that mix variants."""
    control = next(arm for arm in report.arms if arm.weight > 0)
    if control.users < MINIMUM_USERS:
        return "too_early", (
            f"Too early to say: {control.users:,} users have seen the mixed lists; {MINIMUM_USERS} are needed."
        )
    clear = [one for one in report.preferences if one.low > 0 or one.high < 0]
    if not clear:
        return (
            "no_difference",
            f"Users prefer neither {control.variant} nor another variant yet.",
        )
    wins = [one for one in clear if (one.lead > 0) == higher_is_better]
    chosen = max(wins or clear, key=lambda one: abs(one.lead))
    return "better" if wins else "worse", (
        f"{chosen.variant} is {'preferred to' if chosen.lead > 0 else 'chosen less than'} {control.variant}: "
        f"{chosen.share:.0%} of the users who chose more of one chose more of its places "
        f"(lead {chosen.lead:+.2f}, {1 - report.alpha:.0%} interval {chosen.low:+.2f} to {chosen.high:+.2f})."
    )


def _sizes(arms: Sequence[Arm]) -> str:
    return ", ".join(f"{arm.variant} has {arm.users:,} users" for arm in arms if arm.weight > 0)


def _is_gain(comparison: Comparison, metric: MetricResult) -> bool:
    return (comparison.absolute.estimate > 0) == metric.higher_is_better


def _effect(metric: MetricResult, control: str, comparison: Comparison, is_final: bool) -> str:
    means = {arm.variant: arm.mean for arm in metric.arms}
    if metric.kind == "proportion":
        change = f"{100 * _difference(comparison, is_final).estimate:+.1f} points"
        return f"{means[comparison.variant]:.1%} of users instead of {means[control]:.1%}, {change}"
    change = f"{_difference(comparison, is_final).estimate:+.3g}"
    return f"{means[comparison.variant]:.3g} a user instead of {means[control]:.3g}, {change}"


def _interval(metric: MetricResult, comparison: Comparison, is_final: bool) -> str:
    effect = _difference(comparison, is_final)
    if metric.kind == "proportion":
        return f"{100 * effect.low:+.1f} to {100 * effect.high:+.1f}"
    return f"{effect.low:+.3g} to {effect.high:+.3g}"


def _difference(comparison: Comparison, is_final: bool) -> Effect:
    return comparison.absolute if is_final else comparison.absolute_always


def _undecided(primary: MetricResult) -> str:
    messages = {comparison.absolute.message for comparison in primary.comparisons} - {""}
    if messages:
        return f"No difference in {primary.name} can be computed. " + " ".join(sorted(messages))
    return f"No difference in {primary.name} has been shown yet."


def _harmed_guardrails(guardrails: Sequence[MetricResult], variant: str, alpha: float) -> str:
    harmed = [
        metric.name
        for metric in guardrails
        for comparison in metric.comparisons
        if comparison.variant == variant and comparison.p_adjusted < alpha and not _is_gain(comparison, metric)
    ]
    return f" But it is worse in {', '.join(harmed)}." if harmed else ""
