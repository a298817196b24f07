"""Answers that a browser or a proxy of the caller may keep, if it asks whether they still hold.

Lists for nobody in particular are the same for everybody and recorded for nobody. They are told apart by what they
show; the `request_id`, new with each answer, does not count, so the entity tag is a weak one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

REVALIDATED = "private, no-cache"
"""Kept by the caller alone (he has shown a key), and shown again only when this site says that it still holds: an item
that has been hidden must be gone on the next request."""


def answer(request: Request, document: Mapping[str, Any], lists: Sequence[Mapping[str, Any]]) -> Response:
    """Return the document with its entity tag, or 304 where the caller has it already.

    Parameters
    ----------
    lists
        The lists in the document, all that it shows.
    """
    shown = [{name: value for name, value in one.items() if name != "request_id"} for one in lists]
    digest = hashlib.blake2b(orjson.dumps(shown, option=orjson.OPT_SERIALIZE_NUMPY), digest_size=16).hexdigest()
    tag = f'W/"{digest}"'
    headers = {"Cache-Control": REVALIDATED, "ETag": tag, "Vary": "Authorization"}
    if tag in parse_etags(request.headers.get("If-None-Match", "")):
        return Response(status=304, headers=headers)
    return Response(document, headers=headers)
