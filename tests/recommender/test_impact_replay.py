"""The click rate of a draft is told from what was shown and clicked, or it is said that it cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from recommender import replaying
from recommender.impact import measure
from recommender.impact_replay import estimate, of_user
from recommender.replaying import Place, Replayed
from recommender.rules import draft
from recommender.rules.compile import Rulebook
from recommender.visit import begin
from tests.recommender.film_site import FilmSite
from tests.recommender.rule_writing import written
from tests.recommender.test_replaying import show


def shown(n: int, reward: float, *, stays: bool) -> tuple[Place, ...]:
    """Return n places of one item each, which the draft shows, too, or something that was never shown."""
    now = ((1, 1.0),)
    after = now if stays else ((9, 1.0),)
    return (Place(item_pk=1, position=0, propensity=1.0, reward=reward, policies=(now, after)),) * n


def test_what_stays_counts_as_it_was_and_the_rest_is_guessed() -> None:
    """Each of two users is shown 400 places, and 100 of those that stay are taken, of the 200 others none."""
    user = Replayed(
        lists=1, places=shown(100, 1.0, stays=True) + shown(100, 0.0, stays=True) + shown(200, 0.0, stays=False)
    )
    found = estimate([user, user])
    assert (found.impressions, found.obstacle, found.covered) == (800, "", 0.5)
    assert found.before == pytest.approx(0.25)
    # What was never shown earns what its place does, 0.25; item 1 is expected to earn as much, so that what stays
    # earns 0.25 more than that where it was taken and 0.25 less where not: 0.5 in all.
    assert found.after == pytest.approx(0.5 * 0.5 + 0.5 * 0.25)
    assert found.low == pytest.approx(found.high) == pytest.approx(0.125)


def test_too_few_impressions_that_would_be_shown_again_are_refused() -> None:
    user = Replayed(lists=1, places=shown(99, 1.0, stays=True) + shown(200, 0.0, stays=False))
    found = estimate([user])
    assert found.obstacle.startswith("299 rows say as much of this policy as 99 would; 100 are needed.")
    assert (found.impressions, found.before, found.after, found.low, found.high) == (299, 0.0, 0.0, 0.0, 0.0)
    assert estimate([]).obstacle == "There are no rows."


def test_both_lists_are_made_with_their_rules(site: FilmSite) -> None:
    show(site, ["heat", "airplane"], [1.0, 1.0])
    with site.commit():
        written("hide", name="No crime", where="category=crime")
    visit = begin("ann", record=False)
    drafted = Rulebook(visit.state.rulebook.revision, draft.read(), visit.state.catalogue)
    first, second = of_user(visit, drafted).places
    assert first.policies == (((site.pks["heat"], 1.0),), ((site.pks["airplane"], 1.0),))
    assert second.policies == (((site.pks["ronin"], 1.0),), ((site.pks["clue"], 1.0),))


def test_lists_about_an_item_are_left_out_and_the_impact_says_what_was_found(
    site: FilmSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def lists_of(user_id: str, n: int, *, placements: list[str], **_: Any) -> list[Any]:
        asked.append(placements)
        return []

    monkeypatch.setattr(replaying, "lists_of", lists_of)
    site.does("ann", ("watch", "alien"))
    found = measure([])
    assert "homepage" in asked[0]
    assert not {"product_page", "because_you_watched"} & set(asked[0])
    assert found.replay.obstacle == "There are no rows."
