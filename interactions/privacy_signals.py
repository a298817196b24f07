"""What a browser asks for of its own accord: `Sec-GPC: 1` (Global Privacy Control) and `DNT: 1` (Do Not Track).

Pages, widgets and API take either for a refusal of consent: nothing about the person is stored, and he is answered as
nobody in particular.
"""

from __future__ import annotations

from typing import Any


def refuses_tracking(request: Any) -> bool:
    """Return True when the request (Django's or the REST framework's) carries one of them."""
    return bool(request.headers.get("DNT") == "1" or request.headers.get("Sec-GPC") == "1")
