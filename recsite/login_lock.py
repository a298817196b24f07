"""After five wrong passwords for a name from one address, the log-in is closed to the two for a quarter of an hour.

django-axes counts, in Postgres, so that all processes know; these are the pieces that it asks the site for.
`manage.py axes_reset` opens a log-in at once.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from recsite.addresses import NOWHERE, V6_NETWORK, address_of

TRIES = 5
CLOSED_FOR: timedelta = timedelta(minutes=15)


def client_address(request: HttpRequest) -> str:
    """Return whose tries these are: the address as far as it can be believed; all of a network of IPv6 is one."""
    address = address_of(request)
    if address == NOWHERE:
        return str(ipaddress.IPv4Address(0))
    parsed = ipaddress.ip_address(address)
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, V6_NETWORK), strict=False).network_address)
    return address


def client_in_log(username: str, address: str, agent: str, path: str, request: HttpRequest) -> str:
    """Return what the log says of who tried: nothing that names him or somebody else."""
    return "a log-in"


def closed(request: HttpRequest, response: Any = None, credentials: Any = None) -> HttpResponse:
    """Answer whoever has tried too often."""
    minutes = int(CLOSED_FOR.total_seconds() // 60)
    text = f"Too many wrong passwords. Try again in {minutes} minutes, or ask whoever runs this site."
    headers = {"Retry-After": str(minutes * 60)}
    return HttpResponse(text, status=429, content_type="text/plain; charset=utf-8", headers=headers)
