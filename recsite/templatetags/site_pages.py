"""Addresses that the site's templates need: drawn pictures with their version, acts with the click's origin."""

from __future__ import annotations

from django import template
from django.urls import reverse

from catalog.snapshot import ItemCard
from recommender.carousel import Card
from recsite.site.posters import digest

register = template.Library()


@register.simple_tag
def poster_url(item: ItemCard) -> str:
    """Return the address of the item's drawn poster."""
    return f"{reverse('site:poster', args=[item.item_id])}?v={digest(item)}"


@register.simple_tag
def backdrop_url(item: ItemCard) -> str:
    """Return the address of the item's drawn backdrop."""
    return f"{reverse('site:backdrop', args=[item.item_id])}?v={digest(item)}"


@register.simple_tag
def act_url(name: str, card: Card) -> str:
    """Return where a button sends the act `name` on a card's item, with the list it was shown in."""
    address = reverse("site:act", args=[name, card.item_id])
    return f"{address}?{card.origin}" if card.origin else address
