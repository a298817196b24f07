"""Everything that is stored about a person, for himself (GDPR, articles 15 and 20)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from catalog import queries as catalogue
from interactions import conf, dead_letters
from interactions.models import Event, Impression, UserProfile

PROFILE_FIELDS = ("user_id", "country", "preferences", "consent", "consent_at", "consent_version", "created_at")


def export(user_id: str) -> dict[str, Any] | None:
    """Return what this app and INTERACTIONS_ALSO_EXPORT store about a person as plain values, None when nothing.

    Of somebody who was shown lists and never did anything there is no profile: its fields are None then.
    """
    profile = UserProfile.objects.filter(user_id=user_id).values(*PROFILE_FIELDS, "account__username").first()
    events, shown = list(_events(user_id)), list(_impressions(user_id))
    item_ids = catalogue.item_ids_by_pk({row["item_id"] for row in (*events, *shown)})
    for row in (*events, *shown):
        row["item_id"] = item_ids.get(row["item_id"])
    kept = {"events": events, "impressions": shown, "refused_events": list(_refused(user_id))}
    kept |= {name: function(user_id) for name, function in conf.also_export().items()}
    if profile is None and not any(kept.values()):
        return None
    told: dict[str, Any] = profile or {**dict.fromkeys(PROFILE_FIELDS), "user_id": user_id, "account__username": None}
    told["account"] = told.pop("account__username")
    return {**told, **kept}


def _events(user_id: str) -> Iterator[dict[str, Any]]:
    stored = Event.objects.filter(user__user_id=user_id).select_related("event_type")
    for event in stored.order_by("occurred_at", "event_id"):
        yield {
            "event_id": event.event_id,
            "item_id": event.item_id,
            "event_type": event.event_type.name,
            "timestamp": event.occurred_at,
            "received_at": event.received_at,
            "value": event.value,
            "context": event.context,
            "request_id": event.request_id,
        }


def _impressions(user_id: str) -> Iterator[dict[str, Any]]:
    stored = Impression.objects.filter(user_id_text=user_id)
    for impression in stored.order_by("shown_at", "request_id", "position"):
        yield {
            "request_id": impression.request_id,
            "item_id": impression.item_id,
            "shown_at": impression.shown_at,
            "placement": impression.placement,
            "position": impression.position,
            "source": impression.source,
            "model_version": impression.model_version,
            "experiment_id": impression.experiment_id,
            "variant": impression.variant,
            "presentation": impression.presentation,
        }


def _refused(user_id: str) -> Iterator[dict[str, Any]]:
    for letter in sorted(dead_letters.of_user(user_id), key=lambda letter: letter.pk):
        yield {"received_at": letter.received_at, "code": letter.code, "event": _as_json(letter.payload)}


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
