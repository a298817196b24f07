"""`manage.py features`: what serving knows about users and items."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from interactions import feature_rebuilding
from interactions.feature_definitions import Feature, definitions
from interactions.redis_breaker import RedisAway


class Command(BaseCommand):
    """Render `feature_definitions`."""

    help = "List every feature: whose, type, unit, source, lifetime, Redis key; and how many users Redis holds."

    def handle(self, *args: Any, **options: Any) -> None:
        for feature in definitions():
            self.stdout.write(f"{feature.name} ({feature.entity}): {feature.type}")
            self.stdout.write(f"    unit: {feature.unit}")
            self.stdout.write(f"    from: {feature.source}")
            self.stdout.write(f"    kept: {_kept(feature)}")
        try:
            users = {user_id for part in feature_rebuilding.cached_users() for user_id in part}
            self.stdout.write(f"Redis holds {len(users):,} users.")
        except RedisAway as error:
            self.stdout.write(f"Redis is away: {error}")


def _kept(feature: Feature) -> str:
    if feature.lifetime_seconds is None:
        return "in memory with the catalogue, until changed"
    return f"in Redis at {feature.redis_key}, {feature.lifetime_seconds / 86_400:g} days or until changed"
