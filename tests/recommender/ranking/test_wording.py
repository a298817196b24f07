from __future__ import annotations

from recommender.ranking.wording import sentence

RANKING = {
    "kind": "learned",
    "columns": ["one", "two"],
    "quality": {"one": 0.1, "two": 0.12, "blend": 0.15, "learned": 0.2},
}


def test_a_learned_ranking_names_what_it_has_beaten() -> None:
    said = sentence({"ranking": RANKING, "variety": {"long_tail": 0.3, "discoveries": 0.0}})
    assert said == (
        "Ranked by trees on a blend of sources: NDCG@20 0.2000 on users it did not learn from (the source two alone "
        "0.1200, a blend of sources 0.1500). Variety that this pays for: long_tail 0.3."
    )


def test_a_single_source_is_named() -> None:
    said = sentence({"ranking": {**RANKING, "kind": "single"}, "variety": {}})
    assert said == (
        "Ranked by the source two alone: NDCG@20 0.1200 on users it did not learn from (a blend of sources 0.1500, "
        "trees on a blend of sources 0.2000). Variety that this pays for: none."
    )


def test_a_version_that_was_never_tuned_says_so() -> None:
    assert sentence({}) == "Ranked by the recipe's weights: too few users to tune them."
