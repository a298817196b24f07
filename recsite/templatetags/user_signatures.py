"""`{% load user_signatures %}`: who looks at a page, proven to its publishable key.

<recsite-carousel placement="homepage" key="{{ key }}" user="{{ id }}" signature="{% user_signature key id %}">
"""

from __future__ import annotations

from django import template

from recsite import user_signatures

register = template.Library()


@register.simple_tag
def user_signature(key: str, user_id: str) -> str:
    """Return the signature of a user's id for a publishable key; "" for nobody."""
    parts = key.split("_")
    if len(parts) != 3 or parts[0] != "rp":
        raise template.TemplateSyntaxError("user_signature needs a publishable key, which begins with rp_.")
    return user_signatures.sign(parts[1], user_id) if user_id else ""
