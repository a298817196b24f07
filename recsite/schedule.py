"""What beat starts, and how often, on a new site; editors change it in admin.

A task that waited for longer than `expire_seconds`, while no worker ran, is dropped: the next one does its work.
"""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    "rebuild-models-every-six-hours": {
        "task": "recommender.tasks.rebuild_models",
        "schedule": crontab(minute="0", hour="*/6"),
    },
    "resume-rebuild-every-ten-seconds": {
        "task": "recommender.tasks.resume_rebuild",
        "schedule": 10.0,
        "options": {"expire_seconds": 10},
    },
    "write-impressions-every-five-seconds": {
        "task": "recommender.tasks.write_impressions",
        "schedule": 5.0,
        "options": {"expire_seconds": 10},
    },
    # An event counts within a minute: this, what counting takes, and for how long a process holds what it read.
    "refresh-popularity-every-45-seconds": {
        "task": "interactions.tasks.refresh_popularity",
        "schedule": 45.0,
        "options": {"expire_seconds": 45},
    },
    "count-explored-every-minute": {
        "task": "interactions.tasks.count_explored",
        "schedule": 60.0,
        "options": {"expire_seconds": 50},
    },
    "count-daily-figures-every-ten-minutes": {
        "task": "interactions.tasks.count_daily_figures",
        "schedule": 600.0,
        "options": {"expire_seconds": 500},
    },
    "announce-revisions-every-ten-seconds": {
        "task": "interactions.tasks.announce_revisions",
        "schedule": 10.0,
        "options": {"expire_seconds": 10},
    },
    "refill-features-after-a-loss-of-redis": {
        "task": "interactions.tasks.refill_features",
        "schedule": 10.0,
        "options": {"expire_seconds": 10},
    },
    "measure-impacts-every-ten-seconds": {
        "task": "recommender.tasks.measure_impacts",
        "schedule": 10.0,
        "options": {"expire_seconds": 10},
    },
    "measure-rule-effects-every-fifteen-minutes": {
        "task": "recommender.tasks.measure_rule_effects",
        "schedule": 900.0,
        "options": {"expire_seconds": 800},
    },
    "refresh-content-vectors-every-hour": {
        "task": "recommender.tasks.refresh_content_vectors",
        "schedule": crontab(minute="37"),
        "options": {"expire_seconds": 3000},
    },
    "forget-shadow-lists-every-hour": {
        "task": "recommender.tasks.forget_shadow_lists",
        "schedule": crontab(minute="47"),
        "options": {"expire_seconds": 3000},
    },
    "maintain-partitions-every-hour": {
        "task": "interactions.tasks.maintain_partitions",
        "schedule": crontab(minute="17"),
    },
}
