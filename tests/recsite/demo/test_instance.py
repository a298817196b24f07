from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recsite.demo import instance


@pytest.fixture(autouse=True)
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(instance, "LOCK", tmp_path / ".local" / "demo.lock")
    return tmp_path / ".local" / "demo.lock"


def test_a_second_demo_is_told_where_the_first_is() -> None:
    with instance.claim() as announce:
        with pytest.raises(instance.AlreadyRunning) as caught, instance.claim():
            pass
        assert str(caught.value) == (
            "The demo of this copy is already running and is still starting. Use that one, or `make stop` it first."
        )
        announce("http://127.0.0.1:8123")
        with pytest.raises(instance.AlreadyRunning) as caught, instance.claim():
            pass
        assert str(caught.value) == (
            "The demo of this copy is already running at http://127.0.0.1:8123. Use that one, or `make stop` it first."
        )
    with instance.claim():
        pass


def test_stopping_waits_until_the_demo_is_gone(lock: Path) -> None:
    code = f"""
import pathlib, time
from recsite.demo import instance
instance.LOCK = pathlib.Path({str(lock)!r})
with instance.claim():
    print("claimed", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as demo:
        assert demo.stdout is not None
        assert demo.stdout.readline() == b"claimed\n"
        assert instance.stop() is True
    assert demo.returncode == -signal.SIGTERM
    assert instance.stop() is False
