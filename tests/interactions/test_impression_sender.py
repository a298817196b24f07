from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence

import pytest

from interactions import impression_sender
from interactions.impression_sender import Sender


class Inbox:
    """Keeps what is sent to it, and says when enough has come."""

    def __init__(self, expected: int) -> None:
        self.batches: list[list[int]] = []
        self.senders: set[str] = set()
        self._expected = expected
        self._complete = threading.Event()

    def __call__(self, notes: Sequence[int]) -> None:
        self.batches.append(list(notes))
        self.senders.add(threading.current_thread().name)
        if sum(map(len, self.batches)) >= self._expected:
            self._complete.set()

    def wait(self) -> list[int]:
        assert self._complete.wait(10)
        return [note for batch in self.batches for note in batch]


def test_notes_are_sent_by_another_thread_in_their_order_and_together() -> None:
    inbox = Inbox(1000)
    sender = Sender(inbox, name="notes")
    assert all(sender.put(note) for note in range(1000))
    assert inbox.wait() == list(range(1000))
    assert inbox.senders == {"notes"}
    assert len(inbox.batches) < 100
    assert max(map(len, inbox.batches)) <= impression_sender.TOGETHER


def test_a_batch_that_fails_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    inbox = Inbox(1)

    def send(notes: Sequence[int]) -> None:
        if notes[0] < 0:
            raise ZeroDivisionError("wrong")
        inbox(notes)

    sender = Sender(send)
    sender.put(-1)
    sender.flush()
    sender.put(7)
    assert inbox.wait() == [7]
    assert "1 notes could not be sent" in caplog.text


def test_when_nothing_can_be_sent_for_long_notes_are_refused() -> None:
    inbox = Inbox(3)
    sender = Sender(inbox, most=3)
    sender._started = True  # no thread: nothing is sent
    assert [sender.put(note) for note in range(5)] == [True, True, True, False, False]
    sender.flush()
    assert inbox.wait() == [0, 1, 2]
    assert sender.put(5)


def test_a_forked_child_sends_its_own_notes_and_none_of_its_parents() -> None:
    read, write = os.pipe()
    sender = Sender[int](lambda notes: os.write(write, repr(list(notes)).encode()) and None)
    sender._started = True  # the parent's stay waiting
    sender.put(1)
    child = os.fork()
    if child == 0:
        sender.put(2)
        sender.flush()
        os._exit(0)
    os.waitpid(child, 0)
    sender._start_over()
    os.close(write)
    assert os.read(read, 100) == b"[2]"
    os.close(read)


def test_what_waits_is_sent_when_the_process_ends_in_order() -> None:
    program = """
from interactions.impression_sender import Sender
sender = Sender(lambda notes: print(list(notes)))
sender._started = True
sender.put(3)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "[3]\n"
