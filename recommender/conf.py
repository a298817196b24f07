"""The recommender's settings, each with its one default. Read lazily, so that tests may override them.

A setting NAME is read from Django's settings as RECOMMENDER_NAME. README's configuration table lists them.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

_FILTERS = ["unavailable", "excluded", "ruled_out", "seen"]
_FRESHNESS = {"freshness": {"strength": 0}}
"""For placements that state one."""

DEFAULT_RECIPES: dict[str, dict[str, Any]] = {
    "personalized": {
        "sources": {
            "item_to_item": {"weight": 1.0, "half_life": "tuned", "variants": {"recent": 1.5, "even": None}},
            "item_to_item_balanced": {"weight": 0.0, "half_life": "tuned"},
            "next_items": {"weight": 0.7, "half_life": "tuned", "variants": {"last": 1.0}},
            "session": {"weight": 0.25, "half_life": "tuned"},
            "random_walk": {"weight": 0.0, "half_life": "tuned"},
            "collaborative": {"weight": 0.35, "half_life": "tuned"},
            "content": {"weight": 0.05, "half_life": "tuned", "n": 50},
            "popular": {"weight": 0.05},
            "preferences": {"weight": 0},
            "trending": {"weight": 0},
            "unexplored": {"weight": 0, "n": 50},
        },
        "filters": _FILTERS,
        "scorers": [
            "tuned_ranking",
            {"cold_start": {"weights": {"preferences": 1.0, "trending": 0.3, "popular": 0.3}}},
        ],
        # MMR is for placements that state a diversity: on four splits of MovieLens, at 0.1, it showed no more items for
        # up to 1 % of NDCG@10.
        "rerankers": [
            _FRESHNESS,
            {"category_diversity": {"strength": "tuned"}},
            {"mmr": {"strength": 0, "by": "content"}},
            {"long_tail": {"strength": "tuned"}},
            {"discoveries": {"strength": "tuned", "pool": 400}},
            "exploration",
            "business_rules",
        ],
        "fallback": "trending",
    },
    "personalized_diverse": {
        "extends": "personalized",
        "rerankers": [_FRESHNESS, {"category_diversity": {"strength": 0.5}}, "exploration", "business_rules"],
    },
    "similar": {
        "sources": {
            "item_to_item": {"weight": 0.6, "popularity_discount": 0.5},
            "collaborative": {"weight": 0.4},
            "content": {"weight": 1.0},
            "embeddings": {"weight": 1.0},
        },
        "filters": ["unavailable", "excluded", "ruled_out"],
        "scorers": ["weighted_blend"],
        "rerankers": [_FRESHNESS, "business_rules"],
        "fallback": "trending",
    },
    "because_you_watched": {"extends": "similar", "filters": _FILTERS},
    "trending": {
        "sources": {"trending": {"weight": 1.0}, "popular": {"weight": 0.5}},
        "filters": _FILTERS,
        "scorers": ["weighted_blend"],
        "rerankers": [_FRESHNESS, {"category_diversity": {"strength": 0.2}}, "business_rules"],
    },
    "new": {
        "sources": {
            "new_items": {"weight": 1.0},
            "item_to_item": {"weight": 0.3, "half_life": 6, "n": 0},
            "content": {"weight": 0.5, "half_life": 10, "n": 0},
        },
        "filters": _FILTERS,
        "scorers": ["weighted_blend"],
        "rerankers": [_FRESHNESS, "business_rules"],
        "fallback": "trending",
    },
    "category": {
        "sources": {
            "category": {"weight": 0.5},
            "item_to_item": {"weight": 1.0, "half_life": 6, "n": 0},
            "content": {"weight": 0.5, "half_life": 10, "n": 0},
        },
        "filters": _FILTERS,
        "scorers": ["weighted_blend"],
        "rerankers": [_FRESHNESS, "business_rules"],
    },
}
"""Recipes by name. `n: 0` makes a source score the others' candidates without proposing its own."""

