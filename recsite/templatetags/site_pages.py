"""What the site's templates need: addresses of drawn pictures and of acts with the click's origin, times in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

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


@register.filter
def ago(moment: datetime) -> str:
    """Return how long ago `moment` was, in its largest unit: "just now", "3 weeks ago"."""
    if timezone.now() - moment < timedelta(minutes=1):
        return "just now"
    return f"{timesince(moment, depth=1)} ago"
