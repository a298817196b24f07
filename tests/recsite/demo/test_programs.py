from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from recsite.demo import programs
from recsite.demo.programs import PortTaken, choose_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_wanted_port_that_is_taken_is_refused(taken: int) -> None:
    with pytest.raises(PortTaken) as caught:
        choose_port(taken)
    assert str(caught.value) == f"Port {taken} is in use by another program: choose another with PORT=."


def test_a_wanted_port_that_is_free_is_used(taken: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    assert choose_port(free) == free


def test_without_a_wish_the_next_free_port_is_used(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "FIRST_PORT", taken)
    assert taken < choose_port(None) < taken + programs.PORTS_TRIED


def test_without_a_free_port_it_says_so(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "FIRST_PORT", taken)
    monkeypatch.setattr(programs, "PORTS_TRIED", 1)
    with pytest.raises(PortTaken, match=f"Ports {taken} to {taken} are all in use"):
        choose_port(None)


def test_nobody_answers_on_a_port_that_nobody_listens_on(taken: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    assert programs.answers(free) is False
