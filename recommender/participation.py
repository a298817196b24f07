"""Who takes part in experiments at all: neither crawlers nor staff, and whoever wants to see a variant sees just that.

`ParticipationMiddleware` keeps the request at hand; `current` looks at it when a list is made while experiments run,
and not before: who is signed in costs a query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from experiments.bots import is_bot

PARAMETER = "variant"
"""`?variant=<experiment>:<variant>`, for staff on the site and for whoever has a key of the API."""


@dataclass(frozen=True, slots=True)
class Participation:
    """How a request takes part."""

    takes_part: bool = True
    forced: tuple[str, str] | None = None
    """(experiment, variant) that is to be shown, and counted nowhere."""


EVERYBODY = Participation()
_request: ContextVar[HttpRequest | None] = ContextVar("participation_request", default=None)
_forced: ContextVar[tuple[str, str] | None] = ContextVar("participation_forced", default=None)


def current() -> Participation:
    """Return how the request being answered takes part; outside any request everybody does."""
    chosen = _forced.get()
    if chosen is not None:
        return Participation(takes_part=False, forced=chosen)
    request = _request.get()
    if request is None:
        return EVERYBODY
    if getattr(getattr(request, "user", None), "is_staff", False):
        return Participation(takes_part=False, forced=parse(request.GET.get(PARAMETER, "")))
    return Participation(takes_part=not is_bot(request.headers.get("User-Agent", "")))


def device() -> str:
    """Return "mobile" or "desktop" by what the browser says of itself; "" outside any request and of other programs."""
    request = _request.get()
    agent = "" if request is None else request.headers.get("User-Agent", "")
    # What MDN advises to look for; browsers all call themselves Mozilla, a server's HTTP library does not.
    return "" if not agent.startswith("Mozilla/") else "mobile" if "Mobi" in agent else "desktop"


def parse(text: str) -> tuple[str, str] | None:
    """Return (experiment, variant) of "experiment:variant", None of anything else."""
    experiment_id, _, variant = text.partition(":")
    return (experiment_id, variant) if experiment_id and variant else None


@contextmanager
def forcing(chosen: tuple[str, str] | None) -> Iterator[None]:
    """Show this variant within the block; None changes nothing."""
    token = _forced.set(chosen or _forced.get())
    try:
        yield
    finally:
        _forced.reset(token)


class ParticipationMiddleware:
    """Keeps the request at hand for `current`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer it."""
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)
