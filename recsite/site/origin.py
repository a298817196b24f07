"""Where a click came from: the request id, position and placement that a card's link carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

_PLACEMENT = re.compile(r"[-\w]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Origin:
    """One card of one answer."""

    request_id: UUID
    position: int
    placement: str

    @property
    def query(self) -> str:
        """Return it as a query string."""
        return urlencode({"request": str(self.request_id), "position": self.position, "from": self.placement})

    @property
    def context(self) -> dict[str, Any]:
        """Return it as an event's context."""
        return {"source": self.placement, "position": self.position}


def origin_of(parameters: Mapping[str, str]) -> Origin | None:
    """Read an origin from query parameters; None when it is missing or is not one that this site has written."""
    position, placement = parameters.get("position", ""), parameters.get("from", "")
    if not re.fullmatch(r"[0-9]{1,4}", position) or not _PLACEMENT.fullmatch(placement):
        return None
    try:
        request_id = UUID(parameters.get("request", ""))
    except ValueError:
        return None
    return Origin(request_id, int(position), placement)
