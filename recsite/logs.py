"""What production logs: one JSON object a line, with the id of the request that it is about.

JSON escapes line ends and terminal codes, so that nothing a client sends can pass for a line of its own. Ids of people,
addresses, keys and bodies have no place in a log; messages name routes, rows and request ids.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

from celery import current_task
from django.http import HttpRequest, HttpResponseBase

from recsite.request_ids import request_id

_answered: ContextVar[HttpRequest | None] = ContextVar("recsite_answered", default=None)


class RequestIdMiddleware:
    """Remembers which request is being answered; its id is made when something is logged, or refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _answered.set(request)
        try:
            return self.get_response(request)
        finally:
            _answered.reset(token)


class JsonFormatter(logging.Formatter):
    """Time in UTC, level, logger and message; `request_id` or `task_id` where there is one; `trace` of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        request = _answered.get()
        if request is not None:
            fields["request_id"] = request_id(request)
        if current_task and current_task.request.id:
            fields["task"], fields["task_id"] = current_task.name, current_task.request.id
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return json.dumps(fields)
