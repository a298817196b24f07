"""One list out of those of several variants (`experiments.interleaving`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from experiments.interleaving import NOBODY, team_draft
from recommender.answering import Answer
from recommender.contracts import Query
from recommender.rerankers.exploration import HOUR_SECONDS


def interleaved(answers: Mapping[str, Answer], query: Query, *, seed: str) -> tuple[Answer, tuple[str, ...]]:
    """Return the list that two or more variants have drafted, and the name of each place's team, "" for nobody's.

    Drawn anew each hour, so that a reload shows the same list. How probable an item was at its place is not known: its
    propensity is 0. A list is a fallback, for a reason, as soon as one team's is.
    """
    names = list(answers)
    random = Random(f"{seed}:{query.user_id}:{query.placement}:{int(query.now // HOUR_SECONDS)}")
    drafted = team_draft([answers[name].rows for name in names], query.limit, random)
    item_of = {(name, row): item for name, of in answers.items() for row, item in zip(of.rows, of.items, strict=True)}
    found_by = [
        names[team] if team != NOBODY else next(name for name in names if row in answers[name].rows)
        for row, team in zip(drafted.items, drafted.teams, strict=True)
    ]
    fallen = next((answer for answer in answers.values() if answer.fallback), answers[names[0]])
    mixed = replace(
        fallen,
        rows=drafted.items,
        items=tuple(
            replace(item_of[name, row], propensity=0.0) for name, row in zip(found_by, drafted.items, strict=True)
        ),
    )
    return mixed, tuple(names[team] if team != NOBODY else "" for team in drafted.teams)
