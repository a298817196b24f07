"""The sentence under a card. Wording only: what is true was found by `explanations`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.snapshot import Catalogue
from interactions.explored import SOURCE as EXPLORATION
from recommender import conf
from recommender.contracts import Query
from recommender.pipeline.explanations import Explanation

NOT_PERSONAL = ("popular", "trending", "new_items", "category")


def sentence(explanation: Explanation, query: Query, row: int) -> str:
    """Return the reason of one item in words."""
    return sentences([explanation], query, [row])[0]


def sentences(explanations: Sequence[Explanation], query: Query, rows: Sequence[int]) -> list[str]:
    """Return the reasons of the items `rows` in words, from the templates of RECOMMENDER_REASONS."""
    # Once a list: a setting that is not set costs Django as much as the sentence itself.
    templates: Mapping[str, str] = {**conf.DEFAULTS["REASONS"], **conf.get("REASONS")}
    return [_worded(templates, explanation, query, row) for explanation, row in zip(explanations, rows, strict=True)]


def _worded(templates: Mapping[str, str], explanation: Explanation, query: Query, row: int) -> str:
    catalogue: Catalogue = query.catalogue
    if explanation.source in ("rule", EXPLORATION):
        return templates[explanation.source]
    if explanation.source == "preferences":
        return templates["preferences"].format(name=_preferred(query, row))
    if explanation.because_of is not None and explanation.source not in NOT_PERSONAL:
        template = templates[_relation(query, explanation.because_of)]
        return template.format(title=catalogue.cards[explanation.because_of].title)
    if explanation.source == "category":
        return templates["category"].format(name=query.category)
    year = catalogue.cards[row].year
    if explanation.source == "new_items" and year is not None:
        return templates["new"].format(year=year)
    return templates["personal" if explanation.share > 0 and explanation.source not in NOT_PERSONAL else "popular"]


def _relation(query: Query, because_of: int) -> str:
    """Return the name of the template that says what the user has to do with the row `because_of`."""
    if query.seed is not None:
        return "history" if query.seed_is_from_history else "seed"
    named = query.history.rows[len(query.history.rows) - query.history.named :]
    return "named" if because_of in named else "history"


def _preferred(query: Query, row: int) -> str:
    """Return the category or tag of the item that the user prefers, as the catalogue spells it."""
    card, stated = query.catalogue.cards[row], query.preferences
    if card.category.casefold() in stated.categories:
        return card.category
    return next((tag for tag in card.tags if tag.casefold() in stated.tags), card.category)
