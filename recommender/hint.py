"""Tells a worker that a row waits for it. Only a hint: beat's next look at the rows finds what it was about."""

from __future__ import annotations

import logging

from celery import current_app
from celery.exceptions import OperationalError as BrokerAway
from django.db import transaction

logger = logging.getLogger(__name__)


def after_commit(task: str) -> None:
    """Send `task` once the surrounding transaction, if any, has committed; a broker that is away is logged."""
    transaction.on_commit(lambda: _send(task))


def _send(task: str) -> None:
    try:
        current_app.send_task(task)
    except BrokerAway as error:
        logger.warning("beat will find what %s waits for: %s", task, error)
