"""The schedule of beat in the admin, in the theme of the other pages. A change holds from beat's next look on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django_celery_beat import admin as beat
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from recommender import rebuild_schedule

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, beat.TaskSelectWidget):  # type: ignore[misc]
    """The tasks there are, to choose from."""


class PeriodicTaskForm(beat.PeriodicTaskForm):  # type: ignore[misc]
    """One entry of the schedule. One that would rebuild all the time is refused at its field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()

    def clean(self) -> dict[str, Any]:
        """Refuse what no rebuild could keep up with."""
        data: dict[str, Any] = super().clean()
        if data["task"] == rebuild_schedule.TASK:
            for field in ("interval", "crontab"):
                problem = rebuild_schedule.too_often(data[field].schedule) if data.get(field) else ""
                if problem:
                    self.add_error(field, problem)
                    # The model would add that there is no schedule at all.
                    self._validate_unique = False
        return data


class OftenEnoughForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when running
    """An interval or times of the day: what entries use may be changed under them."""

    def clean(self) -> dict[str, Any]:
        """Refuse what no rebuild that uses it could keep up with."""
        data = super().clean() or {}
        rebuilds = self.instance.pk and self.instance.periodictask_set.filter(task=rebuild_schedule.TASK).exists()
        if rebuilds and not self.errors:
            field = "every" if "every" in data else "minute"
            problem = rebuild_schedule.too_often(type(self.instance)(**data).schedule)
            if problem:
                self.add_error(field, problem)
        return data


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]
    """What runs when. Deleting an entry of the settings brings it back with beat's next start: disable it instead."""

    form = PeriodicTaskForm


class PeriodicTaskInline(beat.PeriodicTaskInline, TabularInline):  # type: ignore[misc]
    """The entries that use a schedule."""


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ModelAdmin):  # type: ignore[misc]
    """Every so many seconds."""

    form = OftenEnoughForm
    inlines = (PeriodicTaskInline,)


@admin.register(SolarSchedule)
class SolarScheduleAdmin(ModelAdmin):  # type: ignore[misc]
    """With the sun."""

    inlines = (PeriodicTaskInline,)


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(beat.CrontabScheduleAdmin, ModelAdmin):  # type: ignore[misc]
    """At times of the day, week or month."""

    form = OftenEnoughForm
    inlines = (PeriodicTaskInline,)


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(beat.ClockedScheduleAdmin, ModelAdmin):  # type: ignore[misc]
    """At one moment."""

    inlines = (PeriodicTaskInline,)
