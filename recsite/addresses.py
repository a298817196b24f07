"""From where a request comes, as far as that can be believed.

`X-Forwarded-For` is whatever the client wrote, but for what the site's own proxies have added at its end: how many
there are says `NUM_PROXIES`. With none, only the connection's own address counts.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest

NOWHERE = "unknown"
V6_NETWORK = 64
"""Bits: a household has at least as many addresses of its own to choose from."""


def address_of(request: HttpRequest) -> str:
    """Return the client's IP address; `NOWHERE` for a socket of this machine or what is no address."""
    proxies: int = settings.NUM_PROXIES
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    named = forwarded[-min(proxies, len(forwarded))].strip() if proxies else ""
    try:
        return str(ipaddress.ip_address(named or request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return NOWHERE


def pseudonym(address: str) -> str:
    """Return 16 hexadecimal digits that stand for an address, and for all of its network where it is one of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        network = address
    else:
        bits = parsed.max_prefixlen if parsed.version == 4 else V6_NETWORK
        network = str(ipaddress.ip_network((parsed, bits), strict=False))
    return hmac.new(settings.SECRET_KEY.encode(), network.encode(), hashlib.sha256).hexdigest()[:16]
