"""Which account the local servers run as.

Postgres refuses to run as root and initdb refuses an account without a passwd entry. So root lends the servers to the
owner of their data, to the owner of the project, or to `nobody`, whichever can reach the project; when none can (a
project in a folder that only root may enter), a user namespace calls them `nobody` inside while their files stay the
caller's outside.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsite.local_services.exceptions import LocalServiceError

PROBE = 'cd "$0" && for program; do "$program" --version || exit 1; done'


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How to run a server: as which user on disk, and through which command."""

    uid: int
    """Owner of the servers' files, as seen from outside a namespace."""
    gid: int
    prefix: tuple[str, ...] = ()
    """Command that enters the user namespace; empty when there is none."""

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run `command` to its end as this account; its output is returned, its failure is not an error.

        The environment is a fresh one: the caller's `PG…` variables and secrets are not the servers' business.
        """
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        dropping = os.geteuid() == 0 and self.uid != 0
        return subprocess.run(
            [*self.prefix, *map(str, command)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=environment | {"LC_ALL": "C", "TZ": "UTC"},
            umask=0o077,
            user=self.uid if dropping else None,
            group=self.gid if dropping else None,
            extra_groups=[] if dropping else None,
        )

    def can_run(self, directory: Path, programs: Sequence[Path]) -> bool:
        """Return whether this account can enter `directory` and run every program, by doing it."""
        try:
            return self.run(["/bin/sh", "-c", PROBE, directory, *programs]).returncode == 0
        except OSError:
            return False

    def own(self, directory: Path) -> None:
        """Make `directory` with mode 0700 and give it, and all in it, to this account.

        Raises
        ------
        LocalServiceError
            When it belongs to somebody else and the caller is not root, or when it is not a folder.
        """
        directory.mkdir(mode=0o700, exist_ok=True)
        owner = directory.lstat().st_uid
        # In a folder that everybody may write to, somebody else may have laid a trap under this name.
        is_open_to_all = bool(directory.parent.stat().st_mode & stat.S_ISVTX)
        may_take = owner in (self.uid, os.geteuid()) or (os.geteuid() == 0 and not is_open_to_all)
        if directory.is_symlink() or not may_take:
            raise LocalServiceError(
                f"{directory} belongs to another user (uid {owner}): run as that user, or remove the folder."
            )
        if owner != self.uid:
            # The folder itself comes last: as long as it is not ours, an interrupted walk is begun again.
            for path in (*directory.rglob("*"), directory):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)
        directory.chmod(0o700)


def choose(directory: Path, programs: Sequence[Path]) -> Account:
    """Return the first account that can enter `directory` and run `programs`.

    Raises
    ------
    LocalServiceError
        When there is none.
    """
    uid = os.geteuid()
    if uid != 0 and _is_known(uid):
        return Account(uid=uid, gid=os.getegid())
    for account in _candidates(directory):
        if account.can_run(directory, programs):
            return account
    who = "root" if uid == 0 else f"uid {uid}, which has no name on this machine"
    raise LocalServiceError(
        f"The local servers cannot run as {who}, no other account may enter {directory.parent}, and this machine "
        "allows no user namespaces: move the project to a folder that others may enter, run as a normal user, or set "
        "DATABASE_URL and REDIS_URL."
    )


def _candidates(directory: Path) -> Iterator[Account]:
    nobody = pwd.getpwnam("nobody")
    if os.geteuid() == 0:
        data = directory / "pg"
        owners = [path.stat().st_uid for path in (data, directory.parent) if path.exists()]
        for uid in dict.fromkeys([*owners, nobody.pw_uid]):
            if uid != 0 and _is_known(uid):
                yield Account(uid=uid, gid=pwd.getpwuid(uid).pw_gid)
    unshare = shutil.which("unshare")
    if unshare:
        mapping = (f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_uid}")
        yield Account(uid=os.geteuid(), gid=os.getegid(), prefix=(unshare, "--user", *mapping, "--"))


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
