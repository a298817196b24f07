"""The load generator against a server of a few lines."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from tests.benchmarks.load_generator import CONNECTIONS, Call, ask_in_turn, load_generator

KEY = "rs_key"


class Handler(BaseHTTPRequestHandler):
    """Answers what was asked, 500 below /broken, 503 in chunks below /chunked, nothing below /cut; counts all of it."""

    protocol_version = "HTTP/1.1"
    asked: Counter[str] = Counter()

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == f"Api-Key {KEY}"
        self.answer(self.path)

    def do_POST(self) -> None:
        self.answer(self.path + self.rfile.read(int(self.headers["Content-Length"])).decode())

    def answer(self, what: str) -> None:
        self.asked[what] += 1
        if what.startswith("/cut"):
            self.close_connection = True
            return
        body = f'"{what}"'.encode()
        if what.startswith("/chunked"):
            self.send_response(503)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
            return
        self.send_response(500 if what.startswith("/broken") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Lets every connection of an open loop wait to be accepted."""

    request_queue_size = 128


@pytest.fixture
def port() -> Iterator[int]:
    Handler.asked.clear()
    with Server(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_address[1]
        server.shutdown()
        serving.join()


def test_calls_are_made_in_turn(port: int) -> None:
    assert ask_in_turn(port, KEY, [Call("/a"), Call("/b")]) == ["/a", "/b"]
    with pytest.raises(AssertionError, match=r"^/broken was answered 500"):
        ask_in_turn(port, KEY, [Call("/broken")])


def test_a_connection_that_breaks_is_a_failure_and_the_next_request_has_a_new_one(port: int) -> None:
    with load_generator(port, KEY, os.sched_getaffinity(0)) as load:
        outcome = load.start([Call("/a"), Call("/cut")], seconds=2).result()
    assert (len(outcome.seconds), len(outcome.failed)) == (Handler.asked["/a"], Handler.asked["/cut"])
    assert Handler.asked.total() > 2 * CONNECTIONS
    assert all("/cut" in one and one.endswith("was not answered: IncompleteReadError") for one in outcome.failed)


def test_an_answer_in_chunks_is_read_to_its_end(port: int) -> None:
    with load_generator(port, KEY, os.sched_getaffinity(0)) as load:
        outcome = load.start([Call("/a"), Call("/chunked")], seconds=2).result()
    assert (len(outcome.seconds), len(outcome.failed)) == (Handler.asked["/a"], Handler.asked["/chunked"])
    assert min(Handler.asked.values()) > 0
    assert all("503" in one and '"/chunked"' in one for one in outcome.failed)


def test_a_closed_loop_asks_again_as_soon_as_it_is_answered(port: int) -> None:
    with load_generator(port, KEY, os.sched_getaffinity(0)) as load:
        outcome = load.drive([Call("/a"), Call("/b", b"body")], seconds=0.5)
    assert len(outcome.seconds) == len(outcome.due) == Handler.asked.total()
    assert abs(Handler.asked["/a"] - Handler.asked["/bbody"]) <= CONNECTIONS
    assert outcome.rate == len(outcome.seconds) / outcome.took
    assert outcome.percentile(0) == outcome.seconds.min() > 0


def test_an_open_loop_asks_as_planned_whatever_the_answers_take(port: int) -> None:
    with load_generator(port, KEY, os.sched_getaffinity(0)) as load:
        first, second = (load.drive([Call("/a")], seconds=0.5, rate=200) for _ in range(2))
    assert len(first.due) == len(second.due)
    # The same gaps, on another clock and in the order of the answers; 200 a second, drawn at random.
    gaps = [np.diff(np.sort(one.due)) for one in (first, second)]
    assert gaps[0] == pytest.approx(gaps[1], abs=1e-9)
    assert 70 <= len(first.due) <= 130


def test_what_fails_is_told_and_stops_nothing(port: int) -> None:
    with load_generator(port, KEY, os.sched_getaffinity(0)) as load:
        outcome = load.start([Call("/a"), Call("/broken")], seconds=0.3).result()
        with pytest.raises(AssertionError, match=r"requests failed, the first: b'GET /broken"):
            load.drive([Call("/broken")], seconds=0.1)
    assert len(outcome.seconds) > 0
    assert len(outcome.failed) > 0
    assert "was answered b'500'" in outcome.failed[0]
