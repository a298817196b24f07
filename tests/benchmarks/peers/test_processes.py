from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.peers import environments, processes, roster
from tests.benchmarks.peers.environments import Unavailable
from tests.benchmarks.peers.roster import Peer

EVENTS = "user_id,item_id,timestamp\na,x,1\na,y,2\nb,x,1\n"


@pytest.fixture
def train(tmp_path: Path) -> Path:
    path = tmp_path / "train.csv"
    path.write_text(EVENTS)
    return path


@pytest.fixture
def test(tmp_path: Path) -> Path:
    path = tmp_path / "test.csv"
    path.write_text("user_id,item_id,timestamp\nb,y,5\n")
    return path


def test_a_peer_runs_in_a_process_of_its_own(train: Path, test: Path, tmp_path: Path) -> None:
    peer = Peer(name="EASE", module="ease", trials=({"regularization": 1.0}, {"regularization": 2.0}))
    tuned = processes.tune(peer, train, test)
    assert (tuned.settings, tuned.ndcg, tuned.trials) == ({"regularization": 1.0}, 1.0, 2)
    cost = processes.rank(peer, train, test, tmp_path / "lists.csv", tuned.settings)
    assert (tmp_path / "lists.csv").read_text().split() == ["user_id,item_id,rank", "b,y,1"]
    assert cost.seconds >= 0
    assert cost.memory > 10_000_000


def test_a_peer_that_fails_says_why(train: Path, test: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"^TypeError: fit\(\) got an unexpected keyword argument 'depth'$"):
        processes.rank(Peer(name="EASE", module="ease"), train, test, tmp_path / "lists.csv", {"depth": 1})
    assert not (tmp_path / "lists.csv").exists()


def test_an_environment_that_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index and with nothing beside it, pip finds nothing; what is half made is made anew the next time."""
    (tmp_path / "absent.lock").write_text("recsite-no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    monkeypatch.setattr(environments, "LOCKS", tmp_path)
    monkeypatch.setattr(environments, "FOLDER", tmp_path / "peers")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": ""}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Unavailable, match="No matching distribution found for recsite-no-such-package==1"):
        environments.python_of("absent")
    assert not (tmp_path / "peers" / "absent" / "installed").exists()


def test_an_environment_that_is_there_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there.lock").write_text("x==1\n")
    monkeypatch.setattr(environments, "LOCKS", tmp_path)
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "installed").write_text(environments.key(tmp_path / "there.lock"))
    assert environments.python_of("there") == tmp_path / "there" / "bin" / "python"


def test_every_peer_has_its_files() -> None:
    folder = Path(roster.__file__).parent
    for peer in roster.PEERS:
        assert (folder / f"{peer.module}.py").exists()
        assert peer.environment is None or (folder / f"{peer.environment}.lock").exists()
        assert 1 <= len(peer.trials) <= 12


def test_the_lock_files_name_no_address() -> None:
    for lock in Path(roster.__file__).parent.glob("*.lock"):
        assert not any(mark in lock.read_text() for mark in ("://", "--index", "--find-links", " @ ", "file:"))
