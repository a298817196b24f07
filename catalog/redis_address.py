"""Where Redis is: one server, or whichever of several sentinels say is the master now."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

SCHEME = "redis+sentinel"


class Sentinels(NamedTuple):
    """`redis+sentinel://[user:password@]host[:port],host[:port]…/master[/database]`; the password is that of Redis."""

    hosts: list[tuple[str, int]]
    master: str
    database: int
    username: str | None
    password: str | None

    def broker(self) -> tuple[str, dict[str, object]]:
        """Return what Celery names the same place by: an address, and transport options."""
        userinfo = f"{self.username or ''}:{self.password}@" if self.password else ""
        addresses = [f"sentinel://{userinfo}{host}:{port}/{self.database}" for host, port in self.hosts]
        return ";".join(addresses), {"master_name": self.master}


def sentinels(url: str) -> Sentinels | None:
    """Return the sentinels that an address names, None for that of one server.

    Raises
    ------
    ValueError
        No host, a port that is none, no master, or a database that is no number.
    """
    parts = urlsplit(url)
    if parts.scheme != SCHEME:
        return None
    userinfo, _, hosts = parts.netloc.rpartition("@")
    username, _, password = userinfo.partition(":")
    master, _, database = parts.path.strip("/").partition("/")
    if not master:
        raise ValueError(f"{SCHEME}:// needs the master's name: {SCHEME}://host:26379,other:26379/mymaster/0")
    return Sentinels(
        hosts=[_host(host) for host in hosts.split(",")],
        master=master,
        database=_number(database or "0", "a database"),
        username=unquote(username) or None,
        password=unquote(password) or None,
    )


def _host(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":") if ":" in text else (text, "", "26379")
    if not host:
        raise ValueError(f"{SCHEME}:// names no host in {text!r}.")
    return host, _number(port, "a port")


def _number(text: str, what: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{SCHEME}://: {text!r} is not {what}.")
    return int(text)
