"""Where Redis is: one server, whichever of several sentinels say is the master now, or the nodes of a cluster."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

SCHEME = "redis+sentinel"
CLUSTER_SCHEME = "redis+cluster"


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


class ClusterNodes(NamedTuple):
    """`redis+cluster://[user:password@]host[:port],host[:port]…`: some nodes of a cluster, which know the others."""

    hosts: list[tuple[str, int]]
    username: str | None
    password: str | None


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
    master, _, database = parts.path.strip("/").partition("/")
    if not master:
        raise ValueError(f"{SCHEME}:// needs the master's name: {SCHEME}://host:26379,other:26379/mymaster/0")
    hosts, username, password = _authority(parts, "26379")
    return Sentinels(hosts, master, _number(parts, database or "0", "a database"), username, password)


def is_cluster(url: str) -> bool:
    """Tell whether an address is that of a cluster."""
    return url.startswith(f"{CLUSTER_SCHEME}:")


def cluster_nodes(url: str) -> ClusterNodes | None:
    """Return the nodes of a cluster that an address names, None for another address.

    Raises
    ------
    ValueError
        No host, a port that is none, a database other than 0, or options.
    """
    parts = urlsplit(url)
    if parts.scheme != CLUSTER_SCHEME:
        return None
    if parts.path.strip("/") not in ("", "0"):
        raise ValueError(f"{CLUSTER_SCHEME}://: a cluster has database 0 only, not {parts.path.strip('/')!r}.")
    if parts.query:
        raise ValueError(f"{CLUSTER_SCHEME}:// takes no options, but has {parts.query!r}.")
    return ClusterNodes(*_authority(parts, "6379"))


def _authority(parts: SplitResult, port: str) -> tuple[list[tuple[str, int]], str | None, str | None]:
    """Return the hosts, with `port` where none is named, user and password."""
    userinfo, _, hosts = parts.netloc.rpartition("@")
    username, _, password = userinfo.partition(":")
    return [_host(parts, host, port) for host in hosts.split(",")], unquote(username) or None, unquote(password) or None


def _host(parts: SplitResult, text: str, default_port: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":") if ":" in text else (text, "", default_port)
    if not host:
        raise ValueError(f"{parts.scheme}:// names no host in {text!r}.")
    return host, _number(parts, port, "a port")


def _number(parts: SplitResult, text: str, what: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{parts.scheme}://: {text!r} is not {what}.")
    return int(text)
