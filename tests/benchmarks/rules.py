"""What editors' rules cost a list: two hundred of them on a thousand candidates, and compiling them for a catalogue.

A catalogue of 10,000 generated items in 30 categories and 300 tags; rules of every kind that a list can meet, of which
the most are boosts, buries and hides. Every rule is in effect.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from catalog import snapshot
from recommender.contracts import Candidates, History, Query
from recommender.rerankers.business_rules import BusinessRules
from recommender.rules.compile import Rulebook, compile_rules
from recommender.rules.viewer import Viewer
from recommender.rules.vocabulary import Action, Clause, Operator, RuleSpec
from tests.benchmarks.figures import Row, at_most, milliseconds
from tests.benchmarks.workbench import Workbench

ITEMS = 10_000
CANDIDATES = 1_000
LIMIT = 20
CATEGORIES, TAGS = 30, 300
KINDS = {
    Action.BOOST: 70,
    Action.BURY: 50,
    Action.HIDE: 30,
    Action.EXCLUDE: 30,
    Action.PIN: 8,
    Action.SOFT_PIN: 4,
    Action.PROMOTE: 4,
    Action.CAP: 3,
    Action.ORGANIC_SHARE: 1,
}
ROUNDS = 300


def run(bench: Workbench) -> Iterator[Row]:
    """Measure."""
    chance = np.random.default_rng(1)
    catalogue = snapshot.build(
        [
            {
                "id": number + 1,
                "item_id": str(number),
                "title": f"Item {number}",
                "category": f"c{chance.integers(CATEGORIES)}",
                "tags": [f"t{tag}" for tag in chance.choice(TAGS, 3, replace=False)],
                "popularity": float(chance.pareto(1.0)),
            }
            for number in range(ITEMS)
        ],
        revision=1,
    )
    specs = list(_rules(chance))
    started = time.perf_counter()
    compiled = compile_rules(specs, catalogue)
    spent = (time.perf_counter() - started) * 1000
    yield Row(name=f"rules: compiling {len(specs)} for {ITEMS:,} items", value=spent, unit="ms")
    book, viewer = Rulebook(1, specs, catalogue), Viewer(user_id="ann", placement="home", country="FR")
    applied, chosen = [], []
    bench.step("applying rules")
    for _ in range(ROUNDS):
        rows = chance.choice(ITEMS, CANDIDATES, replace=False)
        scores = np.sort(chance.random(CANDIDATES).astype(np.float32))[::-1]
        query = Query(
            user_id="ann",
            limit=LIMIT,
            now=0.0,
            catalogue=catalogue,
            model=None,
            history=History.empty(),
            rules=compiled,
        )
        started = time.perf_counter()
        BusinessRules().rerank(query, _candidates(rows, scores))
        applied.append(time.perf_counter() - started)
        started = time.perf_counter()
        book.for_viewer(viewer, 0.0)
        chosen.append(time.perf_counter() - started)
    name = f"rules: {len(specs)} on {CANDIDATES:,} candidates"
    yield from milliseconds(name, applied, targets={50: at_most(1.0)})
    yield from milliseconds("rules: finding out which are in effect", chosen)


def _rules(chance: np.random.Generator) -> Iterator[RuleSpec]:
    pk = 0
    for action, count in KINDS.items():
        for number in range(count):
            pk += 1
            yield RuleSpec(pk=pk, action=action, **_fields(action, number, chance))


def _fields(action: Action, number: int, chance: np.random.Generator) -> dict[str, Any]:
    tag = (Clause("tag", Operator.IS, (f"t{chance.integers(TAGS)}",)),)
    match action:
        case Action.PIN | Action.SOFT_PIN:
            return {"items": (int(chance.integers(1, ITEMS)),), "position": 2 * number + 1}
        case Action.PROMOTE:
            return {"where": tag, "slots": 2}
        case Action.CAP:
            return {"attribute": "category", "at_most": 2 + number, "window": 4 + 2 * number}
        case Action.ORGANIC_SHARE:
            return {"share": 0.5}
        case Action.BOOST:
            return {"where": tag, "multiplier": 1.5}
        case Action.BURY:
            return {"where": tag, "multiplier": 0.7}
        case _:
            # One item each: two thirds of the catalogue would be gone otherwise.
            return {"items": (int(chance.integers(1, ITEMS)),)}


def _candidates(rows: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> Candidates:
    candidates = Candidates.of(rows.astype(np.int64))
    candidates.score = scores.copy()
    return candidates
