"""How another site shows these carousels: the widget at work, and the code to copy."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from recsite import api_keys, user_signatures
from recsite.site.demo_user import viewer_of
from recsite.site.pages import private, show

PROPERTIES = {
    "--recs-text": "text",
    "--recs-muted": "reasons",
    "--recs-surface": "buttons, and posters that are not there yet",
    "--recs-accent": "focus rings",
    "--recs-radius": "corners",
    "--recs-gap": "space between cards",
    "--recs-card": "width of a card",
}
PARTS = ("heading", "list", "card", "link", "poster", "name", "reason", "button")
ATTRIBUTES = {
    "placement": "the row to show, as editors call it; or type, with item, for a kind of list",
    "key": "a publishable key",
    "user, signature": "who looks, signed by your server; without them an id that the browser makes for itself",
    "limit": "how many items",
    "heading": "another title",
    "consent": "“no” stores nothing, here or there",
    "api": "the API's address, where it is not the script's own origin",
}


@private
@require_safe
def embed(request: HttpRequest) -> HttpResponse:
    """Show the widget with a key for this very origin, where there is one, and how to get one where there is not."""
    origin = f"{request.scheme}://{request.get_host()}"
    key = api_keys.published_for(origin)
    user_id = viewer_of(request).user_id
    context = {
        "origin": origin,
        "key": key,
        "user_id": user_id if key else "",
        "signature": user_signatures.sign(key.split("_")[1], user_id) if key and user_id else "",
        "properties": PROPERTIES,
        "parts": PARTS,
        "attributes": ATTRIBUTES,
    }
    return show(request, "embed.html", context)
