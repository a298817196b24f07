"""A long list, page by page: no page repeats another or is missing something, whatever is published meanwhile.

The first page makes the whole list, which is then kept (`kept_lists`); a cursor is signed text that says which one and
from which place on. It holds for whom and for what the list was asked only. An item that has been hidden or has become
unavailable since is left out of the pages to come, as it is of any list.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace

import msgspec
from django.core import signing

from interactions.contracts import ServedList
from interactions.redis_breaker import RedisAway
from recommender import kept_lists, participation, serving
from recommender.contracts import Recommendation, RecommendationList
from recommender.exceptions import BackendError, CursorInvalid
from recommender.kept_lists import KeptList
from recommender.serving import MAXIMUM_LIMIT
from recommender.visit import Visit, begin

LONGEST_CURSOR = 100


def recommend(
    user_id: str,
    *,
    cursor: str,
    kind: str = "",
    context: str = "",
    limit: int | None = None,
    exclude: Sequence[str] = (),
    seed_item_id: str = "",
    explain: bool = False,
    language: str = "",
    device: str = "",
    app_version: str = "",
) -> tuple[RecommendationList, str]:
    """Return one page of a list of up to MAXIMUM_LIMIT items, and the cursor of the next one, "" on the last.

    Where Redis is away the first page is the only one.

    Parameters
    ----------
    cursor
        "" for the first page, or what came with the page before.
    limit
        Items of this page; None takes the placement's, on later pages the first one's.
    others
        As `serving.recommend` takes them, the same on each page.

    Raises
    ------
    CursorInvalid
        The cursor was altered, is that of another list, or the list is no longer kept.
    BackendError
        Redis is away, and with it the list that the cursor goes on with.
    """
    asked = [kind, context, seed_item_id, sorted(exclude), language, device, participation.current().forced]
    signer = _signer(user_id, asked)
    if cursor:
        return _following(user_id, cursor, signer, limit, language, device)
    visit = begin(
        user_id, record=True, language=language, device=device or participation.device(), app_version=app_version
    )
    whole, served = serving.list_for(
        visit,
        kind=kind,
        context=context,
        limit=MAXIMUM_LIMIT,
        exclude=exclude,
        seed_item_id=seed_item_id,
        explain=explain,
    )
    size = limit or serving.page_size(visit, kind, context)
    kept = KeptList.of(whole, served, size)
    made, end = _page(visit, kept, 0, size)
    goes_on = end < len(kept.items) and kept_lists.keep(user_id, whole.request_id, kept)
    return replace(made, trace=whole.trace), _cursor(signer, whole.request_id, end) if goes_on else ""


def _following(
    user_id: str, cursor: str, signer: signing.Signer, limit: int | None, language: str, device: str
) -> tuple[RecommendationList, str]:
    request_id, start = _read(signer, cursor)
    try:
        kept = kept_lists.read(user_id, request_id)
    except RedisAway as error:
        raise BackendError("The list cannot be read.") from error
    if kept is None:
        minutes = kept_lists.KEPT_SECONDS // 60
        raise CursorInvalid(f"The cursor has expired: a list is kept for {minutes} minutes. Begin anew with cursor=.")
    visit = begin(user_id, record=True, language=language, device=device)
    made, end = _page(visit, kept, start, limit or kept.page_size)
    return made, _cursor(signer, request_id, end) if end < len(kept.items) else ""


def _page(visit: Visit, kept: KeptList, start: int, size: int) -> tuple[RecommendationList, int]:
    """Return the page that begins at place `start`, and the place behind it; what is shown is recorded."""
    catalogue = visit.state.catalogue
    available = catalogue.available(visit.now)
    items: list[Recommendation] = []
    places: set[int] = set()
    end = start
    while end < len(kept.items) and len(items) < size:
        item = kept.items[end]
        row = catalogue.row_of.get(item.item_id, -1)
        if row >= 0 and available[row]:
            items.append(Recommendation(**msgspec.structs.asdict(item), card=catalogue.cards[row]))
            places.add(end)
        end += 1
    served = kept.served
    shown = tuple(one for one in served.items if one.position in places)
    noted = msgspec.structs.replace(served, shown_at=visit.now, items=shown)
    [made] = serving.show(visit, [(_list(kept, served, items), noted)])
    return made, end


def _list(kept: KeptList, served: ServedList, items: Sequence[Recommendation]) -> RecommendationList:
    return RecommendationList(
        request_id=served.request_id,
        user_id=served.user_id,
        placement=kept.placement,
        recipe=kept.recipe,
        title=kept.title,
        items=tuple(items),
        model_version=kept.model_version,
        experiment_id=kept.experiment_id,
        variant=kept.variant,
        fallback=kept.fallback,
        fallback_reason=kept.fallback_reason,
        seed_item_id=kept.seed_item_id,
    )


def _signer(user_id: str, asked: Sequence[object]) -> signing.Signer:
    """Return what signs the cursors of one user for one question: those of another do not hold."""
    digest = hashlib.sha256(json.dumps([user_id, *asked]).encode()).hexdigest()
    return signing.Signer(sep=".", salt=f"recommender.paging.{digest}")


def _cursor(signer: signing.Signer, request_id: uuid.UUID, start: int) -> str:
    return signer.sign(f"{request_id.hex}.{start}")


def _read(signer: signing.Signer, cursor: str) -> tuple[uuid.UUID, int]:
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise signing.BadSignature
        name, _, start = signer.unsign(cursor).partition(".")
    except signing.BadSignature as error:
        raise CursorInvalid(
            "The cursor is not one of this list: send it as it came, for the same user and with the same parameters "
            "(limit and expand may differ), or begin anew with cursor=."
        ) from error
    return uuid.UUID(hex=name), int(start)
