"""What an import refuses: counted and reported, and the events kept as dead letters when the rest goes in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from catalog.datasets.problems import Problem, Problems
from interactions.contracts import EventInput
from interactions.dead_letters import to_payload
from interactions.identity import EPOCH
from interactions.models import DeadLetter, UserProfile
from interactions.staging import Refusal

SOURCE = "import"
LETTERS_A_WRITE = 1_000


class RefusedRows:
    """Collects the problems of one import. `events` counts those of the events' file."""

    def __init__(self, on_problem: Callable[[Problem], None] | None = None) -> None:
        self.problems = Problems(self._see)
        self.events = 0
        self._on_problem = on_problem
        self._events_file = ""
        self._waiting: list[Problem] = []

    def keep_events_of(self, file: str) -> None:
        """From now on keep dead letters of this file's rows; "" keeps none."""
        self._events_file = file

    def add_staged(self, file: str, refusals: Iterable[Refusal]) -> None:
        """Report staged events that were marked."""
        for refusal in refusals:
            event = _event(refusal)
            is_item = refusal.code == "item_unknown"
            self.problems.add(
                Problem(
                    file=file,
                    row=int(refusal.event[0]),
                    code=refusal.code,
                    column="item_id" if is_item else "event_id",
                    message=refusal.message,
                    value=event.item_id if is_item else str(event.event_id),
                    payload=to_payload(event, datetime.now(UTC)),
                    item_id=event.item_id,
                )
            )

    def write(self) -> None:
        """Write the dead letters still waiting. One that is there already is not written again."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        letters = {
            (problem.code, payload): DeadLetter(
                code=problem.code,
                message=str(problem)[:500].replace("\0", "\\0"),
                item_id=problem.item_id.replace("\0", "\\0")[:200],
                payload=payload,
                source=SOURCE,
            )
            for problem in waiting
            if (payload := problem.payload or _raw(problem))
        }
        payloads = [payload for _, payload in letters]
        there = DeadLetter.objects.filter(source=SOURCE, payload__in=payloads).values_list("code", "payload")
        for known in set(there):
            letters.pop(known, None)
        DeadLetter.objects.bulk_create(_with_consent(letters.values()))

    def _see(self, problem: Problem) -> None:
        if self._on_problem is not None:
            self._on_problem(problem)
        if self._events_file and problem.file == self._events_file:
            self.events += 1
            self._waiting.append(problem)
            if len(self._waiting) >= LETTERS_A_WRITE:
                self.write()


def _event(refusal: Refusal) -> EventInput:
    _, user_id, item_id, event_type, microseconds, value, event_id, context, request_id = refusal.event
    return EventInput(
        user_id=user_id,
        item_id=item_id,
        event_type=event_type,
        occurred_at=EPOCH + timedelta(microseconds=int(microseconds)),
        event_id=UUID(event_id) if event_id else None,
        value=float(value) if value else None,
        context=json.loads(context) if context else None,
        request_id=UUID(request_id) if request_id else None,
    )


def _raw(problem: Problem) -> str:
    return json.dumps({"file": problem.file, "row": problem.row, "text": problem.value})


def _with_consent(letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """Leave out the letters about users who withhold their consent: nothing of them is stored."""
    by_user: list[tuple[object, DeadLetter]] = [
        (json.loads(letter.payload).get("user_id"), letter) for letter in letters
    ]
    names = {name for name, _ in by_user if isinstance(name, str) and "\0" not in name}
    withheld = set(
        UserProfile.objects.filter(user_id__in=names, consent=UserProfile.Consent.WITHHELD).values_list(
            "user_id", flat=True
        )
    )
    return [letter for name, letter in by_user if name not in withheld]
