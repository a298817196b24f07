"""Every code an error of the API can have: its HTTP status and what to do about it. Shown on the API's page."""

from __future__ import annotations

ERROR_CODES: dict[str, tuple[int, str]] = {
    # Who asks
    "auth_missing": (401, "Send `Authorization: Api-Key <key>`."),
    "auth_invalid": (401, "The key is wrong or revoked."),
    "scope_missing": (403, "The key lacks the scope that the message names."),
    "origin_refused": (403, "The publishable key is for pages of other origins."),
    "user_unproven": (
        403,
        "The id is neither one that the browser has made nor signed by your server.",
    ),
    "rate_limited": (429, "Too many requests of this key, or of this address; retry after the seconds in Retry-After."),
    # What is asked for
    "not_found": (404, "There is no such route."),
    "method_not_allowed": (405, "The header Allow lists the methods of this route."),
    "item_unknown": (404, "The catalogue does not have this item."),
    "space_unknown": (404, "There is no embedding space of this name; the message lists those there are."),
    "placement_unknown": (404, "No carousel of this name is active."),
    "user_unknown": (404, "Nothing is known of this user."),
    "experiment_unknown": (404, "There is no experiment of this name."),
    "analysis_refused": (409, "The experiment cannot be analysed yet; the message says why."),
    # The query
    "param_unknown": (400, "A parameter does not exist; the message lists those that do."),
    "param_invalid": (400, "A parameter has a value that is not among those allowed."),
    "param_range": (400, "A parameter is no whole number or outside its range."),
    "cursor_invalid": (400, "The cursor is of another list, altered or older than half an hour: begin with `cursor=`."),
    "phase_invalid": (400, "The phase is no whole number of an existing phase."),
    # The header Idempotency-Key
    "idempotency_key_invalid": (400, "The key is empty, longer than 255 characters or not printable ASCII."),
    "idempotency_key_reused": (422, "The key came with another path or body before: take a new one."),
    "idempotency_key_in_use": (409, "The first request with this key is under way; retry."),
    # The body as a whole
    "media_type_unsupported": (415, "Send `Content-Type: application/json`."),
    "encoding_unsupported": (415, "Send the body uncompressed."),
    "length_required": (411, "Send a Content-Length."),
    "body_too_large": (413, "A body has at most 2 MB."),
    "body_empty": (400, "Send a JSON object."),
    "body_incomplete": (400, "The connection ended early; send it again."),
    "body_type": (400, "An object was expected."),
    "encoding_invalid": (400, "The body must be UTF-8."),
    "json_invalid": (400, "The message has line and column of the mistake."),
    "json_too_deep": (400, "Nesting is limited to 32 levels."),
    "key_duplicate": (400, "An object has the same key twice."),
    # Single values
    "field_required": (400, "A field is missing."),
    "field_unknown": (400, "A field does not exist here; the message lists those that do."),
    "field_invalid": (400, "A field has a value that is not among those allowed."),
    "type": (400, "A value is of another JSON type; nothing is converted silently."),
    "too_long": (400, "A text or a list is longer than allowed."),
    "id_invalid": (400, "An id is empty, too long or has invisible characters."),
    "event_id_invalid": (400, "An event's id must be a UUID."),
    "request_id_invalid": (400, "A request's id must be the UUID that came with the recommendations."),
    "event_type_unknown": (400, "There is no such event type; the message lists those there are."),
    "timestamp_invalid": (400, "Use RFC 3339 with an offset, such as 2026-01-01T00:00:00Z."),
    "timestamp_future": (400, "An event may lie at most 24 hours ahead."),
    "timestamp_too_old": (400, "An event lies before 1970, or is older than events are kept here."),
    "number_invalid": (400, "A number is NaN, infinite or otherwise unusable."),
    "number_out_of_range": (400, "A number does not fit."),
    "string_nul": (400, "A text contains a NUL character."),
    "string_surrogate": (400, "A text contains half of a surrogate pair."),
    "dimension_mismatch": (400, "A vector is not as long as its space says."),
    "value_invalid": (400, "A value cannot be stored."),
    "request_invalid": (400, "The request cannot be understood or combines what cannot be combined."),
    # Batches
    "too_many_items": (413, "At most 1,000 items per request."),
    "too_many_users": (413, "At most 100 users per request."),
    "user_twice": (400, "The same user twice in one request."),
    "item_twice": (400, "The same item twice in one request."),
    "too_many_events": (413, "At most 1,000 events per request."),
    "event_too_large": (400, "An event has at most 32 KB."),
    "id_conflict": (409, "Another event has this event_id; the first one stays."),
    "merge_refused": (409, "A user with an account is not anonymous and cannot be merged into another."),
    "consent_withheld": (
        403,
        "This user has not agreed to be recorded, or his browser asks not to track him; nothing was stored.",
    ),
    # Our side
    "overloaded": (
        503,
        "Too much is asked of the server; send it again after `Retry-After` seconds. Lists are never refused.",
    ),
    "unavailable": (
        503,
        "The database or the log of events cannot be reached; retry after the seconds in Retry-After.",
    ),
    "backend_failed": (503, "Recommendations are not available now; retry."),
    "artifact_invalid": (503, "The model cannot be read; retry."),
    "model_unavailable": (503, "No model can be loaded; retry."),
    "internal_error": (500, "A mistake of ours; report the request id."),
}
