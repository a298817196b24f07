"""The one exception that the API's views raise on purpose."""

from __future__ import annotations

from rest_framework.exceptions import APIException


class ApiError(APIException):
    """A refusal with a stable code; the site renders every one of them in the same JSON shape.

    Parameters
    ----------
    code
        What programs compare: `snake_case`, never changed once published.
    message
        What people read: names the thing, the value received and the values allowed.
    status
        HTTP status, 4xx or 5xx.
    field
        Path of the offending field in the body or the query, e.g. `context.source`; None when it is the whole.
    index
        Position of the offending entry in a batch, 0 is first; None outside batches.
    """

    def __init__(
        self, code: str, message: str, *, status: int = 400, field: str | None = None, index: int | None = None
    ) -> None:
        super().__init__(detail=message, code=code)
        self.status_code = status
        self.code = code
        self.message = message
        self.field = field
        self.index = index