DEFAULTS: dict[str, Any] = {
    "RECIPES": DEFAULT_RECIPES,
    # {title}: the item behind the score; {name}: the category, or the tag he prefers; {year}: year of publication.
    "REASONS": {
        "history": "Because you watched {title}",
        "named": "Because you like {title}",
        "seed": "Similar to {title}",
        "preferences": "Because you like {name}",
        "popular": "Popular right now",
        "category": "Popular in {name}",
        # Several items of the history together, none of them decisive.
        "personal": "Picked for you",
        "new": "New: released in {year}",
        "rule": "Picked by our editors",
        "exploration": "New here",
    },
    # Whether one slot of a personalised list goes to an item that hardly anybody has been shown.
    "EXPLORATION": True,
    # Rows "because you watched …" on one page, each with its own seed.
    "SEEDS_PER_PAGE": 2,
    # Rows of one category on one page.
    "CATEGORIES_PER_PAGE": 2,
    # Lists that each process keeps, and for how long at most: a repeated request is not computed again. 0 keeps none.
    "RESULT_CACHE": {"lists": 5_000, "seconds": 60},
    # Candidates each source proposes.
    "CANDIDATES_PER_SOURCE": 100,
    "VECTOR_INDEXES": {
        # Its options, with their defaults and reasons, are in that file; `vector_index.faiss` is the other one.
        "default": {"BACKEND": "recommender.vector_index.annoy.AnnoyIndexBackend"}
    },
    # What an embedding space may name to have its vectors computed; `encoders.sentence_transformers` is another one.
    "ENCODERS": {"tfidf": {"BACKEND": "recommender.training.encoders.tfidf.TfidfEncoder"}},
    "MODEL_DIRECTORY": "",
    # Where machines share versions: s3://bucket/folder, gs://…, az://…, file:///mounted/folder. Empty: there is one
    # machine, or all mount the same MODEL_DIRECTORY. The options are arguments of fsspec's file system.
    "MODEL_STORE": "",
    "MODEL_STORE_OPTIONS": {},
    "VERSIONS_KEPT": 3,
    # Training.
    "ALS": {"factors": 64, "regularization": 1.0, "alpha": 1.0, "iterations": 15},
    "ITEM_TO_ITEM": {"regularization": 300.0, "neighbours": 400},
    "NEXT_ITEMS": {"regularization": 300.0, "half_life": 6.0, "neighbours": 400},
    "RANDOM_WALK": {"beta": 0.6, "neighbours": 200},
    # Events until an item of the history counts half, where a recipe says "tuned" and nothing could be tuned.
    "HALF_LIVES": {
        "item_to_item": 6.0,
        "item_to_item_balanced": 6.0,
        "next_items": 6.0,
        "random_walk": 6.0,
        "session": 4.0,
        "collaborative": 5.0,
        "content": 10.0,
    },
    # What trains: "local", this process; "spark", jobs of Spark with this master and these options (spark.…).
    "TRAINING_ENGINE": "local",
    # `event_files`: a folder of Parquet to read instead of Postgres (`manage.py export_events`).
    "SPARK": {"master": "local[*]", "event_files": "", "options": {}},
    # Threads of ALS, each with one of BLAS; 0: as many as there are processors for this process.
    "TRAINING_THREADS": 0,
    # Items of the models that hold an (items, items) matrix while training; less where memory is short.
    "DENSE_ITEMS_AT_MOST": 10_000,
    # Sources are tuned on a sample of "users", the ranker learns from "ranked_users"; fewer than "minimum_users"
    # with something to hold out say too little. With 0 "users" nothing is held out: each model is trained once, as
    # configured, and nobody knows how good it is.
    "TUNING": {"users": 1000, "ranked_users": 4000, "minimum_users": 50},
    # What "tuned" variety may cost: a share of what the ranking gained over the best single source, to a limit.
    "VARIETY": {"share_of_gain": 0.5, "at_most": 0.015},
    "SESSION": {"window": 5, "smoothing": 10.0, "neighbours": 200},
    "CONTENT": {"dimension": 128},
    # Kept of the audience when a recipe names the source similar_users: the last active users and their newest items.
    "SIMILAR_USERS": {"users": 50_000, "items": 200},
    "SEED": 1,
    # The gate.
    "GATE": {"minimum_share_of_active": 0.9, "minimum_coverage": 0.005, "minimum_recall": 0.9},
}


_values: dict[str, Any] = {}


def get(name: str) -> Any:
    """Return the setting RECOMMENDER_`name`, or its default.

    Raises
    ------
    KeyError
        When there is no such setting at all (a programming error).
    """
    # Asked a dozen times a request; a setting that is not set costs Django an exception each time.
    if name not in _values:
        _values[name] = getattr(settings, f"RECOMMENDER_{name}", DEFAULTS[name])
    return _values[name]


@receiver(setting_changed)
def _forget(**changed: Any) -> None:
    _values.clear()
