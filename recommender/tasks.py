"""Background work of the recommender. Each task calls one door and holds no logic."""

from __future__ import annotations

import logging

from celery import shared_task

from experiments import exposure, forecasts
from interactions import impressions
from recommender import content_vectors, forecasting, impact_jobs, rebuild_requests, rebuilding, rule_effects
from recommender.registry import jobs
from recommender.shadowing import lists

logger = logging.getLogger(__name__)


@shared_task(name="recommender.tasks.rebuild_models", time_limit=2 * 3600, soft_time_limit=2 * 3600 - 60)
def rebuild_models(reason: str = "schedule") -> str:
    """Rebuild and publish. The lease keeps two from running, so a task delivered twice does no harm."""
    rebuilt = rebuilding.rebuild(reason, progress=lambda stage: logger.info("rebuild: %s", stage))
    if rebuilt.published and rebuilt.version is not None:
        return f"published {rebuilt.version.name}"
    return f"not published: {'; '.join(rebuilt.reasons)}"


@shared_task(name=rebuild_requests.TASK)
def resume_rebuild() -> str:
    """Start again what lost its worker, or what somebody asked for; neither waits for what the broker may have lost."""
    dead = jobs.abandoned()
    if dead is not None:
        return rebuild_models(f"resumed {dead.fencing_token}")
    waiting = rebuild_requests.waiting()
    if waiting is not None:
        return rebuild_models(f"asked for by {waiting.asked_by}")
    return "nothing to resume"


@shared_task(name="recommender.tasks.write_impressions")
def write_impressions() -> int:
    """Move waiting impressions, and the first exposures among them, from Redis to Postgres."""
    return impressions.write_pending(alongside=exposure.record_first)


@shared_task(name="recommender.tasks.refresh_content_vectors")
def refresh_content_vectors() -> int:
    """Encode the texts that are new or have changed. Returns how many items those were."""
    return content_vectors.refresh()


@shared_task(name=impact_jobs.TASK)
def measure_impacts() -> int:
    """Measure what is asked of drafts, of rules and of experiments. Returns how many drafts those were."""
    return impact_jobs.run_waiting() + forecasts.run_waiting(forecasting.forecast)


@shared_task(name="recommender.tasks.forget_shadow_lists")
def forget_shadow_lists() -> int:
    """Delete compared lists that are a week old. Returns how many."""
    return lists.forget_old()


@shared_task(name="recommender.tasks.measure_rule_effects")
def measure_rule_effects() -> int:
    """Measure what rules with a holdout bring or cost. Returns how many were due."""
    return rule_effects.measure_due()
