"""Programs that read pages: they click on nothing, or on everything, and so take part in no experiment."""

from __future__ import annotations

import re

# Crawlers say what they are. Plain HTTP libraries are not among them: a site's own server calls the API with one.
# Cubot makes telephones.
_CRAWLER = re.compile(
    r"(?<!cu)bot(?:\b|_)|crawl|spider|slurp|archiver|facebookexternalhit|embedly|preview|lighthouse|pagespeed"
    r"|monitoring|pingdom|uptime|scrap(?:er|y)|fetcher|validator",
    re.IGNORECASE,
)


def is_bot(user_agent: str) -> bool:
    """Return whether a request's User-Agent is that of a crawler, a link preview or a monitor."""
    return _CRAWLER.search(user_agent) is not None
