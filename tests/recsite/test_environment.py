from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recsite import environment


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environment, "LOCAL_DIRECTORY", tmp_path / ".local")
    return tmp_path / ".local"


def test_a_secret_is_made_once_and_for_its_owner_only(local: Path) -> None:
    secret = environment.local_secret("admin_password", characters=12)
    assert len(secret) == 12
    assert environment.local_secret("admin_password", characters=12) == secret
    assert (local / "admin_password").stat().st_mode & 0o777 == 0o600
    assert environment.local_secret("secret_key") != environment.local_secret("another")


def test_a_secret_file_left_empty_is_filled(local: Path) -> None:
    local.mkdir()
    (local / "secret_key").touch()
    assert len(environment.local_secret("secret_key")) == 64


def test_the_database_is_the_one_last_chosen(local: Path) -> None:
    assert environment.local_database_name() == "recsite"
    local.mkdir()
    (local / "database").write_text("recsite_movielens\n")
    assert environment.local_database_name() == "recsite_movielens"


@pytest.mark.parametrize(
    ("folder", "is_inside"),
    [
        ("/srv/site", True),
        ("/srv/my site", False),
        ("/srv/s?te#1", False),
        ("/srv/größe", False),
        ("/" + "d" * 80, False),
    ],
)
def test_sockets_lie_where_their_path_is_short_and_plain(
    monkeypatch: pytest.MonkeyPatch, folder: str, is_inside: bool
) -> None:
    monkeypatch.setattr(environment, "LOCAL_DIRECTORY", Path(folder) / ".local")
    run = environment.local_run_directory()
    assert (run == Path(folder) / ".local" / "run") is is_inside
    assert len(f"{run}/.s.PGSQL.5432.lock") <= 107


def test_two_copies_never_share_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = set()
    for folder in ("/srv/copy one", "/srv/copy two"):
        monkeypatch.setattr(environment, "LOCAL_DIRECTORY", Path(folder) / ".local")
        runs.add(environment.local_run_directory())
    assert len(runs) == 2


def test_the_folder_of_counters_is_made(tmp_path: Path) -> None:
    """prometheus_client lets no program of the site start without it."""
    folder = tmp_path / "not" / "there"
    variables = {"PATH": os.environ["PATH"], "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    command = [sys.executable, "-c", "import recsite.settings, interactions.metrics"]
    subprocess.run(command, cwd=environment.BASE_DIRECTORY, env=variables, check=True)
    assert list(folder.glob("counter_*.db"))
