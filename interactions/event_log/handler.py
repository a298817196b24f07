"""The process's event log, as INTERACTIONS_EVENT_LOG has it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from interactions import conf
from interactions.event_log.base import EventLog

_lock = threading.Lock()
_made: tuple[Mapping[str, Any], EventLog] | None = None


def event_log() -> EventLog:
    """Return it, made on first use; ImproperlyConfigured when the setting cannot be used."""
    global _made
    entry = conf.event_log()
    with _lock:
        if _made is None or _made[0] != entry:
            _made = (entry, _make(entry))
        return _made[1]


def check_event_log(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error when INTERACTIONS_EVENT_LOG cannot be used."""
    entry = conf.event_log()
    try:
        messages = _backend(entry).check(entry.get("OPTIONS", {}))
        if not messages:
            _make(entry)
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="See INTERACTIONS_EVENT_LOG in README.", id="interactions.E001")]
    return messages


def _make(entry: Mapping[str, Any]) -> EventLog:
    try:
        return _backend(entry)(entry.get("OPTIONS", {}))
    except (TypeError, ValueError) as error:
        message = f"INTERACTIONS_EVENT_LOG: {entry['BACKEND']}: {error}"
        raise ImproperlyConfigured(message) from error


def _backend(entry: Mapping[str, Any]) -> type[EventLog]:
    try:
        backend = import_string(entry["BACKEND"])
    except (ImportError, KeyError, TypeError) as error:
        message = f"INTERACTIONS_EVENT_LOG must name a BACKEND by its dotted path, got {entry!r}."
        raise ImproperlyConfigured(message) from error
    if not (isinstance(backend, type) and issubclass(backend, EventLog)):
        message = f"INTERACTIONS_EVENT_LOG: {entry['BACKEND']} is no EventLog."
        raise ImproperlyConfigured(message)
    return backend
