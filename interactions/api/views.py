"""Events and people over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api import json_body
from catalog.api.documentation import IDEMPOTENCY_KEY, KEY_REUSED
from catalog.api.errors import ApiError
from catalog.api.once import once
from interactions import profiles
from interactions.api import documentation as doc
from interactions.api import users, verdicts
from interactions.contracts import Verdict
from interactions.erasure import erase_user
from interactions.event_log.handler import event_log
from interactions.exporting import export
from interactions.privacy_signals import refuses_tracking
from interactions.validation import check_id, parse_events

PRIVATE = {"Cache-Control": "private, no-store"}
"""No cache on the way, nor the browser's own, keeps what is said of a person."""

REFUSED = Verdict("rejected", "consent_withheld", "The browser asks not to be tracked (GPC, DNT); nothing was stored.")


class EventsView(APIView):
    """What users do."""

    required_scopes: ClassVar = {"POST": "events"}
    for_pages = True

    @extend_schema(
        operation_id="post_events",
        tags=[doc.EVENTS_TAG],
        summary="Record one event or up to 1,000",
        parameters=[IDEMPOTENCY_KEY],
        request=doc.EVENT_OR_EVENTS,
        responses={202: doc.EventsVerdict, 403: doc.NOT_RECORDED, 409: doc.ID_CONFLICT, 422: KEY_REUSED},
        examples=[doc.EVENTS_REQUEST, doc.EVENTS_ANSWER],
    )
    def post(self, request: Request) -> Response:
        """Store the good events and say, by index, what is wrong with the others. Answered after COMMIT; counts on the
        next request. Sending the same events again is safe: they are duplicates.
        """
        return once(request, lambda: self._record(request))

    def _record(self, request: Request) -> Response:
        parsed = parse_events(json_body.read(request))
        events = [entry.event for entry in parsed.entries if entry.event is not None]
        for user_id in {event.user_id for event in events}:
            self.check_object_permissions(request, user_id)
        judged = [REFUSED] * len(events) if refuses_tracking(request) else event_log().append(events)
        return Response(verdicts.answer(parsed, judged), status=202)


class UserView(APIView):
    """One person by the site's own id."""

    required_scopes: ClassVar = {"GET": "users", "PUT": "users", "DELETE": "users"}

    @extend_schema(
        operation_id="get_user",
        tags=[doc.USERS_TAG],
        summary="Export everything stored about a person",
        parameters=[doc.USER_ID],
        responses=doc.UserExport,
        examples=[doc.EXPORT_ANSWER],
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Answer the profile, what the person did and was shown, and whatever else is stored under the id."""
        exported = export(check_id({"user_id": user_id}, "user_id"))
        if exported is None:
            raise ApiError("user_unknown", f"There is no user {user_id!r}.", status=404)
        return Response(exported, headers=PRIVATE)

    @extend_schema(
        operation_id="put_user",
        tags=[doc.USERS_TAG],
        summary="Create or change a person",
        parameters=[doc.USER_ID],
        request=doc.UserFields,
        responses={200: doc.UserDocument, 201: doc.UserDocument},
        examples=[doc.USER_REQUEST, doc.USER_ANSWER],
    )
    def put(self, request: Request, user_id: str) -> Response:
        """Store preferences, country and consent with its moment; fields left out stay as they are.

        Shows on the next request.
        """
        check_id({"user_id": user_id}, "user_id")
        created = profiles.store(user_id, **users.fields_of(json_body.decode_object(request)))
        return Response(profiles.summary(user_id), status=201 if created else 200, headers=PRIVATE)

    @extend_schema(
        operation_id="delete_user",
        tags=[doc.USERS_TAG],
        summary="Erase a person",
        parameters=[doc.USER_ID],
        request=None,
        responses={200: doc.ErasureReceipt},
        examples=[doc.ERASURE_ANSWER],
    )
    def delete(self, request: Request, user_id: str) -> Response:
        """Delete everything about the person; the receipt counts the rows. Safe to repeat."""
        erased: dict[str, Any] = erase_user(check_id({"user_id": user_id}, "user_id"))
        return Response({"user_id": user_id, "erased": erased})


class MergeView(APIView):
    """Two ids of one person."""

    required_scopes: ClassVar = {"POST": "users"}

    @extend_schema(
        operation_id="merge_users",
        tags=[doc.USERS_TAG],
        summary="Make an anonymous user one with a known one",
        parameters=[IDEMPOTENCY_KEY],
        request=doc.MergeRequest,
        responses={200: doc.MergeVerdict, 404: doc.NO_SUCH_USER, 409: doc.MERGE_REFUSED, 422: KEY_REUSED},
        examples=[doc.MERGE_REQUEST, doc.MERGE_ANSWER],
    )
    def post(self, request: Request) -> Response:
        """Move the events and impressions of `from` to `to` and forget `from`. Shows on the next request."""
        return once(request, lambda: self._merge(request))

    def _merge(self, request: Request) -> Response:
        from_id, to_id = users.merge_of(json_body.decode_object(request))
        try:
            merged = profiles.merge(from_id, to_id)
        except profiles.ProfileError as error:
            status = {"user_unknown": 404, "merge_refused": 409}.get(error.code, 400)
            raise ApiError(error.code, str(error), status=status, field="from") from error
        moved = {"events": merged.events, "impressions": merged.impressions}
        return Response({"from": from_id, "to": to_id, "moved": moved})
