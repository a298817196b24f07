"""A version tried beside the one that serves, for people: the form, what came of it, and drawings."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from recommender import metric_charts
from recommender.metric_charts import Chart, Measured
from recommender.models import ModelVersion, Shadow
from recommender.registry import publishing
from recommender.shadowing.report import Estimate, OfLists, Report, report


class ShadowForm(forms.Form):
    """For how many users."""

    percent = forms.IntegerField(
        label="Percentage of users",
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        widget=UnfoldAdminIntegerFieldWidget,
        initial=5,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How alike the lists of one placement are, as text."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template prints."""

    version: ModelVersion
    serving: str
    """Name of the version that serves; empty when none does."""
    obstacle: str
    """Why it cannot shadow; empty when it can."""
    other: Shadow | None
    """Another version that shadows now."""
    trial: Shadow | None
    """The newest trial of this version."""
    report: Report | None
    alike: tuple[Line, ...]
    ndcg: Chart | None
    hits: Chart | None
    ndcg_change: str
    hits_change: str

    @property
    def running(self) -> bool:
        """Whether this version shadows now."""
        return self.trial is not None and self.trial.stopped_at is None


def page(version: ModelVersion) -> Page:
    """Return what there is to say of `version` as a shadow."""
    held = publishing.pointer()
    serving = "" if held is None else held.version.name
    trial = Shadow.objects.filter(version=version).first()
    running = Shadow.objects.filter(stopped_at=None).exclude(version=version).select_related("version").first()
    found = report(trial) if trial is not None else None
    replayed = found.replayed if found is not None else None
    return Page(
        version=version,
        serving=serving,
        obstacle=_obstacle(version, serving),
        other=running,
        trial=trial,
        report=found,
        alike=tuple(_line(one) for one in (found.all_lists, *found.placements)) if found else (),
        ndcg=_chart(replayed.live_ndcg, replayed.shadow_ndcg, serving, version) if replayed else None,
        hits=_chart(replayed.live_hits, replayed.shadow_hits, serving, version) if replayed else None,
        ndcg_change=_change(replayed.ndcg_change) if replayed else "",
        hits_change=_change(replayed.hits_change) if replayed else "",
    )


def _line(one: OfLists) -> Line:
    shares = (one.overlap, one.identical, one.empty, one.live_fallback, one.shadow_fallback)
    overlap, *others = (f"{share:.0%}" for share in shares)
    name = "all" if one.placement is None else one.placement or "no placement"
    return Line(name=name, cells=(f"{one.lists:,}", overlap, f"{one.rank_biased_overlap:.2f}", *others))


def _change(one: Estimate) -> str:
    """Say a difference with its interval, and whether it is sure."""
    sure = "surely less" if one.high < 0 else "surely more" if one.low > 0 else "may be chance"
    return f"{one.mean:+.3f} ({one.low:+.3f} to {one.high:+.3f}, {sure})"


def _obstacle(version: ModelVersion, serving: str) -> str:
    if version.name == serving:
        return f"{version.name} serves: there is nothing to compare it with."
    if version.state != ModelVersion.State.READY:
        return f"{version.name} is {version.get_state_display()}: only a ready version can shadow."
    return ""


def _chart(live: Estimate, shadow: Estimate, serving: str, version: ModelVersion) -> Chart:
    names = (f"live ({serving})" if serving != version.name else "live then", version.name)
    return metric_charts.comparison(
        [
            Measured(name=name, value=one.mean, low=one.low, high=one.high, role=role)
            for name, one, role in zip(names, (live, shadow), ("", "main"), strict=True)
        ]
    )
