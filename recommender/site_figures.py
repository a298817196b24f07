"""What operators watch of the models: how old the one that serves is, and whether a rebuild waits."""

from __future__ import annotations

from django.db.models import Min

from recommender.models import ActiveModel, RebuildRequest


def trained_at() -> float | None:
    """Return when the version that serves was built, in POSIX seconds; None while there is none."""
    built = ActiveModel.objects.values_list("version__created_at", flat=True).first()
    return None if built is None else built.timestamp()


def rebuild_waits_since() -> float | None:
    """Return since when somebody has waited for a rebuild that nobody has begun, in POSIX seconds; None: nobody."""
    asked = RebuildRequest.objects.filter(job=None).aggregate(since=Min("asked_at"))["since"]
    return None if asked is None else float(asked.timestamp())
