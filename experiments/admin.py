"""Experiments in the admin. What is declared before the start cannot be edited after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action

from experiments import forecast_page, forecasts, lifecycle, record_admin
from experiments.analysis.planning import DAYS, Plan, plan
from experiments.analysis.report import report
from experiments.change_forms import CoverageForm, WeightsForm
from experiments.exceptions import ExperimentRefused, UnknownExperiment
from experiments.models import Experiment, Variant
from experiments.report_csv import csv_of
from experiments.report_page import page

__all__ = ["record_admin"]

DECLARED = (
    "experiment_id",
    "kind",
    "placement",
    "countries",
    "segments",
    "layer",
    "layer_start",
    "layer_end",
    "sticky",
    "coverage",
    "primary_metric",
    "guardrails",
    "alpha",
    "planned_users",
    "minimum_effect",
    "correction",
    "lookback_days",
)
"""Fixed by the start: an analysis chosen after the data are seen proves nothing."""


class VariantInline(TabularInline):  # type: ignore[misc]
    """Arms; editable while the experiment is a draft."""

    model = Variant
    extra = 0
    fields: ClassVar = ["name", "position", "weight", "configuration"]

    def has_add_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        """Allow new arms in a draft only."""
        return _is_draft(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        """Allow changed arms in a draft only; weights of a running one change by "Change weights"."""
        return _is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        """Allow removed arms in a draft only."""
        return _is_draft(obj) and super().has_delete_permission(request, obj)


@admin.register(Experiment)
class ExperimentAdmin(ModelAdmin):  # type: ignore[misc]
    """Create, start, stop, ramp and read experiments."""

    list_display: ClassVar = ["name", "experiment_id", "placement", "status", "phase", "started_at", "stopped_at"]
    list_filter: ClassVar = ["status", "placement"]
    search_fields: ClassVar = ["name", "experiment_id"]
    readonly_fields: ClassVar = ["status", "phase", "started_at", "stopped_at"]
    fieldsets: ClassVar = [
        (None, {"fields": ["name", "experiment_id", "kind", "placement"]}),
        ("Who takes part", {"fields": ["coverage", "countries", "segments", "sticky"]}),
        ("Layer", {"fields": ["layer", "layer_start", "layer_end"], "classes": ["collapse"]}),
        ("What counts as success", {"fields": ["primary_metric", "guardrails", "minimum_effect", "planned_users"]}),
        ("Statistics", {"fields": ["alpha", "correction", "lookback_days"], "classes": ["collapse"]}),
        ("State", {"fields": ["status", "phase", "started_at", "stopped_at"]}),
    ]
    autocomplete_fields: ClassVar = ["guardrails"]
    inlines: ClassVar = [VariantInline]
    actions_detail: ClassVar = [
        "report_page",
        "forecast_page",
        "start_page",
        "coverage_page",
        "weights_page",
        "stop_page",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Experiment | None = None) -> list[str]:
        """Return the fields that can no longer be edited."""
        return [*self.readonly_fields, *(() if _is_draft(obj) else DECLARED)]

    def has_delete_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        """Keep a running experiment from being deleted."""
        is_running = obj is not None and obj.status == Experiment.Status.RUNNING
        return not is_running and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> Any:
        """Leave out "delete selected": it would take running ones along."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_start_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Show "Start" on what is not running."""
        return self.has_change_permission(request) and _status(object_id) in ("draft", "stopped")

    def has_stop_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Show "Stop" and "Change weights" on what is running."""
        return self.has_change_permission(request) and _status(object_id) == "running"

    def has_read_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Show "Report" on what has been started."""
        return self.has_view_permission(request) and _status(object_id) in ("running", "stopped")

    @action(description="Report", url_path="report", permissions=["read"])
    def report_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what the experiment says so far."""
        experiment = self._experiment(object_id)
        phase = request.GET.get("phase", "")
        try:
            found = report(experiment.experiment_id, int(phase) if phase.isdecimal() and len(phase) < 10 else None)
        except UnknownExperiment as error:
            raise Http404(str(error)) from error
        if request.GET.get("format") == "csv":
            name = f"{experiment.experiment_id}-phase-{found.phase}.csv"
            answer = HttpResponse(csv_of(found), content_type="text/csv; charset=utf-8")
            answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
            return answer
        context = self._context(request, experiment, f"Report: {experiment.name}")
        context |= {"report": found, "page": page(found), "phases": range(1, experiment.phase + 1)}
        return render(request, "admin/experiments/report.html", context)

    @action(description="Forecast…", url_path="forecast", permissions=["start"])
    def forecast_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what its variants would earn by what was logged; on POST ask for that."""
        experiment = self._experiment(object_id)
        if request.method == "POST":
            forecasts.ask(experiment, request.user)
            return HttpResponseRedirect(request.path)
        newest = forecasts.newest(experiment)
        found = forecasts.found(newest)
        context = self._context(request, experiment, f"Forecast: {experiment.name}")
        context |= {"forecast": newest, "page": None if found is None else forecast_page.page(found)}
        return render(request, "admin/experiments/forecast.html", context)

    @action(description="Start…", url_path="start", permissions=["start"])
    def start_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then start."""
        experiment = self._experiment(object_id)

        def start() -> str:
            for warning in lifecycle.start(experiment.experiment_id):
                messages.warning(request, warning)
            return f"{experiment.name} is running."

        question = "From the next request on, users of its placement get its variants."
        notes = [*lifecycle.problems(experiment), *lifecycle.warnings(experiment)]
        if request.method == "GET":
            expected = forecast_page.sentence(forecasts.found(forecasts.newest(experiment)))
            question = " ".join(filter(None, (question, _foreseen(plan(experiment)), expected)))
        return self._confirm(request, experiment, title="Start", question=question, notes=notes, verb=start)

    @action(description="Stop…", url_path="stop", permissions=["stop"])
    def stop_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then stop."""
        experiment = self._experiment(object_id)

        def stop() -> str:
            lifecycle.stop(experiment.experiment_id)
            return f"{experiment.name} is stopped."

        question = "From the next request on, everybody gets the placement as it is. The report stays."
        return self._confirm(request, experiment, title="Stop", question=question, notes=[], verb=stop)

    @action(description="Change weights…", url_path="weights", permissions=["stop"])
    def weights_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for new weights, then begin a new phase with them."""
        experiment = self._experiment(object_id)
        form = WeightsForm(list(experiment.variants.all()), request.POST or None)

        def change() -> str:
            phase = lifecycle.change_weights(experiment.experiment_id, form.weights())
            return f"{experiment.name} is in phase {phase}."

        question = "Other weights begin a new phase: all users are assigned afresh and counted from zero."
        return self._confirm(
            request, experiment, title="Change weights", question=question, notes=[], verb=change, form=form
        )

    @action(description="Change share…", url_path="coverage", permissions=["stop"])
    def coverage_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for another share of users, then let it take part."""
        experiment = self._experiment(object_id)
        form = CoverageForm(request.POST or None, initial={"coverage": experiment.coverage})

        def change() -> str:
            phase = lifecycle.change_coverage(experiment.experiment_id, form.cleaned_data["coverage"])
            return f"{form.cleaned_data['coverage']:.0%} take part, in phase {phase}."

        question = "More users join at once and nobody changes variant. Fewer begin a new phase, counted from zero."
        return self._confirm(
            request, experiment, title="Change share", question=question, notes=[], verb=change, form=form
        )

    def _confirm(
        self,
        request: HttpRequest,
        experiment: Experiment,
        *,
        title: str,
        question: str,
        notes: list[str],
        verb: Callable[[], str],
        form: forms.Form | None = None,
    ) -> HttpResponse:
        """Show the question on GET; do it on POST. A refusal is shown with the question again."""
        if request.method == "POST" and (form is None or form.is_valid()):
            try:
                done = verb()
            except ExperimentRefused as refusal:
                notes = list(refusal.reasons)
            else:
                self.log_change(request, experiment, title)
                messages.success(request, done)
                return HttpResponseRedirect(reverse("admin:experiments_experiment_change", args=[experiment.pk]))
        context = self._context(request, experiment, f"{title}: {experiment.name}")
        context |= {"verb": title, "question": question, "notes": notes, "form": form}
        return render(request, "admin/experiments/confirm.html", context)

    def _context(self, request: HttpRequest, experiment: Experiment, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "experiment": experiment}

    def _experiment(self, object_id: str) -> Experiment:
        experiment: Experiment | None = (
            Experiment.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        )
        if experiment is None:
            raise Http404(f"There is no experiment {object_id!r}.")
        return experiment


def _foreseen(found: Plan | None) -> str:
    if found is None:
        return ""
    return (
        f"By the last {DAYS} days ({found.baseline:.3g} a user, {found.users_a_day:,.1f} new users a day), finding the "
        f"declared effect takes {found.users_a_variant:,} users a variant, which is {found.days:,} days or more."
    )


def _is_draft(experiment: Experiment | None) -> bool:
    return experiment is None or experiment.status == Experiment.Status.DRAFT


def _status(object_id: Any) -> str:
    status = (
        Experiment.objects.filter(pk=object_id).values_list("status", flat=True) if str(object_id).isdecimal() else []
    )
    return next(iter(status), "")
