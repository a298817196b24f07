"""One peer at work: a process that tries settings, or one that writes lists, so that time and memory are its own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsite.environment import BASE_DIRECTORY
from tests.benchmarks.peers.environments import Unavailable, last_line, python_of
from tests.benchmarks.peers.roster import Peer, Settings

TUNING_SECONDS = 300
"""No trial begins later than this."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The best of the settings that were tried."""

    settings: Settings
    ndcg: float
    """NDCG@10 on what they were tried on."""
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What training took."""

    seconds: float
    memory: int
    """Peak of the whole process, ranking included, in bytes."""


def tune(peer: Peer, train: Path, test: Path) -> Tuned:
    """Try the settings of `peer` in their order; raises Unavailable as `rank` does."""
    found = _run(peer, "tune", train, test, str(TUNING_SECONDS), json.dumps(peer.trials))
    best = max(range(len(found)), key=found.__getitem__)
    return Tuned(settings=peer.trials[best], ndcg=found[best], trials=len(found))


def rank(peer: Peer, train: Path, test: Path, lists: Path, settings: Settings) -> Cost:
    """Train on `train` and write the lists of the users of `test`.

    Raises
    ------
    Unavailable
        When the environment cannot be made, or the peer ends with an error, whose last line it has.
    """
    return Cost(**_run(peer, "rank", train, test, str(lists), json.dumps(settings)))


def _run(peer: Peer, what: str, train: Path, test: Path, *rest: str) -> Any:
    command = [str(python_of(peer.environment)), "-m", f"tests.benchmarks.peers.{peer.module}", what]
    done = subprocess.run(
        [*command, str(train), str(test), *rest],
        cwd=BASE_DIRECTORY,
        env={**os.environ, **ONE_THREAD},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unavailable(last_line(done.stderr))
    return json.loads(last_line(done.stdout))
