"""A list as the API answers it: data in the stated shape for orjson, nothing more."""

from __future__ import annotations

from typing import Any

import orjson

from recommender.contracts import Recommendation, RecommendationList


def list_document(made: RecommendationList, *, expand_item: bool, next_cursor: str | None = None) -> dict[str, Any]:
    """Return one list as data for orjson; the cards stand in it only when asked for.

    Parameters
    ----------
    next_cursor
        Of the next page, "" on the last one; None for a list without pages.
    """
    if expand_item not in made.rendered:
        items = [_item(item, made.model_version, expand_item) for item in made.items]
        made.rendered[expand_item] = orjson.Fragment(orjson.dumps(items))
    document: dict[str, Any] = {
        "recommendations": made.rendered[expand_item],
        "experiment_id": made.experiment_id or None,
        "variant": made.variant or None,
        "request_id": made.request_id,
        "placement": made.placement,
        "title": made.title,
        "seed_item_id": made.seed_item_id or None,
        "fallback": made.fallback,
        "fallback_reason": made.fallback_reason or None,
    }
    if next_cursor is not None:
        document["next_cursor"] = next_cursor or None
    if made.trace is not None:
        document["trace"] = made.trace
    return document


def _item(item: Recommendation, model_version: str, expand_item: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "item_id": item.item_id,
        "score": item.score,
        "reason": item.reason,
        "model_version": model_version or None,
    }
    if item.presentation is not None:
        document["presentation_id"] = item.presentation
    if expand_item:
        card = item.card
        document["item"] = {
            "title": card.title,
            "description": card.description,
            "category": card.category,
            "tags": card.tags,
            "creators": card.creators,
            "image_url": card.image_url or None,
            "url": card.url,
            "year": card.year,
        }
    return document
