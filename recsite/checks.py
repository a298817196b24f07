"""System checks of how the site is deployed.

recsite.W001    there is a proxy in front whose word about addresses is not believed: all visitors are one address
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register


@register(Tags.security, deploy=True)
def check_proxies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning where TLS ends somewhere in front and `NUM_PROXIES` says that nothing is there."""
    # The site's own server speaks no TLS: who asks for it has a proxy.
    if settings.NUM_PROXIES or not settings.SECURE_SSL_REDIRECT:
        return []
    return [
        checks.Warning(
            "HTTPS is demanded, so a proxy is in front, and NUM_PROXIES is 0: its address stands for every visitor's. "
            "They share one limit of requests a minute, and five wrong passwords of one lock out all.",
            hint="Set NUM_PROXIES to how many proxies of yours add to X-Forwarded-For.",
            id="recsite.W001",
        )
    ]
