"""The answer to posted events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from catalog.api.errors import ApiError
from interactions.contracts import Verdict
from interactions.metrics import events_judged
from interactions.validation import ParsedBody, ParsedEvent

_SINGLE_STATUS = {"event_type_unknown": 400, "id_conflict": 409, "consent_withheld": 403}
"""A single event that was refused for good is answered with an error; an orphan (`item_unknown`) is kept and waits."""


def answer(parsed: ParsedBody, judged: Sequence[Verdict]) -> dict[str, Any]:
    """Return the counts and the verdict of each event, in the order they were sent.

    Parameters
    ----------
    judged
        The verdicts of the entries that are events, in order.

    Raises
    ------
    ApiError
        For a single event that was refused for what is in it.
    """
    waiting = iter(judged)
    results = [
        _refusal(index, entry.error) if entry.error is not None else _verdict(index, entry, next(waiting))
        for index, entry in enumerate(parsed.entries)
    ]
    counts = Counter[str]()
    for (status, code), number in Counter([(result["status"], result.get("code", "")) for result in results]).items():
        events_judged.labels(status, code).inc(number)
        counts[status] += number
    if parsed.is_single:
        _raise_refusal(parsed.entries[0], results[0])
    return {name: counts[name] for name in ("accepted", "duplicate", "rejected")} | {"results": results}


def _refusal(index: int, error: ApiError) -> dict[str, Any]:
    refusal = {"index": index, "status": "rejected", "code": error.code, "message": error.message}
    return refusal if error.field is None else refusal | {"field": error.field}


def _verdict(index: int, entry: ParsedEvent, verdict: Verdict) -> dict[str, Any]:
    result: dict[str, Any] = {"index": index, "status": verdict.status}
    if verdict.code:
        result |= {"code": verdict.code, "message": verdict.message}
        field = {"item_unknown": "item_id", "event_type_unknown": "event_type", "id_conflict": "event_id"}.get(
            verdict.code
        )
        return result if field is None else result | {"field": field}
    return result | {"warning": entry.warning} if entry.warning else result


def _raise_refusal(entry: ParsedEvent, result: dict[str, Any]) -> None:
    if entry.error is not None:
        raise entry.error
    status = _SINGLE_STATUS.get(result.get("code", ""))
    if status is not None:
        raise ApiError(result["code"], result["message"], status=status, field=result.get("field"))
